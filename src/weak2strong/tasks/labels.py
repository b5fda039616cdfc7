"""Labels as a file has them, and the classes that they are.

Names are classes in sorted order (see `weak2strong.tasks.spellings` for those with several
spellings), truth values are ``false`` and ``true``, and whole numbers are
classes in their order, called by the numbers or by the names that the format gives them. Classes
that have an order, such as stars, stay classes: nothing in a study knows their order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.readers import listed
from weak2strong.tasks.spellings import alike_sentence, merged_sentence, one_spelling

Label = str | int | bool

NO_LABEL = -1
"""What data have in place of a class whose label is not public, as the test splits of GLUE do."""

MAJORITY = 0.95
"""Share of the labels of one type from which on others are wrong, and not the whole column."""


@dataclass(frozen=True)
class Coded:
    """Labels as indices of classes.

    Attributes:
        classes: their names.
        indices: the class of every label; None where there is no label.
        wrong: what is wrong with a label that is none of the classes, by its position.
        said: what a user should know.
    """

    classes: tuple[str, ...]
    indices: tuple[int | None, ...]
    wrong: dict[int, str]
    said: tuple[str, ...] = ()


def coded(
    labels: Sequence[Label],
    column: str,
    about: str,
    named: tuple[str, ...] = (),
) -> Coded:
    """Labels as classes.

    Args:
        labels: of all rows, at least one.
        column: that they are in, for messages.
        about: what messages call the data.
        named: the names of the classes, where the format gives them.

    Raises:
        UserError: where they are no classes.
    """
    kind = _usual_type(labels)
    wrong = {
        i: f"has the label {label!r} where others are {_SORTS[kind]}"
        for i, label in enumerate(labels)
        if type(label) is not kind
    }
    right = [label for label in labels if type(label) is kind]
    if kind is str:
        titles = _names(right, named)
    elif kind is bool:
        titles = {value: str(value).lower() for value in sorted({*right})}
    else:
        titles = _numbers(right, named)
        if named:
            wrong |= {
                i: f"has the label {label}, and the classes of column {column!r} are "
                f"0 to {len(named) - 1}"
                for i, label in enumerate(labels)
                if type(label) is kind and label not in titles and label != NO_LABEL
            }
    if not titles:
        raise UserError(
            f"{about} has {NO_LABEL} in every row of column {column!r}, which stands for no label: "
            "choose a split or a file with labels."
        )
    classes = tuple(dict.fromkeys(titles.values()))
    place = {title: i for i, title in enumerate(classes)}
    index = {label: place[title] for label, title in titles.items()}
    # A truth value equals a number.
    indices = [index.get(label) if type(label) is kind else None for label in labels]
    return Coded(classes, tuple(indices), wrong, _said(titles, column, named))


def typed_together(labels: Sequence[Label], of_text: Sequence[bool]) -> list[Label]:
    """Labels of several files as if all formats knew types.

    Those of formats that know texts only are numbers or truth values where nearly all of them look
    so, unless the other files have names.

    Args:
        labels: of all rows.
        of_text: of each, whether its format knows texts only.
    """
    others = [label for label, text in zip(labels, of_text, strict=True) if not text]
    if not any(of_text) or (others and _usual_type(others) is str):
        return list(labels)
    read = iter(typed([label for label, text in zip(labels, of_text, strict=True) if text]))
    return [next(read) if text else label for label, text in zip(labels, of_text, strict=True)]


def _usual_type(labels: Sequence[Label]) -> type:
    return Counter(map(type, labels)).most_common(1)[0][0]


def typed(labels: Sequence[Label]) -> list[Label]:
    """Labels of a format that knows texts only: numbers or truth values where nearly all look so.

    What is left as a text then has another type than the others.
    """
    texts = [str(label) for label in labels]
    for fits, value in (
        (_WHOLE.fullmatch, lambda text: int(text.partition(".")[0])),
        (_TRUTH.fullmatch, lambda text: text.lower() == "true"),
    ):
        if sum(map(bool, map(fits, texts))) >= MAJORITY * len(texts):
            return [value(text) if fits(text) else text for text in texts]
    return list(texts)


_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)(\.0+)?")
_TRUTH = re.compile("true|false", re.IGNORECASE)
_SORTS = {str: "names", int: "numbers", bool: "true or false"}


def _names(labels: Sequence[Any], named: tuple[str, ...]) -> dict[Any, str]:
    """Names in the order that the format gives, or in sorted order, by their spellings."""
    found = Counter(labels)
    if found.keys() <= {*named}:
        return {name: name for name in named if name in found}
    spelling = one_spelling(found)
    return {name: spelling[name] for name in sorted(found, key=lambda name: (spelling[name], name))}


def _numbers(labels: Sequence[Any], named: tuple[str, ...]) -> dict[Any, str]:
    """Numbers in their order, and what they are called; not the one that is no label."""
    found = {*labels}
    if named:
        return {n: str(named[n]) for n in sorted(found) if 0 <= n < len(named)}
    others = found - {NO_LABEL}
    # -1, 0 and 1 are three classes more often than two.
    if found == {NO_LABEL}:
        return {}
    if others == {*range(len(others))} and len(others) > 2:
        found = others
    return {n: str(n) for n in sorted(found)}


def _said(titles: dict[Any, str], column: str, named: tuple[str, ...]) -> tuple[str, ...]:
    """What a user should know of names with several spellings, or of numbers.

    Numbers may be called otherwise, or be none of 0, 1, 2 ...
    """
    if all(isinstance(label, str) for label in titles):
        alike = alike_sentence(tuple(dict.fromkeys(titles.values())), column)
        return (*merged_sentence(titles, column), *alike)
    numbers = [n for n in titles if isinstance(n, int) and not isinstance(n, bool)]
    if not numbers:
        return ()
    if named:
        calls = listed([f"{n} is {title}" for n, title in titles.items()])
        return (f"The file names the classes in column {column!r}: {calls}.",)
    if numbers == [*range(len(numbers))]:
        return ()
    return (
        f"The labels in column {column!r} are {len(numbers)} classes, "
        f"{listed([*map(str, numbers)])}, which are learnt as classes without an order.",
    )
