"""How long a text a model reads, and tokens that its tokenizer has and it has not."""

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    RobertaConfig,
    RobertaForMaskedLM,
)

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import encode, longest_read, pad
from weak2strong.models.load import load_model
from weak2strong.models.positions import longest_text
from weak2strong.models.prompts import prompt_rows

STACK = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}


def load(folder):
    return load_model(ModelSpec(str(folder)), "classification", 2, 0)


@pytest.mark.parametrize(
    ("name", "positions"),
    [("bert", 512), ("gpt2", 1024), ("opt", 2048), ("roberta", 512), ("esm", 1024), ("t5", None)],
)
def test_how_long_a_text_published_models_read(name, positions):
    options = {"roberta": {"max_position_embeddings": 514}, "esm": {"vocab_size": 33}}
    config = AutoConfig.for_model(name, **options.get(name, {}))
    if name == "esm":
        config.pad_token_id, config.max_position_embeddings = 1, 1026
        config.position_embedding_type = "absolute"
    assert longest_text(config) == positions


def test_texts_are_cut_where_positions_that_start_late_end(toy_models, tmp_path):
    config = RobertaConfig(vocab_size=320, max_position_embeddings=50, pad_token_id=2, **STACK)
    RobertaForMaskedLM(config).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(toy_models["bert"])
    tokenizer.model_max_length = int(1e30)
    tokenizer.save_pretrained(tmp_path)
    model = load(tmp_path)
    assert longest_read(model.tokenizer) == 47
    rows = encode(model.tokenizer, ["word " * 100])
    assert len(rows[0]) == 47
    with torch.no_grad():
        assert model.network(*pad(rows, 2, model.device)).isfinite().all()
        longer, mask = pad([[*rows[0], 7]], 2, model.device)
        with pytest.raises((IndexError, RuntimeError)):
            model.network(longer, mask)


@pytest.fixture
def beyond(toy_models, tmp_path):
    """A decoder whose tokenizer has a token more than its embedding has rows, with which it
    pads."""
    config = LlamaConfig(vocab_size=320, max_position_embeddings=64, **STACK)
    LlamaForCausalLM(config).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(toy_models["llama"])
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    tokenizer.save_pretrained(tmp_path)
    assert tokenizer.pad_token_id == 320
    return tmp_path


def test_padding_that_the_model_has_no_row_for_is_another_token(beyond):
    model = load(beyond)
    assert model.tokenizer.pad_token_id == model.tokenizer.eos_token_id < 320
    rows = encode(model.tokenizer, ["Lima", "Lyon is a city in France."])
    with torch.no_grad():
        together = model.network(*pad(rows, model.tokenizer.pad_token_id, model.device))
        alone = [model.network(*pad([row], 0, model.device)) for row in rows]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("read", [encode, lambda t, texts: prompt_rows(t, texts, 2)])
def test_another_token_that_the_model_has_no_row_for_is_a_sentence(beyond, read):
    tokenizer = load(beyond).tokenizer
    assert read(tokenizer, ["Lima"])
    with pytest.raises(UserError, match=r"token '\[PAD\]', number 320, .* has 320 tokens"):
        read(tokenizer, ["Lima [PAD]"])
