"""Names of classes that are written in several ways, such as ``Yes``, ``YES`` and ``yes``.

Names that differ in case, spacing and width of characters alone are one class, and so are ``1`` and
``1.0``. Names that differ in
signs between letters, too, stay two, and a user is told.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from weak2strong.tasks.readers import listed

_SIGNS = re.compile(r"(?<=[^\W\d_])[\s_-]+(?=[^\W\d_])|(?<=[^\W\d_])[.!]+$")
"""Signs between letters or at the end, by which two names of one class may differ."""

_WHOLE = re.compile(r"^(-?\d+)\.0+$")
"""A whole number with zeros behind it, as a table writes it whose column has a missing value."""


def folded(name: str) -> str:
    """A name in the form in which spellings of one class are the same."""
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return _WHOLE.sub(r"\1", plain)


def one_spelling(counts: Mapping[str, int]) -> dict[str, str]:
    """By each spelling that of its class: the most frequent one, the first of equal ones.

    Args:
        counts: how many rows have each spelling.
    """
    together = defaultdict[str, list[str]](list)
    for name in sorted(counts):
        together[folded(name)].append(name)
    return {
        name: max(spellings, key=lambda spelling: counts[spelling])
        for spellings in together.values()
        for name in spellings
    }


def merged_sentence(spelling: Mapping[str, str], column: str) -> tuple[str, ...]:
    """The sentence on spellings that were read as one class, if there are any."""
    others = defaultdict[str, list[str]](list)
    for name, chosen in spelling.items():
        if name != chosen:
            others[chosen].append(name)
    if not others:
        return ()
    cases = [f"{listed([*map(repr, names)])} as {name!r}" for name, names in others.items()]
    return (
        f"Spellings of one class in column {column!r} are read as one: {'; '.join(cases)}. Where "
        "they are meant as several classes, give them names that differ in more than case.",
    )


def alike_sentence(classes: Sequence[str], column: str) -> tuple[str, ...]:
    """The sentence on classes whose names differ in signs between letters alone."""
    pairs = [names for names in _alike(classes) if len(names) > 1]
    if not pairs:
        return ()
    cases = "; ".join(" and ".join(map(repr, names)) for names in pairs)
    return (
        f"Classes in column {column!r} have names that are nearly the same, and stay several: "
        f"{cases}. Write one spelling where one class is meant.",
    )


def _alike(classes: Iterable[str]) -> list[list[str]]:
    found = defaultdict[str, list[str]](list)
    for name in classes:
        found[_SIGNS.sub("", folded(name))].append(name)
    return list(found.values())
