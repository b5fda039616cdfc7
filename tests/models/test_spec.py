"""A model's name leads to files, its fingerprint to their content, a wrong name to a sentence."""

import shutil
import socket
import time
from pathlib import Path

import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models import folders
from weak2strong.models.folders import folder_of, is_tiny, location_of, rungs
from weak2strong.models.rates import LADDER_RATES
from weak2strong.models.resolve import check_name, fingerprint
from weak2strong.subjects.atlas.ladder.rungs import RUNGS


@pytest.fixture(autouse=True)
def fresh():
    """Nothing remembered of other tests' folders."""
    _forget()
    yield
    _forget()


def _forget():
    for cached in (fingerprint, rungs):
        getattr(cached, "cache_clear", lambda: None)()


@pytest.fixture
def ladder(toy_models, tmp_path, monkeypatch):
    """An embedded ladder of two toys, the larger one first by name."""
    for rung, toy in (("atlas-m", "bert"), ("atlas-xs", "llama")):
        shutil.copytree(toy_models[toy], tmp_path / "ladder" / rung)
    weights = tmp_path / "ladder" / "atlas-m" / "model.safetensors"
    weights.write_bytes(weights.read_bytes() * 2)
    (tmp_path / "ladder" / "card.json").write_text("{}")
    (tmp_path / "ladder" / "unfinished").mkdir()
    monkeypatch.setattr(folders, "LADDER", tmp_path / "ladder")
    return tmp_path / "ladder"


@pytest.fixture
def copy(toy_models, tmp_path):
    return shutil.copytree(toy_models["llama"], tmp_path / "model")


def test_rungs_are_folders_with_a_config_the_smallest_first(ladder):
    assert rungs() == ("atlas-xs", "atlas-m")


def test_a_rung_is_found_by_its_name(ladder):
    model = ModelSpec("atlas-xs")
    assert folder_of(model) == ladder / "atlas-xs"
    assert location_of(model) == str(ladder / "atlas-xs")
    assert is_tiny(model)


def test_rungs_win_over_local_folders_of_their_name(ladder, tmp_path, monkeypatch):
    (tmp_path / "here" / "atlas-xs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert folder_of(ModelSpec("atlas-xs")) == ladder / "atlas-xs"


def test_a_local_folder_is_found(copy, monkeypatch):
    monkeypatch.chdir(copy.parent)
    monkeypatch.setenv("HOME", str(copy.parent))
    for name in (str(copy), "model", "./model", "~/model"):
        folder = folder_of(ModelSpec(name))
        assert folder is not None
        assert folder.resolve() == copy.resolve()


def test_a_hub_id_is_left_to_transformers():
    model = ModelSpec("some-lab/some-model", revision="abc")
    assert folder_of(model) is None
    assert location_of(model) == "some-lab/some-model"
    assert not is_tiny(model)


def test_a_folder_with_large_weights_is_not_tiny(copy, monkeypatch):
    assert is_tiny(ModelSpec(str(copy)))
    monkeypatch.setattr(folders, "TINY_BYTES", (copy / "model.safetensors").stat().st_size)
    assert not is_tiny(ModelSpec(str(copy)))


def test_every_rung_has_a_finetuning_rate():
    assert set(LADDER_RATES) == {r.name for r in RUNGS}


def test_the_fingerprint_is_that_of_the_content(copy, tmp_path):
    twin = shutil.copytree(copy, tmp_path / "elsewhere")
    assert fingerprint(ModelSpec(str(copy))) == fingerprint(ModelSpec(str(twin)))


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_one_byte_makes_another_fingerprint(copy, file):
    before = fingerprint(ModelSpec(str(copy)))
    content = bytearray((copy / file).read_bytes())
    content[-2] ^= 1
    (copy / file).write_bytes(content)
    _forget()
    assert fingerprint(ModelSpec(str(copy))) != before


def test_weights_that_change_while_the_process_lives_are_noticed(copy):
    before = fingerprint(ModelSpec(str(copy)))
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\1\0")
    assert fingerprint(ModelSpec(str(copy))) != before


def test_a_misspelt_rung_is_answered_with_the_nearest(ladder):
    with pytest.raises(UserError, match=r"Unknown model 'atlas-xxs'.*atlas-xs"):
        fingerprint(ModelSpec("atlas-xxs"))


def test_a_file_that_holds_no_model_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("moods.jsonl").write_text("{}")
    for name in ("moods.jsonl", str(tmp_path / "moods.jsonl")):
        with pytest.raises(UserError, match=rf"^Model {name} is a file that holds no model: name"):
            check_name(ModelSpec(name))


@pytest.mark.parametrize("name", ["./none", "/no/such/folder", "~/none", "a/b/c"])
def test_a_folder_that_is_not_there_is_a_sentence(name, ladder):
    with pytest.raises(UserError, match=f"^Model folder {name} does not exist"):
        fingerprint(ModelSpec(name))


def test_a_folder_without_a_config_is_a_sentence(copy):
    (copy / "config.json").unlink()
    with pytest.raises(UserError, match=r"has no config\.json"):
        fingerprint(ModelSpec(str(copy)))


OFFLINE = {
    "nobody/nothing": r"^Model nobody/nothing is no local folder and .*offline mode is set: unset",
    "not a/name!": r"^'not a/name!' is no id of a hub model",
    "gpt22": r"^Unknown model 'gpt22': the nearest are openai-community/gpt2, .*See: w2s models",
    "atlasm": r"^Unknown model 'atlasm': the nearest are atlas-m",
    "llama-m!": r"^Unknown model 'llama-m!'",
}


@pytest.mark.parametrize("name", OFFLINE)
def test_a_hub_id_without_network_is_refused_at_once(name, ladder):
    begun = time.monotonic()
    with pytest.raises(UserError, match=OFFLINE[name]):
        fingerprint(ModelSpec(name))
    assert time.monotonic() - begun < 20  # importing Transformers included


def test_a_revision_follows_a_hub_id():
    parse = ModelSpec.parse
    assert parse("EleutherAI/pythia-70m@step3000") == ModelSpec("EleutherAI/pythia-70m", "step3000")
    assert parse("gpt2@v1") == ModelSpec("gpt2", "v1")
    assert parse("EleutherAI/pythia-70m") == ModelSpec("EleutherAI/pythia-70m")


def test_a_folder_with_an_at_in_its_name_is_a_folder(copy, monkeypatch):
    twin = copy.rename(copy.parent / "model@v2")
    monkeypatch.chdir(copy.parent)
    for text in (str(twin), "model@v2", "./model@v2"):
        assert ModelSpec.parse(text) == ModelSpec(text)
    assert ModelSpec.parse("./none@v2") == ModelSpec("./none@v2")


def test_what_is_local_has_no_revisions(ladder, copy):
    for name in ("atlas-xs", str(copy)):
        with pytest.raises(UserError, match=f"^Model {name} is local and has no revisions"):
            check_name(ModelSpec.parse(f"{name}@main"))
        with pytest.raises(UserError, match="has no revisions: leave @main out"):
            fingerprint(ModelSpec(name, revision="main"))


@pytest.mark.parametrize("text", ["owner/name@", "@main"])
def test_half_a_name_is_no_model(text):
    with pytest.raises(UserError, match="is no model: write owner/name@revision"):
        ModelSpec.parse(text)


def test_studies_read_revisions(tmp_path):
    from weak2strong.cli.run import Run
    from weak2strong.config.study import StudyConfig
    from weak2strong.experiments.study import Study

    model = ModelSpec("owner/name", "v1")
    study = StudyConfig.from_yaml("weak: owner/name@v1\nstrong: {name: owner/name, revision: v1}")
    assert (study.weak, study.strong) == (model, model)
    for config in (
        Study(weak="owner/name@v1", strong="owner/name@v1").config,
        Run(weak="owner/name@v1", strong="owner/name@v1").config(),
        StudyConfig.from_yaml(study.to_yaml()),
    ):
        assert (config.weak, config.strong) == (model, model)


def test_the_guard_of_these_tests_lets_nothing_out():
    far = ("192.0.2.1", 80)
    with socket.socket() as one:
        for reach in (one.connect, one.connect_ex):
            with pytest.raises(pytest.fail.Exception, match="reached for the network"):
                reach(far)
    with pytest.raises(pytest.fail.Exception, match="reached for the network"):
        socket.getaddrinfo("huggingface.co", 443)
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
