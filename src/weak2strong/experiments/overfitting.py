"""Students on their way: what they score, and how far they imitate, at every evaluation.

The folder holds ``curves.parquet``, a row an evaluation, and ``points.parquet``, the test answers
of floor, ceiling, and of each student at three points (see `weak2strong.experiments.followed`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from weak2strong.config.fields import Count, Flag, Texts
from weak2strong.config.settings import settings
from weak2strong.experiments.experiment import (
    Experiment,
    FinishedExperiment,
    Where,
    task_runs_of,
)
from weak2strong.experiments.followed import (
    CHOSEN,
    CURVES,
    POINTS,
    check_followed,
    steps_of,
    tables_of,
)
from weak2strong.experiments.points import NOTE, points_document, reached
from weak2strong.ground.metrics import PGR_MEANING
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import Document, counted
from weak2strong.methods import BASELINE
from weak2strong.protocol.resolve import resolved

if TYPE_CHECKING:
    import polars as pl


class FinishedOverfitting(FinishedExperiment):
    """The folder of students that were followed through their training."""

    COMMAND = "overfitting"
    FILES: ClassVar[Mapping[str, str]] = {
        CURVES: "a row an evaluation",
        POINTS: "test answers at the three points, by id",
    }
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        CURVES: columns(
            text="task method",
            whole="seed",
            number="fraction test_score validation_score agreement_wrong",
            flag="best stopped last",
        ),
        POINTS: columns(text="task kind role method point id group", whole="seed", any="label"),
    }
    MAY_HAVE: ClassVar[Mapping[str, Columns]] = {
        POINTS: columns(numbers="probabilities", text="answer")
    }
    FIGURES = ("overfitting",)

    @cached_property
    def curves(self) -> pl.DataFrame:
        """A row an evaluation (see `curve`)."""
        return self.read_table(CURVES)

    @cached_property
    def points(self) -> pl.DataFrame:
        """Test answers of floor, ceiling and the three points."""
        return self.read_table(POINTS)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A row a task, method and point, in the order of the study (see `reached`)."""
        return [
            reached(self.config, self.curves, answers, method, point)
            for answers in self.points.partition_by("task", maintain_order=True)
            for method in self.config.methods
            for point in CHOSEN
        ]

    def table(self) -> pl.DataFrame:
        """A row a task, method and point: scores, PGR with interval, and imitation."""
        import polars as pl

        nullable = dict.fromkeys(("pgr", "pgr_low", "pgr_high", "agreement_wrong"), pl.Float64)
        return pl.DataFrame(self.rows, schema_overrides=nullable | {"undefined": pl.String})

    @property
    def title(self) -> str:
        """The pair of models."""
        return f"Overfitting, {self.config.weak_name} to {self.config.strong.name}"

    @property
    def about(self) -> str:
        """How often the students were evaluated, on which tasks."""
        config = self.config
        evaluations = self.curves.group_by("task", "method", "seed").len()["len"].to_list()
        return (
            f"Students of {config.strong.name} on weak labels of {config.weak_name} were trained "
            f"to their last step and evaluated {counted(max(evaluations), 'time')} on the way: "
            f"{self.on_tasks}. {PGR_MEANING}"
        )

    @cached_property
    def document(self) -> Document:
        """A row a task, method and point."""
        return points_document("points", self.config, self.config.metric or "", self.rows, [NOTE])


@settings("an overfitting")
class Overfitting(Experiment[FinishedOverfitting]):
    """Follow students through training: score and imitation.

    Both are told at every evaluation. They are trained to the last step, and what the test says on
    the way is noted and decides nothing.
    """

    finished = FinishedOverfitting

    methods: Annotated[Texts, Flag(metavar="NAME ...")] = (BASELINE,)
    """Methods by name that finetune once and see no ground truth (see: w2s methods)."""
    evaluations: Count = 20
    """How often to evaluate a student, evenly spaced."""

    def _write(self, where: Where) -> Path:
        config = resolved(self.config)
        for method in config.methods:
            check_followed(method)
        task_runs = task_runs_of(config, where)
        todo = steps_of(config, task_runs, self.evaluations)
        tables = partial(tables_of, config, task_runs, self.evaluations)
        return where.perform(self.finished, config, task_runs, todo, tables)
