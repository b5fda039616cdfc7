"""How surely a difference would be seen with so many tasks and seeds, as a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.power import (
    MOST_TASKS,
    Components,
    Design,
    components,
    designs,
    smallest_design,
)
from weak2strong.analysis.scores import pgr_scores, seed_differences, student_scores
from weak2strong.ground.errors import UserError
from weak2strong.ground.table import Document, Table, count, counted, number

TASKS = (2, 3, 5, 8, 12, 20, 30, 50)
SEEDS = (1, 2, 3, 5, 10)
SEEDS_OF_ONE_TASK = (2, 3, 5, 8, 12, 20, 30)


@dataclass(frozen=True)
class Question:
    """Which difference a study should detect, with which power, at which variance.

    Attributes:
        difference: the true mean difference.
        what: the score in which there is this difference.
        power: the power that is wanted.
        level: the level of one test.
        two_sided: whether the test is two-sided.
        variance: the variances of the difference.
    """

    difference: float
    what: str
    power: float
    level: float
    two_sided: bool
    variance: Components

    @property
    def table(self) -> list[list[Design]]:
        """The power of all designs; a row has the designs with the same number of tasks."""
        single = self.variance.between is None
        tasks, seeds = ((1,), SEEDS_OF_ONE_TASK) if single else (TASKS, SEEDS)
        return designs(self.difference, tasks, seeds, self.variance, self.level, self.two_sided)

    @property
    def smallest(self) -> Design | None:
        """The design with the fewest trainings, or None."""
        return smallest_design(
            self.difference, self.variance, self.power, self.level, self.two_sided
        )


def variance_seen(
    run: FinishedRun,
    baseline: str = "naive",
    method: str | None = None,
    score: Literal["student", "pgr"] = "pgr",
    metric: str | None = None,
) -> tuple[Components, str]:
    """The variance of the difference of two methods that a run shows, and what it is of.

    Args:
        run: with at least two seeds.
        baseline: the method that the other one is compared with.
        method: that other one; None where the run has just one.
        score: what the difference is in: PGR (on tasks with a gap), or the student's score.
        metric: another metric than the study's.

    Raises:
        UserError: for a name that the run does not have, or too few tasks or seeds.
    """
    metric = metric or run.config.metric or "accuracy"
    others = [m for m in run.config.methods if m != baseline]
    if method is None and len(others) != 1:
        raise UserError(
            f"The run has {len(others)} methods beside {baseline}: choose with --method "
            f"({', '.join(others) or 'run one'})."
        )
    if score == "pgr":
        scores, _ = pgr_scores(run.config, run.cells, run.lines(metric))
    else:
        scores = student_scores(run.config, run.cells, metric)
    if not scores:
        raise UserError(
            "No task of the run has a gap: ask for the student's score with --score student."
        )
    method = method or others[0]
    what = "PGR" if score == "pgr" else f"the student's {metric}"
    differences = seed_differences(scores, method, baseline)
    return components(differences), f"{what}, {method} minus {baseline}"


def power_document(q: Question) -> Document:
    """The variance, the power of each design, and the smallest one."""
    v, rows, smallest = q.variance, q.table, q.smallest
    sides = "two-sided" if q.two_sided else "one-sided"
    seen = f", seen on {counted(v.tasks, 'task')} with {v.seeds} seeds each" if v.tasks else ""
    between = "unknown" if v.between is None else f"{v.between**0.5:.3f}"
    head = [
        f"\nPower to see a mean difference of {q.difference:g} in {q.what}",
        f"Paired t-test over {'seeds' if v.between is None else 'tasks'}, {sides}, "
        f"level {q.level:.3g}.",
        f"Standard deviation of the difference: {between} between tasks, {v.within**0.5:.3f} "
        f"between the seeds of a task{seen}.",
    ]
    columns = [
        count("tasks"),
        *(number(f"seeds_{d.seeds}", counted(d.seeds, "seed"), digits=2) for d in rows[0]),
    ]
    by_tasks = [
        {"tasks": row[0].tasks} | {f"seeds_{d.seeds}": d.power for d in row} for row in rows
    ]
    facts = asdict(q) | {
        "designs": [asdict(d) for row in rows for d in row],
        "smallest": asdict(smallest) if smallest else None,
    }
    return Document([Table("designs", "", columns, by_tasks, _notes(q))], facts, head)


def _notes(q: Question) -> list[str]:
    v, best = q.variance, q.smallest
    if best is None:
        notes = [f"No design of up to {MOST_TASKS:,} tasks and 20 seeds has power {q.power:g}."]
    else:
        notes = [
            f"Smallest design with power {q.power:g}: {counted(best.tasks, 'task')} with "
            f"{counted(best.seeds, 'seed')} each (power {best.power:.2f})."
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
