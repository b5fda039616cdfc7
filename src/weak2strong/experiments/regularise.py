"""Regularisation against imitation: students by weight decay, dropout or epochs.

The folder holds ``regularised.parquet``, a row a task, method, value of the setting, and point of
the training (see `weak2strong.experiments.followed`): score, PGR and imitation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from weak2strong.config.fields import Count, Flag, Texts
from weak2strong.config.settings import settings
from weak2strong.config.study import StudyConfig
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
    Trained,
    check_followed,
    steps_of,
    tables_of,
)
from weak2strong.experiments.points import NOTE, points_document, reached
from weak2strong.experiments.tables import Rows
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import PGR_MEANING
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import Document
from weak2strong.methods import BASELINE
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun

FILE = "regularised.parquet"

USUAL: Mapping[str, tuple[str, ...]] = {
    "weight-decay": ("0", "0.01", "0.1"),
    "dropout": ("false", "true"),
    "epochs": ("1", "3", "6"),
}
"""The settings that can be varied, each with its usual values."""

SAME = (
    "Floor and ceiling are those of the study's own settings, the same for every value. Which "
    "value does best is read off the test, so that its score flatters; differences between "
    "values have no interval here."
)


class FinishedRegularise(FinishedExperiment):
    """The folder of students that were trained by several values of a setting."""

    COMMAND = "regularise"
    FILES: ClassVar[Mapping[str, str]] = {FILE: "a row a task, method, value and point"}
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        FILE: columns(
            text="task method setting value point metric",
            number="fraction floor student ceiling pgr pgr_low pgr_high agreement_all "
            "agreement_wrong",
        )
    }
    FIGURES = ("regularised",)

    @property
    def title(self) -> str:
        """The pair of models."""
        return f"Regularisation, {self.config.weak_name} to {self.config.strong.name}"

    @property
    def about(self) -> str:
        """Which values of what, on which tasks."""
        values = dict.fromkeys(row["value"] for row in self.rows)
        return (
            f"Students of {self.config.strong.name} on weak labels of {self.config.weak_name} "
            f"were trained with {self.rows[0]['setting']} {', '.join(values)} and followed on "
            f"their way: {self.on_tasks}. {PGR_MEANING}"
        )

    @cached_property
    def document(self) -> Document:
        """A row a task, method, value and point."""
        first, notes = self.rows[0], [*sentences(self.rows), SAME, NOTE]
        return points_document(
            "regularised", self.config, first["metric"], self.rows, notes, first["setting"]
        )


def sentences(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each task and method, at the end of training, who imitates least and scores best."""
    found = []
    for task, method in dict.fromkeys((row["task"], row["method"]) for row in rows):
        here = [r for r in rows if (r["task"], r["method"], r["point"]) == (task, method, "last")]
        best = max(row["student"] for row in here)
        values = _at(here, "student", best)
        said = f"the best score ({best:.3f}) is with {here[0]['setting']} {values}"
        wrong = [r["agreement_wrong"] for r in here if r["agreement_wrong"] is not None]
        if wrong:
            values = _at(here, "agreement_wrong", min(wrong))
            said += f", the fewest errors are repeated ({min(wrong):.3f}) with {values}"
        found.append(f"{task}, {method}, at the end of training: {said}.")
    return found


def _at(rows: Sequence[Mapping[str, Any]], name: str, number: float) -> str:
    """The values whose rows have this number."""
    return " and ".join(row["value"] for row in rows if row[name] == number)


@settings("a regularisation")
class Regularise(Experiment[FinishedRegularise]):
    """Train students with several weight decays, dropouts or epochs: who imitates errors less?

    They are followed as by `w2s overfitting`; supervisor and ceiling keep the study's settings.
    """

    finished = FinishedRegularise

    setting: Literal["weight-decay", "dropout", "epochs"] = "weight-decay"
    """What differs between students. Dropout is that which comes with the model: true or false."""
    values: Annotated[Texts, Flag(metavar="VALUE ...")] = ()
    """Its values; by default 0, 0.01 and 0.1, false and true, or 1, 3 and 6 epochs."""
    methods: Annotated[Texts, Flag(metavar="NAME ...")] = (BASELINE,)
    """Methods by name that finetune once and see no ground truth (see: w2s methods)."""
    evaluations: Count = 20
    """How often to evaluate a student, evenly spaced."""

    def trainings(self, config: StudyConfig) -> dict[str, Trained]:
        """What differs from the students' training in the study, by the value as it is written.

        Raises:
            UserError: for a value that the setting cannot have, or epochs beside steps.
        """
        if self.setting == "epochs" and config.strong_training.steps:
            raise UserError(
                "The study counts steps, so that epochs change nothing: leave its steps out, or "
                "name another --setting."
            )
        name, found = self.setting.replace("-", "_"), dict[Any, tuple[str, Trained]]()
        for text in self.values or USUAL[self.setting]:
            checked = replace(config.strong_training, **{name: _value(text)})
            value = getattr(checked, name)
            found.setdefault(value, (text, ((name, value),)))
        return dict(found.values())

    def _write(self, where: Where) -> Path:
        config = resolved(self.config)
        for method in config.methods:
            check_followed(method)
        trainings = self.trainings(config)
        task_runs = task_runs_of(config, where)
        todo = steps_of(config, task_runs, self.evaluations, list(trainings.values()))

        def tables() -> Mapping[str, Rows]:
            rows = [
                {"setting": self.setting, "value": value, **row}
                for value, trained in trainings.items()
                for row in _rows(config, task_runs, self.evaluations, trained)
            ]
            tasks = list(task_runs)
            rows.sort(key=lambda r: (tasks.index(r["task"]), config.methods.index(r["method"])))
            return {FILE: rows}

        return where.perform("regularise", config, task_runs, todo, tables)


def _value(text: str) -> Any:
    """A number or a truth value, or the text itself, which a training then refuses."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _rows(
    config: StudyConfig, task_runs: Mapping[str, TaskRun], evaluations: int, trained: Trained
) -> Iterator[dict[str, Any]]:
    """A row a task, method and point, of students that are trained so."""
    tables = tables_of(config, task_runs, evaluations, trained)
    curves = tables[CURVES]
    for answers in tables[POINTS].partition_by("task", maintain_order=True):
        for method in config.methods:
            for point in CHOSEN:
                row = reached(config, curves, answers, method, point)
                at = curves.filter(task=row["task"], method=method).filter(point)
                agreed = float(at["agreement_all"].to_numpy().mean())
                yield {"metric": config.metric, **row, "agreement_all": agreed}
