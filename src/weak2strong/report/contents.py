"""The splits of a task, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from weak2strong.engine.contents import Contents
from weak2strong.ground.table import Column, Document, Row, Table, words

FEW = 4
"""Classes up to which the share of each is written."""


def contents_document(task: Contents) -> Document:
    """Where a task is from, what was left out, and a row a split."""
    head = [f"{task.name}: {task.source}"]
    head += [sentence for account in task.accounts for sentence in account.sentences()]
    head += task.cleaning.sentences() if task.cleaning else ()
    head += task.beginnings.sentences() if task.beginnings else ()
    read = [sentence for reading in task.read for sentence in reading.sentences()]
    columns = [
        Column(name, name.replace("_", " "), _text(name, text), side, detail=name in DETAILS)
        for name, (side, text) in COLUMNS.items()
        if task.splits[0][name] is not None
    ]
    rows = [{"task": task.name, **row} for row in task.splits]
    about = {n: getattr(task, n) for n in ("name", "reference", "source", "licence", "classes")}
    facts = {"tasks": [about | {"cleaning": head[1:], "read": read}]}
    return Document([Table("splits", "", [words("split"), *columns], rows)], facts, [*head, *read])


def _text(name: str, text: Callable[[Any], str]) -> Callable[[Row], str]:
    return lambda row: text(row[name])


def _balance(classes: Mapping[str, float]) -> str:
    """The share of each class, or of the rarest and the most frequent of many."""
    if len(classes) <= FEW:
        return ", ".join(f"{name} {share:.1%}" for name, share in classes.items())
    low, high = (f"{pick(classes.values()):.1%}" for pick in (min, max))
    return f"{len(classes)} classes, {low} to {high}"


def _number(value: float) -> str:
    return f"{value:,}".removesuffix(".0")


def _share(value: float) -> str:
    return f"{value:.1%}"


COLUMNS: Mapping[str, tuple[Any, Callable[[Any], str]]] = {
    "examples": ("right", _number),
    "groups": ("right", _number),
    "classes": ("left", _balance),
    "median_tokens": ("right", _number),
    "longest_tokens": ("right", _number),
    "truncated": ("right", _share),
}
"""The columns, with their sides and texts. A column without any value is left out."""

DETAILS = ("median_tokens", "longest_tokens", "truncated")
