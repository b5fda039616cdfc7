"""Texts that say nearly the same: what must not stand in two splits.

A text is taken for the set of its shingles: three neighbouring words each, the
empty positions before its first and after its last word included, so that every
word is in three of them. Case, spacing and sentence punctuation do not count;
other signs (``+``, ``<``, ``%``) are words, and so is every character of a
script that writes no spaces. Two texts are near-duplicates if their sets have a
Jaccard similarity of at least 0.8, with what a template gives them and without.

What follows for short texts: with one word changed, ``n`` words share ``n - 1``
of ``n + 5`` shingles, which is below 0.8 up to 24 words. "Lyon is a city in" and
"Lima is a city in" are different questions, and so are two short texts that
differ in a number; they are near-duplicates only if their words are the same.

What follows for long templates: shingles that more than 1 text in 20 (and more
than 50 texts) share are the template's. Texts must be alike in the rest too, so
a page of instructions around two questions does not make one of them.

The sets are our own since scikit-learn's ``CountVectorizer`` takes 10 times as long to make
them, in 4 times the memory (10,000 texts of 120 words); MinHash, as in datasketch, estimates what
is exact here in about a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.ground.garbage import kept_objects
from weak2strong.tasks.counted import Counted, among
from weak2strong.tasks.same import firsts, sets_of
from weak2strong.tasks.shingles import Shingles, Words
from weak2strong.tasks.splits import normalised

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TEMPLATE_SHARE, TEMPLATE_LEAST = 0.05, 50
"""A shingle is a template's in more than this share of the texts, and more than this many."""

AT_ONCE = 2_000_000
"""Shingles of pairs that are compared in one go, which bounds the memory."""


@kept_objects()
def near_duplicates(texts: Sequence[str], threshold: float = 0.8) -> list[list[int]]:
    """Groups of texts that are linked by near-duplicates, directly or through others.

    Exact: most texts have too few shingles that others have, too, and are not
    looked at again. Of the others, candidates are all pairs that share one of their
    rarest shingles (prefix filtering; Chaudhuri, Ganti and Kaushik 2006, "A Primitive
    Operator for Similarity Joins in Data Cleaning"), and each is compared in full
    unless it is linked already. Texts that are the same but for case and spacing are
    always linked. The order of the texts changes no group.

    Args:
        texts: in any order.
        threshold: least Jaccard similarity, above 0 and at most 1.

    Returns:
        The groups of two or more, each as ascending positions, by first position.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"a Jaccard similarity is above 0 and at most 1, not {threshold}")
    if not texts:
        return []
    links = _Links(firsts(texts, normalised))
    whole, rest = _sets(texts, threshold)
    for i, j in _candidates(rest, threshold, links):
        near = _alike(rest, i, j, threshold)
        i, j = i[near], j[near]
        near = _alike(whole, i, j, threshold)
        links.join(i[near], j[near])
    _, first, number = np.unique(links.component, return_index=True, return_inverse=True)
    return sets_of(first[number])


class _Links:
    """Which texts are linked so far: equal entries of ``component`` say so."""

    def __init__(self, same: np.ndarray):
        self.component = same

    def join(self, i: np.ndarray, j: np.ndarray) -> None:
        """Link text ``i[k]`` with text ``j[k]`` for every k."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        count = len(self.component)
        edges = (np.ones(len(i), dtype=bool), (self.component[i], self.component[j]))
        linked = connected_components(coo_array(edges, shape=(count, count)), directed=False)[1]
        self.component = linked[self.component]


def _sets(texts: Sequence[str], threshold: float) -> tuple[csr_array, csr_array]:
    """The set of every text as a row of 0 and 1, one column a shingle; and the same without those
    of a template.

    Texts of which nothing can be a near-duplicate have empty rows: what few others share with them
    is too little.
    """
    words = Words(texts)
    counted = Counted(words)
    template = counted.template(words, max(TEMPLATE_LEAST, TEMPLATE_SHARE * len(texts)))
    keys, rows, begin = list[np.ndarray](), list[np.ndarray](), 0
    for block in words.shingles_for("leaving texts out"):
        kept = np.repeat(_may_be_alike(block, counted, template, threshold), np.diff(block.ends))
        keys.append(block.keys[kept])
        rows.append(block.texts()[kept].astype(np.int32) + np.int32(begin))
        begin += len(block.ends) - 1
    return _as_rows(np.concatenate(keys), np.concatenate(rows), len(texts), template)


def _may_be_alike(
    block: Shingles, counted: Counted, template: np.ndarray, threshold: float
) -> np.ndarray:
    """Whether each text has enough shingles that others have, too, (texts,).

    Of two sets that are similar enough, each has at least this share of its members in common with
    the other. Members that a text repeats count as those of others do.
    """
    rest = ~among(block.keys, template)
    several = block.sums(rest & counted.several(block.keys))
    alone = block.sums(rest) - several
    return (several > 0) & ((1 - threshold) * several >= threshold * alone - 1e-9)


def _as_rows(
    keys: np.ndarray, rows: np.ndarray, count: int, template: np.ndarray
) -> tuple[csr_array, csr_array]:
    """The sets whose members are keys in rows; and the same without the keys of a template, where
    the members that the fewest texts have come first.
    """
    from scipy.sparse import csr_array

    columns = _ranked(keys)
    shape = (count, int(columns.max(initial=0)) + 1)
    sets = csr_array((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=shape)
    sets.sum_duplicates()
    sets.data[:] = 1
    of_template = np.zeros(shape[1], dtype=bool)
    of_template[columns] = among(keys, template)
    times = np.bincount(sets.indices, minlength=shape[1])
    order = times.argsort(kind="stable")
    rest = sets[:, order[~of_template[order]]]
    rest.sort_indices()
    return sets, rest


def _ranked(values: np.ndarray) -> np.ndarray:
    """The rank of each value among the different ones, (n,) int32.

    As ``np.unique(values, return_inverse=True)`` gives it, in half of its memory.
    """
    order = values.argsort()
    ordered = values[order]
    number = np.zeros(len(values), dtype=np.int32)
    np.cumsum(ordered[1:] != ordered[:-1], out=number[1:])
    del ordered
    ranks = np.empty_like(number)
    ranks[order] = number
    return ranks


def _candidates(
    sets: csr_array, threshold: float, links: _Links
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pairs that may be alike and are not linked yet, in batches.

    The members of each set are sorted, the rarest first. Two sets whose similarity reaches the
    threshold share one of the ``size - ceil(threshold * size) + 1`` rarest members of each.
    """
    sizes = np.diff(sets.indptr)
    # A product such as 0.55 * 100 comes out a little above the whole number that it is.
    prefix = sizes - np.ceil(threshold * sizes - 1e-9).astype(sizes.dtype) + 1
    rank = np.arange(sets.nnz, dtype=sizes.dtype) - np.repeat(sets.indptr[:-1], sizes)
    chosen = np.flatnonzero(rank < np.repeat(prefix, sizes))
    texts = np.searchsorted(sets.indptr, chosen, side="right") - 1
    both = sets.indices[chosen] * np.int64(len(sizes)) + texts
    both.sort()
    shingles, texts = np.divmod(both, len(sizes))
    # Texts that share a shingle lie side by side; pair each with the next one, then with the
    # next but one, and so on. Families of duplicates are linked by the first steps.
    ends = np.searchsorted(shingles, shingles, side="right")
    marks = _marks(sets)
    alive, step, waiting = np.arange(len(texts)), 1, []
    while len(alive := alive[alive + step < ends[alive]]):
        i, j = texts[alive], texts[alive + step]
        kept = links.component[i] != links.component[j]
        i, j = i[kept], j[kept]
        # What two sets differ in, at most, if they are similar enough (so, too, their sizes).
        most = (1 - threshold) / (1 + threshold) * (sizes[i] + sizes[j]) + 1e-9
        kept = np.bitwise_count(marks[i] ^ marks[j]).sum(axis=1) <= most
        waiting.append(np.stack([i[kept], j[kept]]))
        if step == 1 or sum(w.shape[1] for w in waiting) > AT_ONCE:
            yield _distinct(waiting, len(sizes))
            waiting = []
        step += 1
    if waiting:
        yield _distinct(waiting, len(sizes))


def _marks(sets: csr_array) -> np.ndarray:
    """256 bits a set, (n, 4) uint64, of which two sets differ in no more than in their members.

    Each member flips one bit, so a bit tells odd from even (Sandes, Teodoro and
    Melo 2020, "Bitmap Filter: Speeding up Exact Set Similarity Joins").
    """
    sizes = np.diff(sets.indptr)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    word, bit = np.divmod(sets.indices % 256, 64)
    marks = np.zeros((len(sizes), 4), dtype=np.uint64)
    np.bitwise_xor.at(marks, (rows, word), np.uint64(1) << bit.astype(np.uint64))
    return marks


def _distinct(pairs: list[np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs (2, any number) as two arrays, each pair of ``count`` texts once."""
    i, j = np.concatenate(pairs, axis=1)
    return np.divmod(np.unique(i * count + j), count)


def _alike(sets: csr_array, i: np.ndarray, j: np.ndarray, threshold: float) -> np.ndarray:
    """Whether sets ``i[k]`` and ``j[k]`` are similar enough, for every k."""
    sizes = np.diff(sets.indptr)
    both = sizes[i] + sizes[j]
    shared = np.zeros(len(i), dtype=np.int64)
    cuts = np.searchsorted(np.cumsum(both), np.arange(AT_ONCE, both.sum(), AT_ONCE))
    for part in np.split(np.arange(len(i)), np.unique(cuts)):
        shared[part] = sets[i[part]].multiply(sets[j[part]]).sum(axis=1)
    return shared / (both - shared) >= threshold
