"""Power of designs in the terminal, and as plain values for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.power import MOST_TASKS, Components, Design, designs, smallest_design

if TYPE_CHECKING:
    from rich.console import Console

TASKS = (2, 3, 5, 8, 12, 20, 30, 50)
SEEDS = (1, 2, 3, 5, 10)
SEEDS_OF_ONE_TASK = (2, 3, 5, 8, 12, 20, 30)


@dataclass(frozen=True)
class Question:
    """What is to be seen, how surely, and at which variance.

    Attributes:
        difference: true mean difference.
        what: it is a difference in.
        power: wanted.
        level: of one test.
        two_sided: whether it is.
        variance: of the difference.
    """

    difference: float
    what: str
    power: float
    level: float
    two_sided: bool
    variance: Components

    @property
    def table(self) -> list[list[Design]]:
        """Designs, a row a number of tasks."""
        one = self.variance.between is None
        tasks, seeds = ((1,), SEEDS_OF_ONE_TASK) if one else (TASKS, SEEDS)
        return designs(self.difference, tasks, seeds, self.variance, self.level, self.two_sided)

    @property
    def smallest(self) -> Design | None:
        """The design with the fewest trainings, or None."""
        return smallest_design(
            self.difference, self.variance, self.power, self.level, self.two_sided
        )


def print_power(q: Question, console: Console) -> None:
    """Print the variance, the power of each design, and the smallest one."""
    from weak2strong.report.table import column_table

    v, rows = q.variance, q.table
    sides = "two-sided" if q.two_sided else "one-sided"
    seen = f", seen on {v.tasks} task{'' if v.tasks == 1 else 's'} with {v.seeds} seeds each"
    between = "unknown" if v.between is None else f"{v.between**0.5:.3f}"
    for text in (
        f"\nPower to see a mean difference of {q.difference:g} in {q.what}",
        f"Paired t-test over {'seeds' if v.between is None else 'tasks'}, {sides}, "
        f"level {q.level:.3g}.",
        f"Standard deviation of the difference: {between} between tasks, {v.within**0.5:.3f} "
        f"between the seeds of a task{seen if v.tasks else ''}.",
    ):
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    titles = ["tasks", *(f"{d.seeds} seed{'' if d.seeds == 1 else 's'}" for d in rows[0])]
    table = column_table(titles, "r" * len(titles))
    for row in rows:
        table.add_row(str(row[0].tasks), *(f"{d.power:.2f}" for d in row))
    console.print(table)
    for note in _notes(q):
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def values(q: Question) -> dict[str, Any]:
    """The same as JSON takes it."""
    smallest = q.smallest
    return asdict(q) | {
        "designs": [asdict(d) for row in q.table for d in row],
        "smallest": asdict(smallest) if smallest else None,
    }


def _notes(q: Question) -> list[str]:
    v, best = q.variance, q.smallest
    if best is None:
        notes = [f"No design of up to {MOST_TASKS:,} tasks and 20 seeds has power {q.power:g}."]
    else:
        notes = [
            f"Smallest design with power {q.power:g}: {best.tasks} task"
            f"{'' if best.tasks == 1 else 's'} with {best.seeds} seed"
            f"{'' if best.seeds == 1 else 's'} each (power {best.power:.2f})."
        ]
    if v.between is not None:
        notes.append(
            "Where differences are normal, the signed-rank test needs about a twentieth more tasks."
        )
    if v.between is None:
        notes.append(
            "One task: its seeds are the units, and the answer holds for this task alone; "
            "how tasks differ cannot be seen on one."
        )
    elif v.tasks and v.tasks < 10:
        notes.append(
            f"The variance between tasks is itself a rough estimate from {v.tasks} tasks: "
            "plan with a margin."
        )
    return notes
