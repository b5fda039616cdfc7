"""What the store holds, as tables: in what results differ, and why a study makes some anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from weak2strong.engine.explain import Explained, Missing
from weak2strong.ground.store import Entry
from weak2strong.ground.store.differences import Difference
from weak2strong.ground.table import DASH, Column, Document, Row, Table, counted

SHOWN = 12
"""Digits of a key, and of a digest, that people see."""

PIECES = 5
"""Pieces of source that people see of two results; JSON has all of them."""


def difference_document(one: Entry, other: Entry, differ: Sequence[Difference]) -> Document:
    """In what two stored results differ."""
    names = [f"{entry.stage} {entry.key[:SHOWN]}" for entry in (one, other)]
    head = [f"{names[0]} and {names[1]} differ in {counted(len(differ), 'input')}."]
    if not differ:
        head = [f"{names[0]} and {names[1]} have the same inputs."]
    facts = {
        "stage": one.stage,
        "one": one.key,
        "other": other.key,
        "differences": [asdict(difference) for difference in differ],
    }
    columns = [_value("input"), _value("one", names[0]), _value("other", names[1])]
    rows = [asdict(difference) for difference in _shortened(differ)]
    return Document([Table("differences", "", columns, rows)] if rows else [], facts, head)


def explained_document(explained: Explained) -> Document:
    """Which stages a study would make anew, and how they differ from the nearest stored ones."""
    found, missing = explained.found, explained.missing
    steps = len(found) + sum(len(stage.steps) for stage in missing)
    head = [
        f"The store {explained.root} has {len(found):,} of {counted(steps, 'step')}; nothing is "
        "made.",
    ]
    rows, gaps = [], []
    for stage in missing:
        gaps.append(len(rows))
        rows += _rows_of(stage)
    columns = [
        _value("stage", "would be made"),
        _value("input", "differs in"),
        _value("one", "stored"),
        _value("other", "asked for"),
    ]
    notes = [
        "Each is compared with the stored result of its stage that differs least. What is made of "
        "it later, such as a student of its labels, cannot be looked up before it is there."
    ]
    facts = {"found": list(found), "missing": [asdict(stage) for stage in missing]}
    table = Table("missing", "", columns, rows, gaps=gaps[1:])
    return Document([table] if rows else [], facts, head, notes if rows else [])


def _rows_of(stage: Missing) -> list[Row]:
    """A row a difference; beside the first two stands which stage it is, and for which steps."""
    first, *others = stage.steps
    about = [
        f"{stage.stage} {stage.key[:SHOWN]}",
        f"  for {first}" + (f" and {counted(len(others), 'more step')}" if others else ""),
    ]
    differ = [asdict(difference) for difference in _shortened(stage.differences)]
    if stage.nearest is None:
        differ = [{"input": "no result of this stage is stored"}]
    return [{"stage": text or "", **(row or {})} for text, row in zip_longest(about, differ)]


def _shortened(differ: Sequence[Difference]) -> list[Difference]:
    """The differences with few pieces of source, and a line for the others."""
    code = [d for d in differ if d.input.startswith("code.")]
    left_out = code[PIECES:]
    shown = [d for d in differ if d not in left_out]
    if left_out:
        shown.append(Difference(f"and {len(left_out):,} more of the code", "", ""))
    return shown


def _value(name: str, title: str | None = None) -> Column:
    """A column of values; a row that does not have the field is empty there."""
    return Column(
        name,
        title or name,
        lambda row: _text(row[name]) if row.get(name, "") != "" else "",
        align="left",
        wraps=True,
    )


def _text(value: Any) -> str:
    if value is None:
        return DASH
    if isinstance(value, str) and re.fullmatch("[0-9a-f]{16}|[0-9a-f]{64}", value):
        return value[:SHOWN]
    return str(value)
