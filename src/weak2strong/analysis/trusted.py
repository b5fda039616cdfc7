"""The students of a run against their supervisors, on a small set of trusted test labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.analysis.answers import Answers
from weak2strong.analysis.compare import p_text, signed
from weak2strong.analysis.verify import Verified, draw_trusted, verified
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.table import DASH, Column, Document, Table, counted, number, words
from weak2strong.tasks.answers import comparable, is_right

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class TrustedLine:
    """One student.

    Attributes:
        task: the name of the task.
        method: the name of the method.
        verified: the student against its supervisor.
        fit: the share of training inputs on which the student gives the answer of the weak label;
            None where the run did not record it.
        agreement: the same share on test inputs, from which the student has not learnt.
    """

    task: str
    method: str
    verified: Verified
    fit: float | None
    agreement: float


def verify_students(
    config: StudyConfig,
    predictions: pl.DataFrame,
    agreement: pl.DataFrame | None,
    trusted: int,
    *,
    tasks: Sequence[str] = (),
    methods: Sequence[str] = (),
    student_seed: int = 0,
    seed: int = 0,
) -> list[TrustedLine]:
    """One line a task and method; all methods on a task are judged by the same labels.

    Args:
        config: the study.
        predictions: the predictions of its run.
        agreement: see `weak2strong.engine.recorded.read_agreement`.
        trusted: how many labels of each task are trusted.
        tasks: names of tasks; all if none.
        methods: names of methods; all if none.
        student_seed: the seed of student and supervisor.
        seed: the seed of the draw of labels.

    Raises:
        UserError: for a name that the run does not have, or a number that is too large.
    """
    known = predictions["task"].unique(maintain_order=True).to_list()
    for what, names, there in (("task", tasks, known), ("method", methods, config.methods)):
        for name in names:
            if name not in there:
                raise unknown_name(f"{what} of this run", name, there)
    if not 0 <= student_seed < config.seeds:
        raise UserError(
            f"The run has {config.seeds} seeds, from 0 on: there is no seed {student_seed}."
        )
    if trusted < 1 or seed < 0:
        raise UserError("--trusted is a number of labels, 1 or more, and --seed is 0 or more.")
    lines = []
    for task in tasks or known:
        answers = Answers(predictions.filter(task=task), config.seeds)
        try:
            chosen = draw_trusted(answers.groups, trusted, np.random.default_rng(seed))
        except UserError as e:
            raise UserError(f"{task}: {e}") from e
        by = (answers.kind, config.metric)
        truth = answers.labels[chosen]
        supervisor = answers.one("floor", "", student_seed)
        for method in methods or config.methods:
            student = answers.one("student", method, student_seed)
            same = comparable(student, *by) == comparable(supervisor, *by)
            hits, weak_hits = (is_right(x[chosen], truth, *by) for x in (student, supervisor))
            lines.append(
                TrustedLine(
                    task,
                    method,
                    verified(hits, weak_hits),
                    _fit(agreement, task, method, student_seed),
                    float(same.mean()),
                )
            )
    return lines


def _fit(agreement: pl.DataFrame | None, task: str, method: str, seed: int) -> float | None:
    if agreement is None:
        return None
    rows = agreement.filter(task=task, method=method, seed=seed, split="strong_train")
    return float(rows["agreement"][0]) if len(rows) else None


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


def verified_document(lines: Sequence[TrustedLine], student_seed: int) -> Document:
    """A row a student, and what the columns are."""
    head = [
        "\nIs the student better than its supervisor? "
        f"{counted(lines[0].verified.labels, 'trusted test label')} a task, seed {student_seed}"
    ]
    columns = [
        words("task"),
        words("method"),
        _of_labels("student", lambda v: f"{v['student']:.3f}"),
        _of_labels("floor", lambda v: f"{v['supervisor']:.3f}"),
        _of_labels(
            "alone right", lambda v: f"{v['student_only']} : {v['supervisor_only']}", detail=True
        ),
        _of_labels("difference [95%]", _difference),
        _of_labels("p", lambda v: p_text(v["p"])),
        words("verdict", "student is"),
        _of_labels(
            "needed",
            lambda v: DASH if v["settled_by"] is None else f"{v['settled_by']:,}",
            detail=True,
        ),
        number("fit", detail=True),
        number("agreement", "agrees", detail=True),
    ]
    rows = [asdict(line) | {"verdict": verdict(line.verified)} for line in lines]
    notes: list[str] = [*NOTES]
    if any(line.fit is None for line in lines):
        notes.append(
            "fit is not in this run's folder: run its study again with the same --out to add it "
            "(what the store has is not computed again)."
        )
    return Document([Table("students", "", columns, rows, notes)], {}, head)


def _of_labels(title: str, text: Callable[[Mapping[str, Any]], str], **more: Any) -> Column:
    """A column of what the trusted labels say."""
    return Column("verified", title, lambda row: text(row["verified"]), **more)


def _difference(v: Mapping[str, Any]) -> str:
    return f"{signed(v['difference'])} [{signed(v['low'])}, {signed(v['high'])}]"
