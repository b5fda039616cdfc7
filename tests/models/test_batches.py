"""Batching loses no text, keeps the budget, and marks what is padding."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from weak2strong.models.batches import cut, encode, micro_batches, pad

LENGTHS = st.lists(st.integers(1, 60), max_size=50)
CPU = torch.device("cpu")


@given(LENGTHS, st.integers(1, 200))
def test_micro_batches_part_the_positions_within_the_budget(lengths, budget):
    groups = micro_batches(lengths, budget)
    assert sorted(i for g in groups for i in g) == list(range(len(lengths)))
    for group in groups:
        assert len(group) * max(lengths[i] for i in group) <= budget or len(group) == 1


@given(LENGTHS, st.integers(1, 200))
def test_micro_batches_are_of_like_length_and_cannot_be_merged(lengths, budget):
    groups = micro_batches(lengths, budget)
    spans = [(min(lengths[i] for i in g), max(lengths[i] for i in g)) for g in groups]
    for (_, longest), (shortest, _) in pairwise(spans):
        assert longest <= shortest
    # Greedy: the next text would not have fitted.
    for group, following in pairwise(groups):
        assert (len(group) + 1) * lengths[following[0]] > budget


def cost(groups, lengths, launch, floor):
    padded = (len(g) * max(lengths[i] for i in g) for g in groups)
    return sum(max(tokens + launch, floor) for tokens in padded)


def partitions(items):
    """Every way to part a list into groups."""
    if not items:
        yield []
        return
    first, *rest = items
    for parts in partitions(rest):
        yield [[first], *parts]
        for i, part in enumerate(parts):
            yield [*parts[:i], [first, *part], *parts[i + 1 :]]


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=6),
    st.integers(1, 80),
    st.floats(0, 60, allow_nan=False),
    st.sampled_from([0.0, 0.0, 16.0, 64.0]),
)
def test_no_way_to_cut_costs_less(lengths, budget, launch, floor):
    found = cut(lengths, budget, launch, floor)
    assert sorted(i for g in found for i in g) == list(range(len(lengths)))
    for group in found:
        assert len(group) * max(lengths[i] for i in group) <= budget or len(group) == 1
    best = min(
        cost(parts, lengths, launch, floor)
        for parts in partitions(list(range(len(lengths))))
        if all(len(g) == 1 or len(g) * max(lengths[i] for i in g) <= budget for g in parts)
    )
    assert cost(found, lengths, launch, floor) == pytest.approx(best)


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=12), min_size=1, max_size=8))
def test_padding_is_on_the_right_and_masked(rows):
    tokens, mask = pad(rows, 0, CPU)
    assert tokens.shape == mask.shape == (len(rows), max(map(len, rows)))
    assert tokens.dtype == mask.dtype == torch.int64
    for row, line, seen in zip(rows, tokens.tolist(), mask.tolist(), strict=True):
        assert line == row + [0] * (len(line) - len(row))
        assert seen == [1] * len(row) + [0] * (len(line) - len(row))


def test_a_pad_token_inside_a_text_is_not_masked():
    _, mask = pad([[5, 0, 5], [5]], 0, CPU)
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_encoding_keeps_the_start_of_long_texts(toy_models, name):
    tokenizer = AutoTokenizer.from_pretrained(toy_models[name])
    text = "Lyon is a city in France. " * 40
    (whole,) = tokenizer([text], verbose=False)["input_ids"]
    (row,) = encode(tokenizer, [text])
    assert len(whole) > len(row) == 64
    body = row[1:-1] if name == "bert" else row
    begin = 1 if name == "bert" else 0
    assert body == whole[begin : begin + len(body)]
    assert len(encode(tokenizer, [text], limit=7)[0]) == 7


def test_encoding_a_text_does_not_depend_on_the_others(toy_models):
    tokenizer = AutoTokenizer.from_pretrained(toy_models["llama"])
    texts = ["Lyon", "a red house stands beside", "x" * 500, "Où ? 東京"]
    assert encode(tokenizer, texts) == [encode(tokenizer, [t])[0] for t in texts]


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_a_tokenizer_without_a_limit_gets_one(toy_models, name):
    tokenizer = AutoTokenizer.from_pretrained(toy_models[name])
    tokenizer.model_max_length = int(1e30)
    assert len(encode(tokenizer, ["word " * 3000])[0]) == 1024
