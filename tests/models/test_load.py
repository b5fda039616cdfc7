"""A loaded model answers for a text alone: not for its neighbours, nor for its padding."""

import json
import logging
import shutil
from importlib.util import find_spec

import pytest
import torch
from transformers import AutoModel, AutoTokenizer, LlamaForCausalLM

from weak2strong.config.model import ModelSpec
from weak2strong.ground.draws import draw_seed
from weak2strong.ground.errors import UserError
from weak2strong.models import batches
from weak2strong.models.batches import encode, pad, token_counts
from weak2strong.models.configuration import load_tokenizer
from weak2strong.models.heads import new_head
from weak2strong.models.lengths import longest_read
from weak2strong.models.load import load_model
from weak2strong.models.resolve import resolve_model
from weak2strong.tasks.task import Item

NAMES = ["llama", "gpt2", "bert"]
CPU = torch.device("cpu")
TEXTS = [
    "Lyon",
    "Lima is a city in Peru.",
    "A red house stands beside a blue river, and the blue bird sings in the morning.",
    "Où est-ce ?",
]


def load(folder, seed=0, classes=2, **settings):
    return load_model(ModelSpec(str(folder), **settings), "classification", classes, seed)


def outputs(model, rows):
    batch = pad(rows, model.tokenizer.pad_token_id, model.device)
    with torch.inference_mode():
        return model.network(*batch)


def enlarge_head(model):
    """A head as large as the usual ones, so that texts differ by more than rounding."""
    with torch.no_grad():
        model.network.head.weight.mul_(100)
    return model


@pytest.mark.parametrize("name", NAMES)
def test_outputs_for_a_text_do_not_depend_on_its_batch(toy_models, name):
    model = enlarge_head(load(toy_models[name]))
    rows = encode(model.tokenizer, TEXTS)
    together = outputs(model, rows)
    alone = torch.cat([outputs(model, [r]) for r in rows])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    assert (together[:, None] - together[None]).abs().amax(-1).fill_diagonal_(1).min() > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_in_the_padding_does_not_matter(toy_models, name):
    model = enlarge_head(load(toy_models[name]))
    tokens, mask = pad(encode(model.tokenizer, TEXTS), model.tokenizer.pad_token_id, CPU)
    other = torch.where(mask == 1, tokens, 77)
    with torch.inference_mode():
        torch.testing.assert_close(
            model.network(other, mask), model.network(tokens, mask), rtol=0, atol=1e-5
        )


@pytest.mark.parametrize("name", NAMES)
def test_pooled_states_are_those_of_the_bare_trunk(toy_models, name):
    model = load(toy_models[name])
    trunk = AutoModel.from_pretrained(toy_models[name]).eval()
    tokenizer = AutoTokenizer.from_pretrained(toy_models[name])
    tokens, mask = pad(encode(model.tokenizer, TEXTS), model.tokenizer.pad_token_id, CPU)
    with torch.inference_mode():
        pooled = model.network.pooled(tokens, mask)
        for row, text in enumerate(TEXTS):
            states = trunk(**tokenizer(text, return_tensors="pt"))[0][0]
            expected = states.mean(0) if name == "bert" else states[-1]
            torch.testing.assert_close(pooled[row], expected, rtol=0, atol=1e-5)
        logits = pooled @ model.network.head.weight.T
        torch.testing.assert_close(model.network(tokens, mask), logits)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_the_head_and_nothing_else(toy_models, name):
    torch.manual_seed(5)
    one = load(toy_models[name], seed=3).network
    torch.manual_seed(6)
    two = load(toy_models[name], seed=3).network
    other = load(toy_models[name], seed=4).network
    assert torch.equal(one.head.weight, two.head.weight)
    assert not torch.equal(one.head.weight, other.head.weight)
    saved = AutoModel.from_pretrained(toy_models[name]).state_dict()
    for key, value in other.trunk.state_dict().items():
        if "pooler" not in key:  # BERT's own, which nothing reads
            assert torch.equal(value, saved[key])


@pytest.mark.parametrize("name", NAMES)
def test_a_new_model_starts_near_chance(toy_models, name):
    model = load(toy_models[name], classes=3)
    logits = outputs(model, encode(model.tokenizer, TEXTS))
    assert logits.shape == (4, 3)
    assert (torch.softmax(logits, -1) - 1 / 3).abs().max() < 0.05


def test_a_tokenizer_without_a_pad_token_pads_with_its_end(toy_models):
    assert AutoTokenizer.from_pretrained(toy_models["gpt2"]).pad_token is None
    tokenizer = load(toy_models["gpt2"]).tokenizer
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == 0


@pytest.mark.parametrize("name", ["llama", "bert"])
def test_a_pad_token_of_its_own_is_kept(toy_models, name):
    before = AutoTokenizer.from_pretrained(toy_models[name])
    assert load(toy_models[name]).tokenizer.pad_token_id == before.pad_token_id == 2


def without_special_tokens(toy_models, tmp_path):
    folder = shutil.copytree(toy_models["gpt2"], tmp_path / "bare")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.bos_token = tokenizer.eos_token = None
    tokenizer.save_pretrained(folder)
    return folder


def test_a_tokenizer_without_any_special_token_can_be_batched(toy_models, tmp_path):
    model = enlarge_head(load(without_special_tokens(toy_models, tmp_path)))
    expected = enlarge_head(load(toy_models["gpt2"]))
    rows = encode(model.tokenizer, TEXTS)
    torch.testing.assert_close(outputs(model, rows), outputs(expected, rows))


@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_texts_are_cut_where_the_model_has_no_more_positions(toy_models, tmp_path, name):
    folder = shutil.copytree(toy_models[name], tmp_path / name)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.model_max_length = int(1e30)
    tokenizer.save_pretrained(folder)
    model = load(folder)
    rows = encode(model.tokenizer, ["word " * 200])
    assert len(rows[0]) == 64
    assert outputs(model, rows).isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_tokens_are_counted_before_a_text_is_cut(toy_models, name, monkeypatch):
    monkeypatch.setattr(batches, "COUNTED_AT_ONCE", 2)
    tokenizer = load_tokenizer(ModelSpec(str(toy_models[name])))
    texts = [*TEXTS, "word " * 200]
    whole = encode(tokenizer, texts, limit=10**6)
    records, theirs = [], logging.getLogger("transformers")
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", records.append)
    monkeypatch.setattr(theirs, "handlers", [*theirs.handlers, handler])
    items = [Item(str(i), "g", text) for i, text in enumerate(texts)]
    assert token_counts(tokenizer, items) == list(map(len, whole))
    assert not records
    load_tokenizer(ModelSpec(str(toy_models[name])))("word " * 200)
    assert "longer than" in records[0].getMessage(), "a tokenizer would have said so"
    assert len(encode(tokenizer, texts)[-1]) == longest_read(tokenizer) == 64


@pytest.mark.parametrize("name", NAMES)
def test_dropout_stays_off(toy_models, name):
    network = load(toy_models[name]).network
    assert not any(part.training for part in network.modules())


def test_half_precision_on_disk_is_float32_in_memory(toy_models, tmp_path):
    LlamaForCausalLM.from_pretrained(toy_models["llama"]).bfloat16().save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(toy_models["llama"]).save_pretrained(tmp_path)
    network = load(tmp_path).network
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    state = AutoModel.from_pretrained(toy_models["llama"]).state_dict()
    for key, value in network.trunk.state_dict().items():
        assert torch.equal(value, state[key].bfloat16().float())


def test_loading_says_nothing(toy_models, capfd):
    """Transformers reports the heads and poolers that are not in both, which is as it should be."""
    from transformers.utils import logging as theirs

    heard = []
    listener = logging.Handler()
    listener.emit = heard.append
    logger, before = logging.getLogger("transformers"), theirs.get_verbosity()
    logger.addHandler(listener)
    try:
        load(toy_models["bert"])
        assert heard == []
        AutoModel.from_pretrained(toy_models["bert"])
        assert heard
    finally:
        logger.removeHandler(listener)
    assert theirs.get_verbosity() == before
    assert capfd.readouterr().out == ""


def test_a_head_that_nothing_reads_is_not_loaded(toy_models):
    model = load(toy_models["llama"])
    assert not [name for name, _ in model.network.named_parameters() if "lm_head" in name]
    assert sum(p.numel() for p in model.network.head.parameters()) == 2 * 32


@pytest.mark.parametrize("name", NAMES)
def test_a_network_holds_its_trunk_once(toy_models, name):
    state = load(toy_models[name]).network.state_dict()
    assert {key.split(".")[0] for key in state} == {"trunk", "head", "size"}


def test_autocast_is_off_on_the_cpu(toy_models):
    with load(toy_models["llama"]).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize("broken", ["no weights", "no config", "no JSON", "unknown type"])
def test_a_folder_that_cannot_be_loaded_is_a_sentence(toy_models, tmp_path, broken):
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    if broken == "no weights":
        (folder / "model.safetensors").unlink()
    elif broken == "no config":
        (folder / "config.json").unlink()
    elif broken == "no JSON":
        (folder / "config.json").write_text("{")
    else:
        (folder / "config.json").write_text('{"model_type": "perpetuum"}')
    with pytest.raises(UserError, match=r"^Model '.*' cannot be loaded: .") as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_damaged_weights_are_a_sentence(toy_models, tmp_path):
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"^Model '.*' cannot be loaded: ."):
        load(folder)


QUANTISED = {
    "bitsandbytes": {"quant_method": "bitsandbytes", "load_in_4bit": True},
    "optimum": {"quant_method": "gptq", "bits": 4},
    "gptqmodel": {"quant_method": "awq", "bits": 4, "group_size": 32, "version": "gemm"},
}
"""What a configuration says, by the package that is needed then."""


@pytest.mark.parametrize("package", QUANTISED)
def test_quantised_weights_are_not_trained_and_ask_for_their_package(toy_models, tmp_path, package):
    if find_spec(package):
        pytest.skip(f"{package} is installed")
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = QUANTISED[package]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=rf"cannot be loaded: .*{package}"):
        load(folder, adaptation="lora")
    with pytest.raises(UserError, match=r"quantised weights.* choose adaptation lora or head"):
        resolve_model(ModelSpec(str(folder), adaptation="full"))


def test_a_device_that_is_too_small_is_a_sentence(toy_models, monkeypatch):
    def refuse(self, device):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("weak2strong.models.network.Network.to", refuse)
    with pytest.raises(UserError, match=r"does not fit into the memory of the cpu .*by LoRA"):
        load(toy_models["llama"])


def test_heads_of_models_of_different_width_do_not_begin_with_the_same_numbers():
    """A supervisor and a student of one seed would otherwise start out alike."""
    draws = {
        width: new_head(
            "classification",
            width,
            2,
            True,
            torch.Generator().manual_seed(draw_seed(0, "head", str(width))),
        ).weight.detach()
        / width**-0.5
        for width in (256, 512)
    }
    both = torch.stack([draws[256].flatten(), draws[512].flatten()[:512]])
    assert torch.corrcoef(both)[0, 1].abs() < 0.2


def test_the_head_of_a_model_is_drawn_by_seed_and_width(toy_models):
    expected = new_head(
        "classification", 32, 2, True, torch.Generator().manual_seed(draw_seed(3, "head", "32"))
    )
    assert torch.equal(load(toy_models["llama"], seed=3).network.head.weight, expected.weight)


def test_weights_of_other_sizes_than_the_configuration_says_are_one_sentence(toy_models, tmp_path):
    shutil.copytree(toy_models["llama"], tmp_path / "odd")
    file = tmp_path / "odd" / "config.json"
    file.write_text(file.read_text().replace('"intermediate_size": 64', '"intermediate_size": 48'))
    with pytest.raises(UserError, match=r"other sizes than its config\.json says"):
        load(tmp_path / "odd")
