"""What the hub refuses is said in one sentence; nothing here asks the hub."""

import importlib
import re

import pytest
from huggingface_hub import constants, errors

from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.ground.hub import TOKEN_VARIABLES
from weak2strong.models import hub
from weak2strong.models.hub import cached_file

SHA = "0123456789abcdef0123456789abcdef01234567"


def responded(kind, status=404):
    """An error of the hub, which holds the response of whichever HTTP library is beneath."""
    library = importlib.import_module(errors.HfHubHTTPError.__mro__[1].__module__.split(".")[0])
    response = library.Response(status, request=library.Request("GET", "https://hub.test"))
    return kind(f"{status} Error.\n\nDetails.", response=response)


REFUSED = [
    (responded(errors.GatedRepoError, 403), r"Model owner/name is gated: accept its terms on "
     r"https://huggingface\.co/owner/name, then log in by `hf auth login` with a token"),
    (responded(errors.RepositoryNotFoundError), r"There is no model owner/name on the .*private"),
    (responded(errors.RevisionNotFoundError), r"Model owner/name has no revision 'v9': write a b"),
    (responded(errors.RemoteEntryNotFoundError), r"Model owner/name has no config\.json, so Trans"),
    (errors.LocalEntryNotFoundError("x"), r"owner/name is no local .*cannot be reached: check the"),
    (responded(errors.HfHubHTTPError, 500), r"owner/name cannot be had .*\(500 Error\): check the"),
    (ConnectionError("Name not\nknown"), r"owner/name cannot be had .*\(Name not\): check the net"),
    (TimeoutError(), r"owner/name cannot be had from the .* \(TimeoutError\): check the network"),
    (errors.HFValidationError("Bad id"), r"'owner/name' is no id of a hub model: write owner/name"),
]  # fmt: skip


@pytest.fixture
def refuse(monkeypatch, tmp_path):
    """Make every download end in an error, with nothing in the cache."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    for name in TOKEN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    # What another test has found of the same name is not to be found here.
    hub.commit_once.cache_clear()

    def by(error):
        def download(*args, **kwargs):
            raise error

        monkeypatch.setattr("huggingface_hub.hf_hub_download", download)

    return by


@pytest.mark.parametrize(("error", "sentence"), REFUSED, ids=lambda x: type(x).__name__)
@pytest.mark.parametrize(
    "command", [["models", "--check"], ["run", "--strong"]], ids=lambda x: x[0]
)
def test_a_refusal_is_one_sentence_and_exit_code_2(refuse, capsys, error, sentence, command):
    refuse(error)
    assert main([*command, "owner/name@v9"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert re.match(f"error: (Model )?{sentence}", line)


def test_a_name_without_an_owner_is_taken_for_a_slip(refuse, capsys):
    for kind in (errors.RepositoryNotFoundError, errors.GatedRepoError):
        refuse(responded(kind))
        assert main(["models", "--check", "gpt22"]) == 2
    unknown, gated = capsys.readouterr().err.splitlines()
    assert unknown.startswith("error: Unknown model 'gpt22': the nearest are openai-community/gpt2")
    assert gated.startswith("error: Model gpt22 is gated")


def test_offline_mode_is_named(refuse, capsys, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert main(["models", "--check", "owner/name"]) == 2
    assert "not in the hub's cache, and offline mode is set: unset" in capsys.readouterr().err


def test_the_cache_is_asked_without_the_network(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    root = tmp_path / "models--owner--name"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(SHA)
    snapshot = root / "snapshots" / SHA
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    file = snapshot / "config.json"
    assert cached_file(ModelSpec("owner/name"), "config.json") == file
    assert cached_file(ModelSpec("owner/name", SHA), "config.json") == file
    assert cached_file(ModelSpec("owner/name", "v2"), "config.json") is None
    assert cached_file(ModelSpec("owner/name"), "README.md") is None
    assert cached_file(ModelSpec("not a/name"), "config.json") is None
