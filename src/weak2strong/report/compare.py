"""A comparison of methods in the terminal, and as plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.compare import Compared, Comparison, p_text, signed, test_name
from weak2strong.analysis.over_tasks import OnTheseTasks
from weak2strong.analysis.paired import PValues

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = (
    "Pairs of p-values are one-sided (the method is better) and two-sided. Signed ranks and signs "
    "are exact and leave ties out; dz is the mean difference over its standard deviation."
)


def print_comparison(
    c: Comparison, what: str, console: Console, on_these: Mapping[str, OnTheseTasks] | None = None
) -> None:
    """Print a row a method, a sentence a method, and warnings.

    Args:
        c: the comparison.
        what: was scored, such as "accuracy of the student".
        console: where to print.
        on_these: for each method its mean difference for these tasks.
    """
    from weak2strong.report.table import column_table

    units = max(len(m.differences) for m in c.compared)
    family = f"{len(c.family)} method{'' if len(c.family) == 1 else 's'}"
    for text in (
        f"\nMethods against {c.baseline} over {units} {c.unit}s: {what}",
        f"Primary test: {test_name(c.test)}, level {c.level:g}, Holm over a family of {family}.",
    ):
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    titles = ["method", "wins", "ties", "losses", "difference [95%]"]
    titles += ["these tasks [95%]"] if on_these else []
    titles += ["dz", "Wilcoxon", "t", "sign", "Holm p"]
    table = column_table(titles, "l" + "r" * (len(titles) - 1))
    for m in c.compared:
        cells = [m.method, *map(str, (m.wins, m.ties, m.losses)), _difference(m)]
        if on_these:
            i = on_these[m.method].interval
            cells.append(f"[{signed(i.low)}, {signed(i.high)}]")
        cells.append("-" if math.isnan(m.effect.dz) else f"{m.effect.dz:.2f}")
        cells += [_pair(m.tests[name]) for name in ("wilcoxon", "t", "sign")]
        table.add_row(*cells, p_text(m.adjusted))
    console.print(table)
    these = ""
    if on_these:
        covers = next(iter(on_these.values())).interval.covers
        these = (
            " The difference's interval is over tasks: what other tasks like these would give. "
            f"The one for these tasks is over {covers}, entities drawn once for all."
        )
    notes = [COLUMNS + these, *(m.sentence for m in c.compared)]
    for note in (*notes, *(f"warning: {text}" for text in c.warnings)):
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def comparison_values(
    c: Comparison, what: str, on_these: Mapping[str, OnTheseTasks] | None = None
) -> dict[str, Any]:
    """The comparison as JSON takes it: numbers that are not defined are null."""
    rows = []
    for m in c.compared:
        row = asdict(m) | {"wins": m.wins, "ties": m.ties, "losses": m.losses}
        if on_these:
            here = on_these[m.method]
            row["on_these_tasks"] = [here.interval.low, here.interval.high]
            row["common_variance"] = here.common
        rows.append(row)
    return defined(asdict(c) | {"score": what, "compared": rows})


def defined(value: Any) -> Any:
    """A plain value with None for every number that is nan."""
    if isinstance(value, dict):
        return {key: defined(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [defined(v) for v in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _difference(m: Compared) -> str:
    e = m.effect
    if math.isnan(e.low):
        return signed(e.mean)
    return f"{signed(e.mean)} [{signed(e.low)}, {signed(e.high)}]"


def _pair(p: PValues) -> str:
    return f"{p_text(p.one_sided)} {p_text(p.two_sided)}"
