"""Single test examples, as texts or images: what students did with their supervisor's answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

from markupsafe import Markup

from weak2strong.analysis.finished import FinishedRun
from weak2strong.engine.examples import (
    CORRECTED,
    ERRED,
    IMITATED,
    LOST,
    OUTCOMES,
    outcomes,
)
from weak2strong.ground.plugin_faults import fault_in, form_of
from weak2strong.tasks import PICTURES

SHOWN = 4
"""The most examples of a task and outcome on a page."""

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
    """One example of an outcome.

    Attributes:
        id: the id of the example.
        texts: the texts that a model reads, long ones without their middle.
        image: a URI that holds a small picture of an image; None of a text.
        truths: the name of its class, or the texts that count as right.
        supervisor: the name of the class that the supervisor gave, or the text that it wrote.
        student: likewise, of the student of the first method.
        methods: the methods whose students had this outcome.
    """

    id: str
    texts: tuple[str, ...]
    image: str | None
    truths: tuple[str, ...]
    supervisor: str
    student: str
    methods: tuple[str, ...]

    @property
    def pictures(self) -> tuple[Markup, ...]:
        """The texts as pictures, as far as a subject draws them."""
        if self.image is not None:
            return ()
        return tuple(map(Markup, drawn(self.texts, self.truths)))


def drawn(texts: Sequence[str], truths: Sequence[str] = ()) -> list[str]:
    """Some texts as pictures, as far as a subject draws them: SVG elements.

    Args:
        texts: that a model reads.
        truths: the answers that count as right, for pictures that show them.
    """
    pictures = (_drawn(name, text, truths) for text in texts for name in PICTURES)
    return [svg for svg in pictures if svg]


def _drawn(name: str, text: str, truths: Sequence[str]) -> str | None:
    """A text as a picture of that name.

    Raises:
        PluginError: where a plugin draws something else than an SVG.
    """
    draw = PICTURES.get(name)
    shows = "truths" in signature(draw).parameters
    svg = draw(text, truths=truths) if shows else draw(text)
    if svg is not None and not isinstance(svg, str):
        raise fault_in(draw, f"it gives {form_of(svg)} where the text of an SVG was asked for")
    return svg


def cases(run: FinishedRun) -> dict[str, dict[str, list[Case]]]:
    """Examples by task and outcome; empty where the run kept no texts.

    The outcome `ERRED` is left out where it has no examples: with two classes it cannot have any.
    """
    if run.examples is None:
        return {}
    kept = run.examples.drop_nulls("texts")
    shown = {(row["task"], row["id"]): row for row in kept.iter_rows(named=True)}
    classes = {task["name"]: task["classes"] for task in run.tasks}
    by_task = {task: {outcome: list[Case]() for outcome in OUTCOMES} for task in run.by_task}
    for row in outcomes(run.predictions, run.config.metric).iter_rows(named=True):
        examples = by_task[row["task"]][row["outcome"]]
        at = (row["task"], row["id"])
        if len(examples) < SHOWN and at in shown:
            names, texts = classes.get(row["task"]), tuple(shown[at]["texts"])
            examples.append(
                Case(
                    id=row["id"],
                    texts=texts,
                    image=shown[at].get("picture"),
                    truths=_truths(names, row["label"]),
                    supervisor=_text_of(names, row["supervisor"]),
                    student=_text_of(names, row["student"]),
                    methods=tuple(row["methods"]),
                )
            )
    for of_task in by_task.values():
        if not of_task[ERRED]:
            del of_task[ERRED]
    return by_task


def _truths(classes: Sequence[str] | None, label: Any) -> tuple[str, ...]:
    """The name of a class, or the texts of which any counts."""
    return tuple(label) if isinstance(label, list) else (_text_of(classes, label),)


def _text_of(classes: Sequence[str] | None, answer: Any) -> str:
    """The name of a class, or a written text."""
    if isinstance(answer, str):
        return answer.strip() or NOTHING
    return str(classes[answer]) if classes and answer < len(classes) else str(answer)
