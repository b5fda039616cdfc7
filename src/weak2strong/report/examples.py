"""What students made of their supervisor's answers, on single examples with their texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from weak2strong.report.boards import picture
from weak2strong.report.finished import Finished
from weak2strong.study.examples import CORRECTED, IMITATED, LONGEST, LOST, OUTCOMES, outcomes

SHOWN = 4
"""Examples a task and outcome on a page."""

TITLES = {
    CORRECTED: "Students corrected the supervisor",
    IMITATED: "Students imitated its error",
    LOST: "Students lost a right label",
}


@dataclass(frozen=True)
class Case:
    """One example.

    Attributes:
        id: its own.
        texts: what a model reads, each cut to `LONGEST` characters.
        cut: whether some text was.
        truth: name of its class.
        supervisor: name of the class that the supervisor gave.
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
    def boards(self) -> tuple[Markup, ...]:
        """Pictures of the texts that are chess positions."""
        found = (picture(text) for text in self.texts)
        return tuple(Markup(svg) for svg in found if svg)


def cases(run: Finished) -> dict[str, dict[str, list[Case]]]:
    """Examples by task and outcome; empty where the run kept no texts."""
    if run.examples is None or not run.has_classes:
        return {}
    kept = run.examples.drop_nulls("texts")
    texts = {(task, id): tuple(t) for task, id, t in kept.select("task", "id", "texts").iter_rows()}
    classes = {task["name"]: task["classes"] for task in run.tasks}
    found = {task: {outcome: list[Case]() for outcome in OUTCOMES} for task in run.by_task}
    for row in outcomes(run.predictions).iter_rows(named=True):
        place = found[row["task"]][row["outcome"]]
        at = (row["task"], row["id"])
        if len(place) < SHOWN and at in texts:
            names = classes.get(row["task"])
            place.append(
                Case(
                    id=row["id"],
                    texts=texts[at],
                    cut=any(len(t) >= LONGEST for t in texts[at]),
                    truth=_name(names, row["label"]),
                    supervisor=_name(names, row["supervisor"]),
                    student=_name(names, row["student"]),
                    methods=tuple(row["methods"]),
                )
            )
    return found


def _name(classes: Sequence[str] | None, index: int) -> str:
    return str(classes[index]) if classes and index < len(classes) else str(index)
