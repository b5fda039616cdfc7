"""The table of a comparison: a row a method, a sentence a method, and warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from weak2strong.analysis.compare import Compared, Comparison, p_text, signed, test_name
from weak2strong.analysis.over_tasks import OnTheseTasks
from weak2strong.ground.table import (
    Column,
    Document,
    Row,
    Table,
    count,
    counted,
    number_text,
    words,
)

COLUMNS = (
    "Pairs of p-values are one-sided (the method is better) and two-sided. Signed ranks and signs "
    "are exact and leave ties out; dz is the mean difference over its standard deviation."
)

TESTS = {"wilcoxon": "Wilcoxon", "t": "t", "sign": "sign"}


def comparison_document(
    c: Comparison, what: str, on_these: Mapping[str, OnTheseTasks] | None = None
) -> Document:
    """The comparison as a table and sentences.

    Args:
        c: the comparison.
        what: was scored, such as "accuracy of the student".
        on_these: for each method its mean difference for these tasks.
    """
    units = max(len(m.differences) for m in c.compared)
    head = [
        f"\nMethods against {c.baseline} over {units} {c.unit}s: {what}",
        f"Primary test: {test_name(c.test)}, level {c.level:g}, "
        f"Holm over a family of {counted(len(c.family), 'method')}.",
    ]
    columns = [
        words("method"),
        *(count(name) for name in ("wins", "ties", "losses")),
        Column("effect", "difference [95%]", _difference),
        *([Column("on_these_tasks", "these tasks [95%]", _on_these)] if on_these else []),
        Column("dz", "dz", lambda row: number_text(row["effect"]["dz"], 2), detail=True),
        *(Column(name, title, _pair(name), detail=True) for name, title in TESTS.items()),
        Column("adjusted", "Holm p", lambda row: p_text(row["adjusted"])),
    ]
    rows = [_row(m, on_these) for m in c.compared]
    facts = {n: getattr(c, n) for n in ("baseline", "unit", "test", "level", "family")}
    notes = [COLUMNS + _these(on_these), *(m.sentence for m in c.compared)]
    table = Table("compared", "", columns, rows, notes)
    return Document([table], facts | {"score": what}, head, warnings=c.warnings)


def _row(m: Compared, on_these: Mapping[str, OnTheseTasks] | None) -> dict[str, Any]:
    """All that is known of a method, as raw values."""
    row = asdict(m) | {"wins": m.wins, "ties": m.ties, "losses": m.losses}
    if on_these:
        here = on_these[m.method]
        row["on_these_tasks"] = [here.interval.low, here.interval.high]
        row["common_variance"] = here.common
    return row


def _these(on_these: Mapping[str, OnTheseTasks] | None) -> str:
    """How the two intervals of a difference differ."""
    if not on_these:
        return ""
    covers = next(iter(on_these.values())).interval.covers
    return (
        " The difference's interval is over tasks: what other tasks like these would give. "
        f"The one for these tasks is over {covers}, entities drawn once for all."
    )


def _difference(row: Row) -> str:
    e = row["effect"]
    if math.isnan(e["low"]):
        return signed(e["mean"])
    return f"{signed(e['mean'])} [{signed(e['low'])}, {signed(e['high'])}]"


def _on_these(row: Row) -> str:
    low, high = row["on_these_tasks"]
    return f"[{signed(low)}, {signed(high)}]"


def _pair(test: str) -> Any:
    def text(row: Row) -> str:
        p = row["tests"][test]
        return f"{p_text(p['one_sided'])} {p_text(p['two_sided'])}"

    return text
