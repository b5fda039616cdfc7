"""Ranks of written tokens are those of a pass over each text alone."""

import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.models.language import load_language_model
from weak2strong.training.shift import token_ranks

PROMPTS = ["Lyon is a city in", "", "The blue bird sings in the", "Lima", "Quito is"]
ANSWERS = ["France", "Peru. A red house", "", "a blue river", "red"]


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_ranks_are_those_of_a_literal_loop(toy_models, name):
    model = load_language_model(ModelSpec(str(toy_models[name])))
    tokenizer = model.tokenizer
    found = token_ranks(model, PROMPTS, ANSWERS)
    some_rank = set()
    for prompt, answer, ranked in zip(PROMPTS, ANSWERS, found, strict=True):
        row = tokenizer(prompt)["input_ids"] or [tokenizer.pad_token_id]
        space = " " if prompt and answer else ""
        tokens = tokenizer(space + answer, add_special_tokens=False)["input_ids"]
        assert "".join(ranked.tokens) == space + answer
        expected = []
        for token in tokens:
            with torch.no_grad():
                logits = model.network.whole(torch.tensor([row])).logits[0, -1]
            expected.append(sorted(logits.tolist(), reverse=True).index(logits[token].item()) + 1)
            row = [*row, token]
        assert list(ranked.ranks) == expected
        some_rank.update(expected)
    assert found[2].ranks == ()
    assert max(some_rank) > 3
