"""What students made of their supervisor's answers, on single examples with their texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from weak2strong.analysis.finished import FinishedRun
from weak2strong.engine.examples import (
    CORRECTED,
    ERRED,
    IMITATED,
    LONGEST,
    LOST,
    OUTCOMES,
    outcomes,
)
from weak2strong.tasks import PICTURES

SHOWN = 4
"""Examples a task and outcome on a page."""

NOTHING = "(nothing)"
"""Stands for an empty text."""

TITLES = {
    CORRECTED: "Students corrected the supervisor",
    IMITATED: "Students imitated its error",
    LOST: "Students lost a right label",
    ERRED: "Students made an error of their own",
}


@dataclass(frozen=True)
class Case:
    """One example.

    Attributes:
        id: its own.
        texts: what a model reads, each cut to `LONGEST` characters.
        cut: whether some text was.
        truth: name of its class, or the texts that count as right.
        supervisor: name of the class that the supervisor gave, or what it wrote.
        student: likewise, of the first of the methods.
        methods: whose students did so.
    """

    id: str
    texts: tuple[str, ...]
    cut: bool
    truth: str
    supervisor: str
    student: str
    methods: tuple[str, ...]

    @property
    def pictures(self) -> tuple[Markup, ...]:
        """The texts as pictures, as far as a subject draws them."""
        drawn = (PICTURES.get(name)(text) for text in self.texts for name in PICTURES)
        return tuple(Markup(svg) for svg in drawn if svg)


def cases(run: FinishedRun) -> dict[str, dict[str, list[Case]]]:
    """Examples by task and outcome; empty where the run kept no texts.

    Errors of one's own are left out where there are none: of two classes there cannot be any.
    """
    if run.examples is None:
        return {}
    kept = run.examples.drop_nulls("texts")
    texts = {(task, id): tuple(t) for task, id, t in kept.select("task", "id", "texts").iter_rows()}
    classes = {task["name"]: task["classes"] for task in run.tasks}
    found = {task: {outcome: list[Case]() for outcome in OUTCOMES} for task in run.by_task}
    for row in outcomes(run.predictions, run.config.metric).iter_rows(named=True):
        place = found[row["task"]][row["outcome"]]
        at = (row["task"], row["id"])
        if len(place) < SHOWN and at in texts:
            names = classes.get(row["task"])
            place.append(
                Case(
                    id=row["id"],
                    texts=texts[at],
                    cut=any(len(t) >= LONGEST for t in texts[at]),
                    truth=_shown(names, row["label"]),
                    supervisor=_shown(names, row["supervisor"]),
                    student=_shown(names, row["student"]),
                    methods=tuple(row["methods"]),
                )
            )
    for of_task in found.values():
        if not of_task[ERRED]:
            del of_task[ERRED]
    return found


def _shown(classes: Sequence[str] | None, answer: Any) -> str:
    """A class by its name, a text as it was written, and several of which any counts."""
    if isinstance(answer, list):
        return " or ".join(answer)
    if isinstance(answer, str):
        return answer.strip() or NOTHING
    return str(classes[answer]) if classes and answer < len(classes) else str(answer)
