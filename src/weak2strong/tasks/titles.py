"""Names of classes in a column of their own, as ``label_text`` stands beside ``label`` in SetFit.

The column is believed where nearly all rows of a class have one name and no two classes have the
same; rows with another name are wrong then, so that no row can be read in two ways.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from weak2strong.tasks.labels import MAJORITY
from weak2strong.tasks.spellings import folded
from weak2strong.tasks.tables import is_missing


@dataclass(frozen=True)
class Titles:
    """What a column of names says of the classes.

    Attributes:
        names: of every class, by its label; empty where the column does not name the classes.
        wrong: the positions of rows that have another name than their class, with that name.
        unclear: what does not fit, where the column does not name the classes.
    """

    names: dict[Any, str] = field(default_factory=dict)
    wrong: dict[int, str] = field(default_factory=dict)
    unclear: str = ""


def titles_of(labels: Sequence[Hashable], values: Sequence[Any]) -> Titles:
    """The names of the classes, by a column that may have them.

    Args:
        labels: of all rows, None where a row has none.
        values: what each row has in the column; rows without an entry do not count.
    """
    counts = defaultdict[Any, Counter[str]](Counter)
    of_rows = [None if is_missing(value) else str(value).strip() for value in values]
    for label, name in zip(labels, of_rows, strict=True):
        if label is not None:
            counts[label].update([name] if name else [])
    names: dict[Any, str] = {}
    for label, found in counts.items():
        usual, n = found.most_common(1)[0] if found else ("", 0)
        if not n or n < MAJORITY * found.total():
            others = " and ".join(repr(name) for name, _ in found.most_common(2))
            return Titles(unclear=f"{label!r} has {others or 'no name'}")
        names[label] = usual
    first: dict[str, Any] = {}
    for label, name in names.items():
        if (other := first.setdefault(folded(name), label)) is not label:
            return Titles(unclear=f"{other!r} and {label!r} have {name!r}")
    wrong = {
        i: name
        for i, (label, name) in enumerate(zip(labels, of_rows, strict=True))
        if label is not None and name and folded(name) != folded(names[label])
    }
    return Titles(names, wrong)
