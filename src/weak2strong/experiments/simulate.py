"""Simulated supervisors in place of the real one: as accurate, with errors in other places.

With several accuracies, each supervisor takes each of them, which tells how much errors matter. The
folder holds a whole run a supervisor and accuracy, and ``simulated.parquet``, a row a supervisor,
accuracy, task and method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Any, ClassVar

from weak2strong.analysis.analyses.agreement import agreement_rows
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.warnings import few_seeds
from weak2strong.config.fields import Flag, Shares, Texts
from weak2strong.config.settings import settings
from weak2strong.config.study import StudyConfig
from weak2strong.engine.recorded import RESULTS
from weak2strong.experiments.experiment import (
    Experiment,
    FinishedExperiment,
    Where,
    run_several,
)
from weak2strong.experiments.tables import check_told, incomplete, write_tables
from weak2strong.ground.metrics import PGR_MEANING, metric_title
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import Document, Table, counted, estimate, number, pgr, words
from weak2strong.protocol.resolve import checked, lacking_for
from weak2strong.simulators import SIMULATORS
from weak2strong.tasks.find import find_tasks

FILE = "simulated.parquet"

REAL = "real"
"""The name of the supervisor that is not simulated."""

NOTE = (
    "floor: the test score of the labels that students learn from. agree: share of test labels "
    "that the student gives too, of all, of right and of wrong ones; the file has intervals of all "
    "three. real: the supervisor's own soft labels; all others are hard labels that are made of "
    "ground truth, so these supervisors are no methods."
)


class FinishedSimulate(FinishedExperiment):
    """The folder of finished studies with simulated supervisors."""

    COMMAND = "simulate"
    FILES: ClassVar[Mapping[str, str]] = {
        FILE: "a row a supervisor and method, and the runs beside it"
    }
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        FILE: columns(
            text="supervisor task weak strong method metric",
            whole="seeds",
            number="floor student ceiling pgr agreement_all agreement_right agreement_wrong",
        )
    }
    FIGURES = ("error-structure", "dose-response")

    @cached_property
    def kinds(self) -> list[str]:
        """The simulated supervisors."""
        return [name for name in dict.fromkeys(r["supervisor"] for r in self.rows) if name != REAL]

    @cached_property
    def accuracies(self) -> list[float]:
        """The accuracies that were asked for, rising; none where it was the real supervisor's."""
        return sorted({r["accuracy"] for r in self.rows if r.get("accuracy") is not None})

    @property
    def dosed(self) -> bool:
        """Whether the supervisors took several accuracies."""
        return len(self.accuracies) > 1

    @cached_property
    def runs(self) -> list[FinishedRun]:
        """The run of each supervisor, the real one first.

        Raises:
            UserError: where one is missing.
        """
        names = list(dict.fromkeys(map(_run_of, self.rows)))
        for name in names:
            if not (self.folder / name / RESULTS).exists():
                raise incomplete(self.folder, name)
        runs = [FinishedRun(self.folder / name, saturated=self.saturated) for name in names]
        for run in runs:
            check_told(self.files, run)
        return runs

    @property
    def title(self) -> str:
        """The student's model."""
        return f"Simulated supervisors of {self.config.strong.name}"

    @property
    def about(self) -> str:
        """How many supervisors, on which tasks."""
        kinds, config = counted(len(self.kinds), "simulated supervisor"), self.config
        doses = f", at {len(self.accuracies)} accuracies each," if self.dosed else ""
        return (
            f"{kinds}{doses} took the place of {config.weak.name} and taught {config.strong.name}: "
            f"{self.on_tasks}. Their errors sit where their names say. "
            f"{PGR_MEANING}"
        )

    @cached_property
    def document(self) -> Document:
        """A table a task, and what each supervisor does."""
        summaries = {k: SIMULATORS.get(k).summary for k in self.kinds if k in set(SIMULATORS)}
        return Document(
            [_table(self.rows, task) for task in dict.fromkeys(r["task"] for r in self.rows)],
            notes=[
                *(f"{kind}: {summary}." for kind, summary in summaries.items()),
                NOTE,
                *_of_people(self.config),
                f"Each supervisor's whole run: w2s report {self.folder / REAL}, and the like.",
            ],
            warnings=[*_undefined(self.rows), *few_seeds({self.config.seeds})],
        )


def _of_people(config: StudyConfig) -> Iterator[str]:
    """What the supervisors are where people stand in place of the real one."""
    if config.data.weak_label_columns:
        people = replace(config, simulated=None).weak_name
        yield (
            f"Here people stand in place of a supervisor: real is the labels of {people}, and all "
            f"others have as many errors. own-errors has those of {config.weak.name} finetuned on "
            "ground truth, its surest first: a model's errors beside people's, at one accuracy."
        )


@settings("a simulation")
class Simulate(Experiment[FinishedSimulate]):
    """Put simulated supervisors in place of the real one.

    They are as accurate, with other errors. Their labels are made of ground truth, on all splits: a
    tool to see what the structure of errors does, and no method.
    """

    finished = FinishedSimulate

    without = ("weak_labels", "simulated", "simulated_accuracy", "weak_label_temperature")

    kinds: Annotated[Texts, Flag(metavar="NAME ...")] = ("all",)
    """Which simulated supervisors, or all: random-flips, longest, shortest,
    least-confident, most-confidently-right, first-features, own-errors, trivial-imitation."""
    accuracy: Annotated[Shares, Flag(metavar="SHARE ...")] = ()
    """Their accuracy on every split, by default that of the real supervisor there. With several,
    each supervisor takes each of them, and a figure shows what students make of them."""

    def _all(self, where: Where) -> list[str]:
        """The names of all simulated supervisors that the tasks have what it takes for."""
        tasks = find_tasks(checked(self.config), self.config.data)
        lacking = {name: lacking_for(name, task) for name in SIMULATORS for task in tasks}
        for why in filter(None, lacking.values()):
            where.progress.line(f"left out of all: {why}.")
        return [name for name, why in lacking.items() if not why]

    def _write(self, where: Where) -> Path:
        self.check_supervised(by_people=True)
        kinds = self._all(where) if "all" in self.kinds else dict.fromkeys(self.kinds)
        doses = sorted(set(self.accuracy)) or [None]
        studies = {REAL: replace(self.config, simulated=None, simulated_accuracy=None)}
        for kind, dose in product(kinds, doses):
            name = run_name(kind, dose) if dose is not None and len(doses) > 1 else kind
            studies[name] = replace(self.config, simulated=kind, simulated_accuracy=dose)
        for study in studies.values():
            checked(study)
        runs = run_several("simulate", studies, where, (FILE,))
        folder = runs[REAL].folder.parent
        rows = [row for r in runs.values() for row in supervised_rows(r)]
        write_tables(folder, {FILE: rows}, "simulate", list(runs.values()))
        return folder


def run_name(kind: str, accuracy: float) -> str:
    """The folder of the run of a supervisor that takes several accuracies."""
    return f"{kind}-{accuracy:.12g}"


def _run_of(row: Mapping[str, Any]) -> str:
    """The folder of the run that a row is of; older folders did not tell it."""
    return row.get("run") or row["supervisor"]


def supervised_rows(run: FinishedRun) -> Iterator[dict[str, Any]]:
    """A row a task and method of the run of one supervisor.

    ``floor`` is the score of its labels on the test, ``accuracy`` what was asked for, if anything;
    agreement and the student's score have intervals.
    """
    config = run.config
    for line in run.lines():
        r = line.recovered
        yield {
            "supervisor": config.simulated or REAL,
            "accuracy": config.simulated_accuracy,
            "run": run.folder.name,
            "task": line.task,
            "weak": config.weak.name,
            "strong": line.strong,
            "method": line.method,
            "metric": line.metric,
            "floor": r.floor,
            "student": r.student,
            "student_low": r.student_interval.low,
            "student_high": r.student_interval.high,
            "ceiling": r.ceiling,
            **r.pgr,
            **{
                f"agreement_{row['weak_label']}{end}": row[f"agreement{end}"]
                for row in agreement_rows(run.tested[line.task], line.method)
                for end in ("", "_low", "_high")
            },
            "seeds": r.seeds,
            "examples": r.examples,
        }


def _table(rows: Sequence[Mapping[str, Any]], task: str) -> Table:
    """The table of one task."""
    rows = [row for row in rows if row["task"] == task]
    first = rows[0]
    return Table(
        "supervisors",
        f"{task}: {first['weak']} to {first['strong']}, {metric_title(first['metric'])}, "
        f"ceiling {first['ceiling']:.3f}, mean of {counted(first['seeds'], 'seed')}",
        [
            words("supervisor"),
            words("method"),
            number("floor"),
            number("student"),
            pgr(),
            number("agreement_all", "agree"),
            number("agreement_right", "right"),
            estimate("agreement_wrong", "wrong [95%]"),
        ],
        rows,
    )


def _undefined(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each task on which some supervisors have no PGR."""
    by_task = dict[str, list[str]]()
    for row in rows:
        if row["pgr"] is None:
            by_task.setdefault(row["task"], []).append(_run_of(row))
    for task, supervisors in by_task.items():
        yield (
            f"{task}: PGR is undefined for students of {', '.join(dict.fromkeys(supervisors))}: "
            "the ceiling is not clearly above the floor."
        )
