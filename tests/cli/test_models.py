"""`w2s models`: the list, and what is found out about one model."""

import json
import re
import shutil

import pytest
from huggingface_hub import constants

from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.models import check as module
from weak2strong.models.catalogue import PAIRS, listed
from weak2strong.models.folders import rungs
from weak2strong.models.load import load_model
from weak2strong.models.needs import count
from weak2strong.models.resolve import resolve_model
from weak2strong.report.units import size

SHA = "0123456789abcdef0123456789abcdef01234567"


def row(text, first):
    """The cells of the table's row that begins with a word."""
    (line,) = [x for x in text.splitlines() if x.split()[:1] == [first]]
    return re.split(r"  +", line.strip())


def test_the_list_has_every_model_and_pair(capsys):
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    for name in (*listed(), *rungs()):
        assert row(shown, name)[0] == name
    assert row(shown, "openai-community/gpt2")[1:] == [
        "124,439,808", "1.9 GiB", "273.4 MiB", "153.1 MiB", "MIT", "no", "2017-12"
    ]  # fmt: skip
    # 85 million numbers of its layers take 4.127 bits in place of 16.
    assert pytest.approx(84_934_656 * (16 - 4.127) / 8, rel=1e-3) == (273.4 - 153.1) * 2**20
    assert row(shown, "meta-llama/Llama-3.1-8B")[-3:] == ["Llama 3.1", "yes", "2023-12"]
    assert row(shown, "Qwen/Qwen3-8B-Base")[-3:] == ["Apache-2.0", "no", "–"]
    for weak, strong in PAIRS:
        assert f"--weak {weak} --strong {strong}  (" in shown
    assert "20 times the parameters" in shown


def test_a_rung_is_checked(capsys):
    assert main(["models", "--check", "atlas-xs"]) == 0
    shown = capsys.readouterr().out
    assert "atlas-xs: a rung of the embedded ladder" in shown
    assert "LlamaModel, decoder, 92,320 parameters, width 32, 2 layers, texts: 128 tokens" in shown
    assert "licence: Apache-2.0" in shown
    assert "activations of 128 tokens" in shown
    assert row(shown, "full")[1] == size(16 * 92_320)
    assert [row(shown, a)[-1] for a in ("full", "lora", "head")] == ["yes"] * 3


KINDS = {"llama": "LlamaModel, decoder", "gpt2": "GPT2Model, decoder", "bert": "BertModel, encoder"}


@pytest.mark.parametrize("name", KINDS)
def test_a_folder_of_any_architecture_is_checked(toy_models, capsys, name):
    folder = toy_models[name]
    network = load_model(ModelSpec(str(folder)), "classification", 2, 0).network
    assert main(["models", "--check", str(folder), "--tokens", "100"]) == 0
    shown = capsys.readouterr().out
    assert f"{KINDS[name]}, {count(network.trunk):,} parameters, width 32, 2 layers" in shown
    assert "texts: 64 tokens" in shown
    assert "licence: not stated" in shown
    assert "activations of 100 tokens" in shown


def test_less_is_kept_the_less_is_trained(toy_models):
    full, lora, head = module.check(ModelSpec(str(toy_models["llama"])), 128).needs
    assert [n.adaptation for n in (full, lora, head)] == ["full", "lora", "head"]
    assert full.together > lora.together > head.together
    assert full.activations > lora.activations / 2 > 10 * head.activations > 0


def test_the_answer_follows_from_the_memory(toy_models, capsys, monkeypatch):
    spec = ModelSpec(str(toy_models["llama"]))
    full, lora, head = module.check(spec).needs
    for memory, answers in (
        (full.together, ["yes", "yes", "yes"]),
        (full.together - 1, ["no", "yes", "yes"]),
        (lora.together - 1, ["no", "no", "yes"]),
    ):
        monkeypatch.setattr(module, "usable_bytes", lambda device, memory=memory: memory)
        assert main(["models", "--check", spec.name]) == 0
        shown = capsys.readouterr().out
        assert [row(shown, a)[-1] for a in ("full", "lora", "head")] == answers
    assert head.together < lora.together - 1


def test_a_model_larger_than_the_memory_is_not_read(toy_models, capsys, monkeypatch):
    for memory in ("device_bytes", "usable_bytes"):
        monkeypatch.setattr(module, memory, lambda device: 50_000)
    monkeypatch.setattr(module, "load_model", lambda *a, **k: pytest.fail("was read"))
    assert main(["models", "--check", str(toy_models["gpt2"])]) == 0
    shown = capsys.readouterr().out
    assert "not loaded, its weights are more than the memory: GPT2Model, decoder" in shown
    for adaptation in ("full", "lora", "head"):
        assert row(shown, adaptation)[2] == "–"
        assert row(shown, adaptation)[-1] == "no"


def test_an_adaptation_that_does_not_train_is_told_beside_those_that_do(
    toy_models, capsys, monkeypatch
):
    from weak2strong.models import adapters

    def refuse(trunk):
        hook = lambda *_: 1 / 0  # noqa: E731
        trunk.get_input_embeddings().register_forward_hook(hook)

    monkeypatch.setattr(adapters, "pass_as_one", refuse)
    assert main(["models", "--check", str(toy_models["llama"])]) == 0
    shown = capsys.readouterr().out
    assert [row(shown, a)[-2] for a in ("full", "lora", "head")] == ["yes", "no", "yes"]
    assert row(shown, "lora")[2] == "–"
    assert [row(shown, use)[1] for use in ("activations", "prompting", "generation")] == ["yes"] * 3
    monkeypatch.setattr("weak2strong.models.prompted.PromptedModel.logits", lambda *_: 1 / 0)
    assert main(["models", "--check", str(toy_models["gpt2"])]) == 0
    shown = capsys.readouterr().out
    assert [row(shown, use)[1] for use in ("activations", "prompting", "generation")] == [
        "yes", "no", "yes"
    ]  # fmt: skip
    assert "cannot be prompted (ZeroDivisionError: division by zero): choose another" in shown


@pytest.fixture
def cached(toy_models, tmp_path, monkeypatch):
    """A snapshot in the hub's cache, of a model with a card."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    root = tmp_path / "models--owner--name"
    snapshot = shutil.copytree(toy_models["llama"], root / "snapshots" / SHA)
    (snapshot / "README.md").write_text("---\nlicense: bsd-3-clause\n---\n# A model\n")
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(SHA)
    (root / "refs" / "v1").write_text(SHA)
    return snapshot


@pytest.mark.parametrize("name", ["owner/name", "owner/name@v1", f"owner/name@{SHA}"])
def test_a_model_in_the_hubs_cache_is_checked(cached, capsys, name):
    assert main(["models", "--check", name]) == 0
    shown = capsys.readouterr().out
    assert f"{name}: the hub's local cache, commit {SHA[:12]}, 0.2 MiB of weights" in shown
    assert "loads: LlamaModel" in shown
    assert "licence: bsd-3-clause (its card)" in shown


def test_a_study_keeps_the_commit_of_a_model_of_the_hub(cached):
    for revision in (None, "v1", SHA):
        assert resolve_model(ModelSpec("owner/name", revision)).revision == SHA


def test_a_card_that_cannot_be_read_states_nothing(cached, capsys):
    (cached / "README.md").write_text("---\nlicense: [\n---\n")
    assert main(["models", "--check", "owner/name"]) == 0
    assert "licence: not stated" in capsys.readouterr().out


def without_weights(folder):
    (folder / "model.safetensors").unlink()


def broken_weights(folder):
    (folder / "model.safetensors").write_bytes(b"nothing")


def unknown_kind(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "nonsense"}))


@pytest.mark.parametrize("harm", [without_weights, broken_weights, unknown_kind])
@pytest.mark.parametrize("where", ["hub", "folder"])
def test_what_does_not_load_is_a_sentence_and_exit_code_2(cached, capsys, harm, where):
    harm(cached)
    name = "owner/name" if where == "hub" else str(cached)
    assert main(["models", "--check", name]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith(f"error: Model '{name}' cannot be loaded: ")


BAD = [
    (["gpt22"], r"Unknown model 'gpt22': the nearest are openai-community/gpt2, "),
    (["atlas-ll"], r"Unknown model 'atlas-ll': .*atlas-l"),
    (["/no/such@folder"], r"Model folder /no/such@folder does not exist"),
    (["atlas-s@main"], r"Model atlas-s is local and has no revisions: leave @main out"),
    (["owner/name@"], r"'owner/name@' is no model: write owner/name@revision"),
    (
        ["nobody/nothing"],
        r"Model nobody/nothing is no local folder and not in the hub's cache, and offl",
    ),
    (["atlas-s", "--tokens", "0"], r"A micro-batch has at least 1 token, not 0"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD, ids=lambda x: " ".join(x)[:30])
def test_bad_input_is_one_sentence_and_exit_code_2(arguments, sentence, capsys):
    assert main(["models", "--check", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert re.search(f"^error: {sentence}", line)
