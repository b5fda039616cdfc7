"""Whether the draws of a test set, of which intervals are made, hold what a metric needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import NEEDS_EVERY_CLASS, scorer_of, usual_metric
from weak2strong.ground.predictions import WRITTEN
from weak2strong.tasks.task import Example, Task

MISSING = 0.5
"""How many classes an average draw may lack: then half of the draws or more lack none."""


def check_test(task: Task, test: Sequence[Example], metric: str) -> None:
    """Refuse a test set that is too small for a metric that needs every class, or whose targets
    say nothing of what a scorer of texts looks for.

    A bootstrap draws as many groups as there are, and half of its draws must have a score.

    Raises:
        UserError: where an average draw lacks too many classes, or a target says nothing.
    """
    if task.kind in WRITTEN:
        _check_targets(task, test, metric)
    if metric not in NEEDS_EVERY_CLASS or not task.classes:
        return
    groups = defaultdict[object, set[str]](set)
    for e in test:
        groups[e.label].add(e.item.group)
    whole = len(set().union(*groups.values()))
    if sum((1 - len(some) / whole) ** whole for some in groups.values()) < MISSING:
        return
    rarest = min(range(len(task.classes)), key=lambda label: len(groups[label]))
    raise UserError(
        f"The metric {metric} needs every class, and task {task.name} has class "
        f"{task.classes[rarest]!r} in {len(groups[rarest])} of the {whole} groups of its test, too "
        f"few for an interval: take {usual_metric(task.kind)} for the metric, or more test "
        "examples (--n-test, of your own data)."
    )


def _check_targets(task: Task, test: Sequence[Example], metric: str) -> None:
    """Refuse targets that no answer can match."""
    scorer = scorer_of(task.kind, metric)
    empty = [e for e in test if not scorer.accepted((str(e.label), *e.accepted))]
    if empty:
        raise UserError(
            f"The metric {metric} looks for a {scorer.finds}, and {len(empty):,} of the "
            f"{len(test):,} test targets of task {task.name}, such as {str(empty[0].label)!r}, "
            f"have none: take another metric, such as {usual_metric(task.kind)}."
        )
