"""Students against supervisors on trusted labels, in the terminal and as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.compare import p_text, signed
from weak2strong.analysis.trusted import TrustedLine
from weak2strong.analysis.verify import Verified

if TYPE_CHECKING:
    from rich.console import Console

NOTES = (
    "alone right: trusted labels that the student, or its supervisor, alone has right. "
    "difference: of the shares that they have right, with Tango's score interval. p: McNemar's "
    "exact test, two-sided, not corrected for the number of rows.",
    "needed: labels in all with which the test would tell the two apart with chance 0.8, if the "
    "difference is as it looks (a guess as rough as the difference). fit: share of training inputs "
    "on which the student gives its weak label's answer; agrees: share of test inputs on which it "
    "gives its supervisor's. A student that does so nearly everywhere simulates its supervisor.",
)


def verdict(v: Verified, level: float = 0.05) -> str:
    """Whether the student is ``better`` or ``worse``, or that is ``open``."""
    if v.p > level:
        return "open"
    return "better" if v.difference > 0 else "worse"


def print_verified(lines: Sequence[TrustedLine], student_seed: int, console: Console) -> None:
    """Print a row a student, and what the columns are."""
    from weak2strong.report.table import column_table

    n = lines[0].verified.labels
    console.print(
        f"\nIs the student better than its supervisor? {n} trusted test label"
        f"{'' if n == 1 else 's'} a task, seed {student_seed}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    titles = ["task", "method", "student", "floor", "alone right", "difference [95%]", "p"]
    titles += ["student is", "needed", "fit", "agrees"]
    table = column_table(titles, "llrrrrrlrrr")
    for line in lines:
        v = line.verified
        table.add_row(
            line.task,
            line.method,
            f"{v.student:.3f}",
            f"{v.supervisor:.3f}",
            f"{v.student_only} : {v.supervisor_only}",
            f"{signed(v.difference)} [{signed(v.low)}, {signed(v.high)}]",
            p_text(v.p),
            verdict(v),
            "-" if v.settled_by is None else f"{v.settled_by:,}",
            "-" if line.fit is None else f"{line.fit:.3f}",
            f"{line.agreement:.3f}",
        )
    console.print(table)
    notes: list[str] = list(NOTES)
    if any(line.fit is None for line in lines):
        notes.append(
            "fit is not in this run's folder: run its study again with the same --out to add it "
            "(what the store has is not computed again)."
        )
    for note in notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def values(lines: Sequence[TrustedLine]) -> list[dict[str, Any]]:
    """The same as JSON takes it."""
    return [asdict(line) | {"verdict": verdict(line.verified)} for line in lines]
