"""Tokens give the text back, and a stream is the beginning of every longer one."""

from itertools import chain, islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from weak2strong.subjects.atlas.ladder.corpus import sentences
from weak2strong.subjects.atlas.ladder.tokens import END, build_tokenizer, token_stream


@pytest.fixture(scope="module")
def stream(world, tokenizer):
    return token_stream(world, 0, tokenizer, 20_000)


@pytest.fixture(scope="module")
def loaded(tokenizer):
    return AutoTokenizer.from_pretrained(tokenizer)


def test_the_stream_is_the_corpus_with_an_end_before_every_sentence(world, loaded, stream):
    text = loaded.decode(stream.tolist(), skip_special_tokens=False)
    said = chain.from_iterable(sentences(world, 0))
    expected = "".join(END + s for s in islice(said, len(stream)))
    assert expected.startswith(text)
    assert text.startswith(END)
    assert text.count(END) > 1000
    assert (stream == 0).sum() == text.count(END)


def test_a_stream_is_the_beginning_of_every_longer_one(world, tokenizer, stream):
    for count in (1, 2, 17, 5000, 20_000):
        part = token_stream(world, 0, tokenizer, count)
        assert part.dtype == np.uint16
        np.testing.assert_array_equal(part, stream[:count])
    # 10,000 sentences are a chunk: beyond it, too.
    longer = token_stream(world, 0, tokenizer, 200_000)
    assert (longer == 0).sum() > 10_000
    np.testing.assert_array_equal(longer[:20_000], stream)


def test_a_stream_depends_on_its_seed(world, tokenizer, stream):
    other = token_stream(world, 1, tokenizer, 20_000)
    assert (other != stream).mean() > 0.5


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_survives(loaded, text):
    if END in text:
        return
    ids = loaded(text)["input_ids"]
    assert ids[0] == loaded.bos_token_id == 0
    assert loaded.decode(ids[1:], clean_up_tokenization_spaces=False) == text


def test_texts_are_encoded_as_the_stream_encodes_them(loaded, stream):
    first_ends = np.flatnonzero(stream == 0)[:200]
    for begin, end in pairwise(first_ends):
        ids = stream[begin:end].tolist()
        assert loaded(loaded.decode(ids[1:]))["input_ids"] == ids


def test_a_prompt_and_its_answer_are_encoded_alone_as_they_are_together(loaded, world):
    for city in world:
        prompt, answer = f"{city.name} is a city in", f" {city.country.name}."
        apart = loaded(prompt)["input_ids"] + loaded(answer, add_special_tokens=False)["input_ids"]
        assert loaded(prompt + answer)["input_ids"] == apart


def test_special_roles_and_size(loaded):
    assert loaded.bos_token == loaded.eos_token == loaded.pad_token == END
    assert loaded.pad_token_id == 0
    assert loaded.padding_side == "right"
    assert len(loaded) == 320


def test_building_twice_gives_the_same_files(world, tokenizer, tmp_path, small_corpus):
    build_tokenizer(world, 0, 320, 16, tmp_path / "again")
    build_tokenizer(world[:2], 0, 320, 16, tmp_path / "other")
    built = (tokenizer / "tokenizer.json").read_bytes()
    assert (tmp_path / "again" / "tokenizer.json").read_bytes() == built
    assert (tmp_path / "other" / "tokenizer.json").read_bytes() != built
