"""A prompt is asked as it was taught, and only its target counts, whatever the tokenizer does."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import encode
from weak2strong.models.configuration import load_tokenizer
from weak2strong.models.prompts import decoded, prompt_and_target, prompt_rows

PROMPTS = ["Lyon is a city in", "Question: Where is Quito?\nAnswer:\n", "", "The capital is "]
TARGETS = ["France", "In Ecuador.", "Weak labels", "Nairobi and Lima"]


def trained(template=None, **parts):
    """A small tokenizer made of other parts than the toys are."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = parts.get("before")
    tokenizer.decoder = parts.get("decoder", decoders.Fuse())
    letters = sorted(set("".join([*PROMPTS, *TARGETS])) | {"▁"})
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=["</s>"], initial_alphabet=letters, show_progress=False
    )
    texts = ["Lyon is a city in France", "Lyon is a city in France", *PROMPTS, *TARGETS]
    tokenizer.train_from_iterator(texts, trainer)
    if template:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=template, special_tokens=[("</s>", 0)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="</s>", model_max_length=64
    )


@pytest.fixture(params=["atlas-s", "llama", "gpt2", "merging", "metaspace", "ending"])
def tokenizer(request, toy_models):
    if request.param in toy_models:
        return load_tokenizer(ModelSpec(str(toy_models[request.param])))
    if request.param == "merging":  # no borders between words: whole sentences are one token
        return trained()
    if request.param == "metaspace":  # as of Llama 2: a space before every text
        return trained(before=pre_tokenizers.Metaspace(), decoder=decoders.Metaspace())
    if request.param == "ending":
        return trained("$A </s>", before=pre_tokenizers.Metaspace(), decoder=decoders.Metaspace())
    return load_tokenizer(ModelSpec(request.param))


def test_rows_are_the_prompts_own_then_the_target_and_the_end(tokenizer):
    rows, counted = prompt_and_target(tokenizer, PROMPTS, TARGETS)
    alone = prompt_rows(tokenizer, PROMPTS, most=10)
    for row, marks, prompt, target in zip(rows, counted, alone, TARGETS, strict=True):
        assert row[: len(prompt)] == prompt
        assert marks == [0] * len(prompt) + [1] * (len(row) - len(prompt))
        assert row[-1] == tokenizer.eos_token_id
        # But an empty prompt, which begins with that token in some models.
        assert tokenizer.eos_token_id not in row[1:-1]
        assert decoded(tokenizer, [row[len(prompt) :]]) == [target]


def test_a_prompt_without_spaces_at_its_end_is_encoded_as_any_text(toy_models):
    for name in (str(toy_models["llama"]), str(toy_models["gpt2"]), "atlas-s"):
        tokenizer = load_tokenizer(ModelSpec(name))
        assert prompt_rows(tokenizer, PROMPTS[:3], 10) == encode(tokenizer, PROMPTS[:3])
        assert prompt_rows(tokenizer, ["Lima  "], 10) == encode(tokenizer, ["Lima"])


@pytest.mark.parametrize("name", ["atlas-s", "llama", "gpt2"])
def test_prompt_and_target_are_the_tokens_of_the_sentence(toy_models, name):
    """So that the target is what pretraining knows it as."""
    tokenizer = load_tokenizer(ModelSpec(str(toy_models.get(name, name))))
    rows, _ = prompt_and_target(tokenizer, ["Lyon is a city in "], [" France."])
    expected = encode(tokenizer, ["Lyon is a city in France."])[0]
    assert rows == [[*expected, tokenizer.eos_token_id]]


def test_tokens_across_the_border_are_taken_apart():
    tokenizer = trained()
    whole = tokenizer("Lyon is a city in France")["input_ids"]
    assert len(whole) == 1
    rows, counted = prompt_and_target(tokenizer, PROMPTS[:1], TARGETS[:1])
    assert sum(counted[0]) > 1
    assert tokenizer.decode(rows[0], skip_special_tokens=True) == "Lyon is a city in France"


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_a_long_prompt_loses_its_beginning(toy_models, name):
    tokenizer = load_tokenizer(ModelSpec(str(toy_models[name])))
    long = "red " * 200 + "Lima is in"
    whole = tokenizer(long, verbose=False)["input_ids"]
    row = prompt_rows(tokenizer, [long], most=4)[0]
    assert len(row) == 60
    begin = [tokenizer.bos_token_id] if name == "llama" else []
    assert row == begin + whole[-60 + len(begin) :]
    rows, counted = prompt_and_target(tokenizer, [long], ["Peru"], most=4)
    assert rows[0][: sum(c == 0 for c in counted[0])] == row
    assert len(rows[0]) <= 64


def test_a_long_target_is_cut_and_has_no_end(toy_models):
    tokenizer = load_tokenizer(ModelSpec(str(toy_models["gpt2"])))
    rows, counted = prompt_and_target(tokenizer, ["Lima"], ["a red house stands"], most=3)
    whole = encode(tokenizer, ["Lima a red house stands"])[0]
    assert rows == [whole[: len(rows[0])]]
    assert sum(counted[0]) == 3


def test_no_room_for_a_prompt_is_a_sentence(toy_models):
    tokenizer = load_tokenizer(ModelSpec(str(toy_models["gpt2"])))
    assert len(prompt_rows(tokenizer, ["a red house"], most=62)[0]) == 2
    with pytest.raises(UserError, match=r"reads 64 tokens, .* answers of 63"):
        prompt_rows(tokenizer, ["a red house"], most=63)


def test_a_tokenizer_without_an_end_is_a_sentence(toy_models):
    tokenizer = load_tokenizer(ModelSpec(str(toy_models["gpt2"])))
    tokenizer.eos_token = None
    with pytest.raises(UserError, match="no end-of-text token"):
        prompt_and_target(tokenizer, ["Lima"], ["Peru"])
