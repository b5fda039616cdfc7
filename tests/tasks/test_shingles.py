"""Shingles and what is counted of them, beside a regular expression and Python's own sets."""

from collections import Counter
from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.tasks import counted, duplicates, shingles
from weak2strong.tasks.counted import Counted, among
from weak2strong.tasks.shingles import Words

# Plain letters, signs, punctuation, control characters and spaces; and letters that fold oddly,
# a script without spaces, and a mark that is a part of no word.
PLAIN = "aBc1_ +-<%.'(\x00\x1c\x7f\n\t"
ODD = "ßİé里ภ…\u00a0\u0301"
TEXTS = st.lists(
    st.one_of(st.text(PLAIN, max_size=9), st.text(PLAIN + ODD, max_size=9)), max_size=12
)


def triples(text):
    words = ["", "", *shingles._WORDS.findall(text.casefold()), "", ""]
    found = [tuple(words[i : i + 3]) for i in range(len(words) - 2)]
    return [] if len(words) == 4 else found


def by_text(texts):
    """The keys of every text, from all blocks."""
    return [
        block.keys[begin:end].tolist()
        for block in Words(texts).shingles_for("test")
        for begin, end in pairwise(block.ends.tolist())
    ]


@pytest.mark.parametrize("mixed", [False, True])
@given(texts=TEXTS)
def test_shingles_are_three_neighbouring_words(mixed, texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shingles, "BLOCK", 3)
        if mixed:
            # As if there were more words than three of which fit into a key.
            patch.setattr(shingles, "EXACT", 1)
        keys = by_text(texts)
    literal = [triples(text) for text in texts]
    assert [*map(len, keys)] == [*map(len, literal)]
    named = dict(zip(chain(*literal), chain(*keys), strict=True))
    assert [[named[t] for t in text] for text in literal] == keys
    assert len({*named.values()}) == len(named)


def test_a_block_knows_the_texts_of_its_shingles():
    block = next(Words(["a b", "", "c"]).shingles_for("test"))
    assert block.texts().tolist() == [0, 0, 0, 0, 2, 2, 2]
    assert block.sums(np.arange(7)).tolist() == [6, 0, 15]


@pytest.mark.parametrize("coarse", [3, 20])
@given(texts=TEXTS, most=st.integers(0, 4))
def test_what_is_alone_is_alone_and_a_template_is_counted_exactly(coarse, texts, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shingles, "BLOCK", 3)
        patch.setattr(counted, "COARSE", coarse)
        words, keys = Words(texts), by_text(texts)
        known = Counted(words)
        times = Counter(chain(*keys))
        for key, count in times.items():
            assert known.several(np.array([key], dtype=np.uint64))[0] or count == 1
        having = Counter(key for text in keys for key in {*text})
        template = known.template(words, most)
    assert template.tolist() == sorted(key for key, n in having.items() if n > most)
    for text in keys:
        found = among(np.array(text, dtype=np.uint64), template).tolist()
        assert found == [having[key] > most for key in text]


def test_most_texts_that_nothing_is_like_are_not_compared(monkeypatch):
    """Whoever compares all of them needs many times the memory."""
    dice = np.random.default_rng(0)
    texts = [" ".join(f"w{n}" for n in dice.integers(0, 5000, 30)) for _ in range(500)]
    seen = []
    whole = duplicates._as_rows

    def rows(keys, rows, count, template):
        seen.append(len({*rows.tolist()}))
        return whole(keys, rows, count, template)

    monkeypatch.setattr(duplicates, "_as_rows", rows)
    assert duplicates.near_duplicates([*texts, texts[7] + " more"]) == [[7, 500]]
    assert 2 <= seen[0] < 25
