"""Where a head begins: near chance, at zero, or at the model's own words for the classes."""

import pytest
import torch
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    GPTJConfig,
    GPTJForCausalLM,
)

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import encode, pad
from weak2strong.models.heads import new_head
from weak2strong.models.load import load_model
from weak2strong.models.text_model import start_from_answers

TEXTS = ["Lyon is a city in", "Lima", "A red house stands beside a blue river."]
ANSWERS = ("red", "blue")


def load(folder, classes=2, **settings):
    return load_model(ModelSpec(str(folder), **settings), "classification", classes, seed=0)


def outputs(model):
    rows = encode(model.tokenizer, TEXTS)
    with torch.inference_mode():
        return model.network(*pad(rows, model.tokenizer.pad_token_id, model.device))


@pytest.fixture
def words(toy_models):
    """Two tokens of a toy's vocabulary that are words."""

    def words(name):
        tokenizer = AutoTokenizer.from_pretrained(toy_models[name])
        return tokenizer.decode([300]), tokenizer.decode([305])

    return words


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_a_head_of_zeros_says_nothing(toy_models, name):
    assert outputs(load(toy_models[name], head_start="zero")).abs().max() == 0


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_a_head_has_a_bias_where_transformers_own_class_has_one(toy_models, name):
    theirs = AutoModelForSequenceClassification.from_pretrained(toy_models[name], num_labels=3)
    (own,) = (m for m in theirs.modules() if isinstance(m, nn.Linear) and m.out_features == 3)
    for start in ("random", "zero"):
        ours = load(toy_models[name], classes=3, head_start=start).network.head
        assert (ours.bias is None) == (own.bias is None) == (name != "bert")


def test_a_head_from_answers_takes_the_bias_of_a_language_model_that_has_one(toy_models, words):
    tokenizer = AutoTokenizer.from_pretrained(toy_models["gpt2"])
    config = GPTJConfig(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, rotary_dim=4)
    whole = GPTJForCausalLM(config)
    with torch.no_grad():
        whole.lm_head.bias.copy_(torch.arange(float(len(tokenizer))))
    head = new_head("classification", 16, 2, True, torch.Generator().manual_seed(0))
    start_from_answers(head, whole, tokenizer, words("gpt2"))
    assert head.bias.tolist() == [300, 305]
    assert head.bias.requires_grad
    assert torch.equal(head.weight, whole.lm_head.weight[[300, 305]])


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_a_head_from_answers_says_what_the_language_model_says(toy_models, words, name):
    answers = words(name)
    model = load(toy_models[name], head_start="answers", answers=answers)
    whole = AutoModelForCausalLM.from_pretrained(toy_models[name]).eval()
    tokenizer = AutoTokenizer.from_pretrained(toy_models[name])
    ids = [tokenizer(a, add_special_tokens=False)["input_ids"][0] for a in answers]
    for found, text in zip(outputs(model), TEXTS, strict=True):
        with torch.inference_mode():
            said = whole(**tokenizer(text, return_tensors="pt")).logits[0, -1, ids]
        torch.testing.assert_close(found, said, rtol=0, atol=1e-5)


def test_weights_of_answers_are_copied_not_shared(toy_models, words):
    model = load(toy_models["gpt2"], head_start="answers", answers=words("gpt2"))
    with torch.no_grad():
        model.network.head.weight.zero_()
    assert model.network.trunk.get_input_embeddings().weight[300].abs().sum() > 0


@pytest.mark.parametrize(
    ("answers", "classes", "sentence"),
    [
        (("a", "b", "c"), 2, "2 classes, but 3 answers"),
        (("Montevideo", "b"), 2, r"'Montevideo' is \d+ tokens"),
        (("a", "a"), 2, "same token"),
    ],
)
def test_answers_that_cannot_be(toy_models, answers, classes, sentence):
    with pytest.raises(UserError, match=sentence):
        load(toy_models["llama"], classes, head_start="answers", answers=answers)


def test_an_encoder_has_no_next_word(toy_models, words):
    with pytest.raises(UserError, match="is no decoder"):
        load(toy_models["bert"], head_start="answers", answers=words("bert"))


@pytest.mark.parametrize(
    "settings",
    [
        {"adaptation": "loar"},
        {"precision": "float16"},
        {"pooling": "first"},
        {"head_start": "ones"},
        {"checkpointing": "sometimes"},
        {"lora_rank": 0},
        {"lora_alpha": "much"},
        {"head_start": "answers"},
        {"answers": ("a", "b")},
    ],
)
def test_settings_that_cannot_be(settings):
    with pytest.raises(UserError, match=r"^Model some/model: "):
        ModelSpec("some/model", **settings)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pooling", ["last", "mean", "cls"])
@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_pooling_is_as_asked_whatever_the_padding_side(toy_models, name, pooling, side):
    from weak2strong.models.heads import POOLS

    states = torch.randn(2, 4, 3)
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]])
    if side == "left":
        mask = mask.flip(1)
    real = [states[i][mask[i].bool()] for i in range(2)]
    expected = {
        "last": torch.stack([r[-1] for r in real]),
        "mean": torch.stack([r.mean(0) for r in real]),
        "cls": torch.stack([r[0] for r in real]),
    }
    torch.testing.assert_close(POOLS[pooling](states, mask), expected[pooling])
    network = load(toy_models[name], pooling=pooling).network
    assert network._pool is POOLS[pooling]
