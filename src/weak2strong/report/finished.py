"""A finished run as figures and pages take it: its folder read once, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.audit.run import RunAudit, read_run_audit
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.over_tasks import OverTasks, over_tasks
from weak2strong.analysis.summary import Line
from weak2strong.study.examples import read_examples

if TYPE_CHECKING:
    import polars as pl


def read_environment(folder: Path) -> Mapping[str, Any]:
    """Versions, device and commit; nothing where the file is not there."""
    path = folder / "environment.json"
    return json.loads(path.read_text()) if path.exists() else {}


class Finished(FinishedRun):
    """A finished run with what pages and figures make of it."""

    @property
    def title(self) -> str:
        """The pair of models, and of which entities they were asked."""
        unseen = ", unseen entities" if self.config.entities == "unseen" else ""
        return f"{self.config.weak_name} to {self.config.strong.name}{unseen}"

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Versions, device and commit; nothing where the file is not there."""
        return read_environment(self.folder)

    @cached_property
    def audit(self) -> RunAudit | None:
        """What an audit found in its tasks; None where there was none, or of other tasks."""
        found = read_run_audit(self.folder)
        return found and found.of(self.by_task)

    @cached_property
    def examples(self) -> pl.DataFrame | None:
        """Texts of some test examples; None in older runs."""
        return read_examples(self.folder)

    @cached_property
    def lines(self) -> list[Line]:
        """One a task and method, on the study's metric."""
        return self._summarised()

    @cached_property
    def over(self) -> OverTasks | None:
        """PGR over tasks; None where there is one."""
        return over_tasks(self.config, self.predictions, self.lines)

    @cached_property
    def by_task(self) -> dict[str, list[Line]]:
        """The lines of each task, one a method."""
        found = dict[str, list[Line]]()
        for line in self.lines:
            found.setdefault(line.task, []).append(line)
        return found

    @property
    def has_classes(self) -> bool:
        """Whether answers are probabilities of classes, and not texts."""
        return "probabilities" in self.predictions.columns

    @cached_property
    def judged(self) -> pl.DataFrame:
        """Every answer of floor, students and ceiling on the test set, where there are classes.

        Columns task, role, method, seed, id, label, answer, right, confidence (the probability
        of the answer).
        """
        import polars as pl

        return (
            self.predictions.filter(
                pl.col("role").is_in(["floor", "student", "ceiling"]),
                # Not the ceilings that have read the texts first.
                (pl.col("role") != "ceiling") | (pl.col("method") == ""),
            )
            .with_columns(
                answer=pl.col("probabilities").list.arg_max().cast(pl.Int64),
                confidence=pl.col("probabilities").list.max(),
            )
            .with_columns(right=pl.col("answer") == pl.col("label"))
            .select(
                *("task", "role", "method", "seed", "id", "label", "answer", "right", "confidence")
            )
        )

    @cached_property
    def pairs(self) -> pl.DataFrame:
        """Students' answers beside their supervisor's of the same seed.

        The columns of `judged` without role, and weak_answer and weak_right.
        """
        import polars as pl

        weak = self.judged.filter(role="floor").select(
            "task", "seed", "id", weak_answer="answer", weak_right="right"
        )
        students = self.judged.filter(pl.col("role") == "student").drop("role")
        return students.join(weak, on=["task", "seed", "id"], maintain_order="left")
