"""The shingles of many texts: three neighbouring words each, as one number.

The empty positions before the first and after the last word of a text are words, too, so that
every word is in three shingles. What a word is says `weak2strong.tasks.duplicates`.

Words are found by Arrow in plain texts, many at a time, which takes a fifth of the time of a
regular expression a text; other texts have letters that it does not fold as Python does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.ground.watched import watched

BLOCK = 20_000
"""Texts that are looked at in one go."""

# Thai to Lao, Burmese, Khmer, kana, and Chinese characters: written without spaces.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_PUNCTUATION = r".,;:!?…'\"‘’“”«»()\[\]{}¿¡。、，？！：；"
_WORDS = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[^\w\s{_PUNCTUATION}]")

_PLAIN = [chr(byte) for byte in range(128)]
_SIGNS = "".join(rf"\x{ord(c):02x}" for c in _PLAIN if re.fullmatch(r"\W", c) and _WORDS.match(c))
"""The plain characters that are words by themselves, for a regular expression."""

_BETWEEN, _END = b" \xff \xff ", "."
"""What stands between two texts while they are one, a byte that no text has; and what becomes of
it when punctuation has been taken out: a word that no text has."""

_FOLDED = bytes(
    [ord(c.lower() if _WORDS.match(c) else " ") for c in _PLAIN] + [*range(128, 255), ord(_END)]
)
"""What becomes of each byte."""

EXACT = 2**64
"""How many keys there are: of fewer triples of words, each has a key of its own."""

MIXING = np.uint64(0x9E3779B97F4A7C15)
"""An odd number without a pattern, by which numbers are spread over all of their bits."""


@dataclass(frozen=True, eq=False)
class Shingles:
    """The shingles of some texts that follow each other.

    Attributes:
        keys: (shingles,) uint64, text by text. A text without words has none, and equal keys are
            equal shingles.
        ends: (texts + 1,), where each text ends, behind a zero.
    """

    keys: np.ndarray
    ends: np.ndarray

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The sum of a value for each shingle, by text, (texts,)."""
        total = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
        return np.diff(total[self.ends])

    def texts(self) -> np.ndarray:
        """The position of the text of each shingle, (shingles,)."""
        return np.repeat(np.arange(len(self.ends) - 1), np.diff(self.ends))


class Words:
    """The words of texts as numbers.

    Where there are more than 2.6 million different words, two different shingles may have one key,
    each pair with a chance of one in 2^64.
    """

    def __init__(self, texts: Sequence[str]):
        numbers = defaultdict[str, int]()
        numbers.default_factory = numbers.__len__
        _ = numbers[_END]
        begins = range(0, len(texts), BLOCK)
        self._blocks = [
            _numbered(texts[begin : begin + BLOCK], numbers)
            for begin in watched(begins, "near-duplicates: finding words", len(begins))
        ]
        base = len(numbers)
        self._base = np.uint64(base) if base**3 < EXACT else MIXING
        self.count = sum(map(len, self._blocks))

    def shingles_for(self, what: str) -> Iterator[Shingles]:
        """The shingles of `BLOCK` texts at a time; ``what`` is done, for the progress shown."""
        for words in watched(self._blocks, f"near-duplicates: {what}", len(self._blocks)):
            first = words[:-2].astype(np.uint64)
            keys = (first * self._base + words[1:-1].astype(np.uint64)) * self._base
            keys += words[2:].astype(np.uint64)
            # Of two zeros, the first one ends the shingles of a text, but those of no words.
            ends = np.flatnonzero(words == 0)[::2]
            there = keys != 0
            before = np.concatenate([[0], np.cumsum(there)])
            yield Shingles(keys[there], before[ends])


def _numbered(texts: Sequence[str], numbers: defaultdict[str, int]) -> np.ndarray:
    """The numbers of the words of texts, with two zeros before, between and behind texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    each = [
        text.encode() if text.isascii() else " ".join(_WORDS.findall(text.casefold())).encode()
        for text in texts
    ]
    whole = _BETWEEN.join([b"", *each, b""]).translate(_FOLDED)
    apart = pc.replace_substring_regex(  # pyright: ignore[reportAttributeAccessIssue]
        pa.array([whole], pa.binary()), pattern=f"[{_SIGNS}]", replacement=r" \0 "
    )
    split = pc.ascii_split_whitespace  # pyright: ignore[reportAttributeAccessIssue]
    words = split(apart.cast(pa.string())).flatten()
    coded = words.dictionary_encode()
    # What is new gets the next number; 0 is for empty positions. Spaces at both ends are no words.
    known = np.array([numbers[word] for word in coded.dictionary.to_pylist()], dtype=np.int32)
    return known[coded.indices.to_numpy()[1:-1]]
