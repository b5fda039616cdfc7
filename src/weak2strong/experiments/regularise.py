"""Regularisation against imitation: students by weight decay, dropout or epochs.

The folder holds ``regularised.parquet``, a row a task, method, value of the setting, and point of
the training (see `weak2strong.experiments.followed`): score, PGR and imitation, and how both differ
from those of the first value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from weak2strong.analysis.between import repeated_difference, score_difference
from weak2strong.analysis.estimates import Estimate
from weak2strong.analysis.estimates import columns as columns_of
from weak2strong.analysis.tested import Tested
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
from weak2strong.experiments.points import NOTE, points_document, reached, tested_at
from weak2strong.experiments.tables import Rows
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import PGR_MEANING
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import Document, Row, Table, estimate, estimate_text, words
from weak2strong.methods import BASELINE
from weak2strong.protocol.resolve import resolved

if TYPE_CHECKING:
    import polars as pl

FILE = "regularised.parquet"

USUAL: Mapping[str, tuple[str, ...]] = {
    "weight-decay": ("0", "0.01", "0.1"),
    "dropout": ("false", "true"),
    "epochs": ("1", "3", "6"),
}
"""The settings that can be varied, each with its usual values."""

SAME = (
    "Floor and ceiling are those of the study's own settings, the same for every value. Which "
    "value does best is read off the test, so that its score flatters."
)

PAIRED = (
    "Differences to the first value, paired by seed and test example, with 95% intervals over "
    "seeds and groups of test examples, not adjusted for the number of values."
)


@dataclass(frozen=True)
class Compared:
    """What of a student is compared with that of the first value.

    Attributes:
        title: of its column.
        of: the difference of two students of a test set, by name.
    """

    title: str
    of: Callable[[Tested, str, str], Estimate | None]


DIFFERENCES = {
    "score_difference": Compared("score", score_difference),
    "repeated_difference": Compared("errors repeated", repeated_difference),
}
"""By the name of the column."""


class FinishedRegularise(FinishedExperiment):
    """The folder of students that were trained by several values of a setting."""

    COMMAND = "regularise"
    FILES: ClassVar[Mapping[str, str]] = {FILE: "a row a task, method, value and point"}
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        FILE: columns(
            text="task method setting value point metric",
            number="fraction floor student ceiling pgr pgr_low pgr_high agreement_all "
            "agreement_wrong score_difference repeated_difference",
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
        first = self.rows[0]
        document = points_document(
            "regularised", self.config, first["metric"], self.rows, [SAME, NOTE], first["setting"]
        )
        compared = [row for row in self.rows if row["value"] != first["value"]]
        if not compared:
            return document
        head = ["", *sentences(self.rows)]
        return replace(
            document, tables=[*document.tables, _differences(compared, first)], head=head
        )


def _differences(rows: Sequence[Row], first: Row) -> Table:
    """The table of differences to the first value."""
    return Table(
        "differences",
        f"Differences to {first['setting']} {first['value']}",
        [
            words("task"),
            words("method"),
            words("value", first["setting"]),
            words("point"),
            *(estimate(name, f"{of.title} [95%]", sign=True) for name, of in DIFFERENCES.items()),
        ],
        rows,
        notes=[PAIRED],
    )


def sentences(rows: Sequence[Row]) -> list[str]:
    """For each task and method, which values clearly differ from the first at the end of training,
    in score and in how many errors are repeated."""
    found = []
    for task, method in dict.fromkeys((row["task"], row["method"]) for row in rows):
        first, *others = (
            r for r in rows if (r["task"], r["method"], r["point"]) == (task, method, "last")
        )
        score = _clear(others, "score_difference", ("higher", "lower"), "the score is")
        errors = _clear(others, "repeated_difference", ("more", "fewer"), "errors repeated are")
        than = f"{first['setting']} {first['value']}"
        found.append(
            f"{task}, {method}, at the end of training, compared with {than}: "
            f"{score or 'no value clearly changes the score'}; "
            f"{errors or 'no value clearly changes how many errors are repeated'}."
        )
    return found


def _clear(rows: Sequence[Row], name: str, words: tuple[str, str], lead: str) -> str:
    """With which values a difference is clearly above 0, and below; empty without any."""
    sides = (
        [r for r in rows if r[f"{name}_low"] is not None and r[f"{name}_low"] > 0],
        [r for r in rows if r[f"{name}_high"] is not None and r[f"{name}_high"] < 0],
    )
    texts = [
        f"clearly {word} with "
        + " and ".join(f"{r['value']} ({estimate_text(r, name, sign=True)})" for r in side)
        for word, side in zip(words, sides, strict=True)
        if side
    ]
    return f"{lead} {', '.join(texts)}" if texts else ""


@settings("a regularisation")
class Regularise(Experiment[FinishedRegularise]):
    """Train students with several weight decays, dropouts or epochs.

    Which of them imitate errors less? They are followed as by `w2s overfitting`; supervisor and
    ceiling keep the study's settings.
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
            made = {
                value: tables_of(config, task_runs, self.evaluations, trained)
                for value, trained in trainings.items()
            }
            rows = [row for task in task_runs for row in _rows(config, task, made)]
            return {FILE: [{"setting": self.setting, **row} for row in rows]}

        return where.perform(self.finished, config, task_runs, todo, tables)


def _value(text: str) -> Any:
    """A number or a truth value, or the text itself, which a training then refuses."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _rows(
    config: StudyConfig, task: str, made: Mapping[str, Mapping[str, pl.DataFrame]]
) -> Iterator[dict[str, Any]]:
    """A row a method, value and point of one task, from the two tables of students by value."""
    answers = {value: tables[POINTS].filter(task=task) for value, tables in made.items()}
    first = next(iter(made))
    tested = {
        (value, point): tested_at(config, of, point)
        for value, of in answers.items()
        for point in CHOSEN
    }
    for method, value, point in product(config.methods, made, CHOSEN):
        curves = made[value][CURVES]
        at = curves.filter(task=task, method=method).filter(point)
        row = reached(config, curves, answers[value], method, point)
        students = {v: tested[v, point].students[method] for v in {first, value}}
        pair, others = replace(tested[first, point], students=students), dict[str, Any]()
        for name, difference in DIFFERENCES.items():
            apart = difference.of(pair, value, first) if value != first else None
            others |= columns_of(name, apart)
        agreed = float(at["agreement_all"].to_numpy().mean())
        yield {"value": value, "metric": config.metric, **row, "agreement_all": agreed, **others}
