"""The students of a run against their supervisors, on a small set of trusted test labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.analysis.summary import Answers
from weak2strong.analysis.verify import Verified, draw_trusted, verified
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.tasks.answered import right, said

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class TrustedLine:
    """One student.

    Attributes:
        task: name.
        method: name.
        verified: the student against its supervisor.
        fit: share of the training inputs on which the student gives its weak label's answer;
            None where the run did not record it.
        agreement: the same share on test inputs, which it has not learnt from.
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
        predictions: of its run.
        agreement: see `weak2strong.engine.record.read_agreement`.
        trusted: how many labels of each task.
        tasks: names; all if none.
        methods: names; all if none.
        student_seed: of student and supervisor.
        seed: of the draw.

    Raises:
        UserError: for a name that the run has not, or a number that is too large.
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
            drawn = draw_trusted(answers.groups, trusted, np.random.default_rng(seed))
        except UserError as e:
            raise UserError(f"{task}: {e}") from e
        by = (answers.kind, config.metric)
        truth = answers.labels[drawn]
        supervisor = answers.one("floor", "", student_seed)
        for method in methods or config.methods:
            student = answers.one("student", method, student_seed)
            same = said(student, *by) == said(supervisor, *by)
            hits, weak_hits = (right(x[drawn], truth, *by) for x in (student, supervisor))
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
