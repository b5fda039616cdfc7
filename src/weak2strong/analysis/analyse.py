"""All analyses of finished runs that need nothing but their test predictions, as tidy tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.analyses.agreement import agreement_rows, confusion_rows
from weak2strong.analysis.analyses.calibration import calibration_row, reliability_rows
from weak2strong.analysis.analyses.ceilings import (
    Ceilings,
    ceiling_rows,
    ceilings,
    probe_minus_ceiling,
)
from weak2strong.analysis.analyses.difficulty import difficulty_rows
from weak2strong.analysis.analyses.misfit import misfit_over_tasks, misfit_rows
from weak2strong.analysis.analyses.saliency import BARS, saliency_rows
from weak2strong.analysis.estimates import columns
from weak2strong.analysis.oracles import oracles
from weak2strong.analysis.tested import Tested, read_tested
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import LESS_IS_BETTER, metric, usual_metric
from weak2strong.ground.predictions import WRITTEN
from weak2strong.models.trunk import trunk_of

if TYPE_CHECKING:
    import polars as pl

Rows = dict[str, list[dict[str, Any]]]

TABLES: Mapping[str, str] = {
    "agreement": "a row a student and weak labels (all, right, wrong)",
    "confusion": "a row a student and way of being right and wrong",
    "calibration": "a row a role: ECE, Brier score, log loss",
    "reliability": "a row a role, seed and bin",
    "misfit": "a row a student and form of misfit",
    "misfit_over_tasks": "a row a method and form: misfit against gain",
    "saliency": "a row a bar",
    "difficulty": "a row a role and bucket",
    "ceilings": "a row a student and ceiling",
}
"""The tables, and what a row of each is; all have models and sizes as columns, and all but
the one over tasks the task."""


@dataclass(frozen=True)
class Analysed:
    """What the test predictions of a run say.

    Attributes:
        tables: by the names of `TABLES`; without those of which the run has nothing.
        ceilings: PGR against both ceilings, with intervals; None where no task has a probe.
        left_out: what could not be done and why, one sentence each.
    """

    tables: Mapping[str, pl.DataFrame]
    ceilings: Ceilings | None
    left_out: tuple[str, ...]


def analyse(
    config: StudyConfig,
    predictions: pl.DataFrame,
    on: str | None = None,
    edges: Sequence[float] = (),
) -> Analysed:
    """Every analysis of one run.

    Args:
        config: the study.
        predictions: of its run (see `weak2strong.engine.record`).
        on: metric of the scores, of which more is better; the study's own if None.
        edges: between buckets of difficulty; quartiles if none.

    Raises:
        UserError: for wrong edges, or another metric.
    """
    import polars as pl

    kinds = dict(predictions.select("task", "kind").unique(maintain_order=True).iter_rows())
    on = on or config.metric or usual_metric(next(iter(kinds.values())))
    if on in LESS_IS_BETTER:
        raise UserError(f"The analyses need a metric of which more is better, not {on!r}.")
    rows: Rows = {name: [] for name in TABLES}
    hard, probed, excess = list[str](), list[str](), dict[str, Any]()
    for task, kind in kinds.items():
        score = metric(kind, on)
        tested = read_tested(config, predictions, task, on)
        for name, row in _of_task(tested, score, edges):
            rows[name].append({"task": task, "metric": on, **row})
        if tested.difficulty is not None:
            hard.append(task)
        if tested.probe is not None:
            probed.append(task)
            excess[task] = columns("probe_minus_ceiling", probe_minus_ceiling(tested, score))
    if len({row["task"] for row in rows["misfit"]}) > 1:
        rows["misfit_over_tasks"] = list(misfit_over_tasks(rows["misfit"]))
    left_out = _lacking(config, predictions, hard)
    found = None
    if probed:
        found = ceilings(config, predictions.filter(pl.col("task").is_in(probed)), on)
        rows["ceilings"] = [row | excess[row["task"]] for row in ceiling_rows(found)]
    setting, see_truth = _setting(config), oracles(predictions)
    if config.strong_training.stopping == "oracle":
        see_truth = frozenset(config.methods)
    tables = {name: _frame(see_truth, setting, of) for name, of in rows.items() if of}
    return Analysed(tables, found, tuple(left_out))


def _of_task(
    tested: Tested, score: Any, edges: Sequence[float]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of one task, each with the name of its table."""
    for method in tested.students:
        of_student = {"method": method}
        for name, rows in (("agreement", agreement_rows), ("confusion", confusion_rows)):
            yield from ((name, of_student | row) for row in rows(tested, method))
    if tested.kind not in WRITTEN:
        yield from _of_probabilities(tested, score)
    if tested.difficulty is not None:
        yield from (("difficulty", row) for row in difficulty_rows(tested, score, edges))


def _of_probabilities(tested: Tested, score: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of what answers in words have not, each with the name of its table."""
    for method in tested.students:
        yield from (("misfit", {"method": method} | row) for row in misfit_rows(tested, method))
    for (role, method), answers in tested.roles.items():
        who = {"role": role, "method": method}
        yield "calibration", who | calibration_row(tested, answers)
        yield from (("reliability", who | row) for row in reliability_rows(tested, answers))
    yield from (("saliency", row) for row in saliency_rows(tested, score))


OF_CLASSES: tuple[str, ...] = (
    "Calibration: answers in words come without probabilities.",
    "Misfit: it is a distance of probabilities, and answers in words have none.",
    "Saliency: linear probes tell classes apart, and answers in words are none.",
    "Ceiling check: its probe tells classes apart, and answers in words are none.",
)
"""Why runs of the kinds in `WRITTEN` lack some tables. Their answers share no column with those of
other kinds, so that a run has either."""


def _lacking(config: StudyConfig, predictions: pl.DataFrame, hard: Sequence[str]) -> list[str]:
    """What the run has nothing of."""
    written = predictions["kind"][0] in WRITTEN
    said = list(OF_CLASSES) if written else _unprobed(config, predictions)
    if "difficulty" not in predictions.columns:
        said.append(
            "Difficulty: the run was made before it was recorded; run its study again with the "
            "same --out to add it (what the store has is not computed again)."
        )
    elif not hard:
        said.append("Difficulty: no task says how hard its examples are.")
    return said


def _unprobed(config: StudyConfig, predictions: pl.DataFrame) -> list[str]:
    """What bars and probes the run lacks."""
    said = []
    there = {"ceiling", *(f"method {m}" for m in config.methods)}
    if not predictions.filter(role="probe").is_empty():
        there.add("check probe")
    missing = [f"{bar} ({of})" for bar, of in BARS.items() if of not in there]
    if missing:
        said.append(f"Saliency: the run lacks {', '.join(missing)}.")
    if "check probe" not in there:
        said.append("Ceiling check: the run has no probe with ground truth.")
    return said


def _setting(config: StudyConfig) -> dict[str, Any]:
    """The models and their sizes, in parameters of the trunk; null where that is not known."""
    return {
        "weak": config.weak_name,
        "strong": config.strong.name,
        "weak_parameters": None if config.weak_labels else trunk_of(config.weak),
        "strong_parameters": trunk_of(config.strong),
        "seeds": config.seeds,
    }


def _frame(
    see_truth: frozenset[str], setting: Mapping[str, Any], rows: list[dict[str, Any]]
) -> pl.DataFrame:
    """Rows as a table with the setting in front; ``oracle`` marks students that saw truth."""
    import polars as pl

    if "method" in rows[0]:
        rows = [row | {"oracle": row["method"] in see_truth} for row in rows]
    frame = pl.DataFrame([dict(setting) | row for row in rows], infer_schema_length=None)
    sizes = ("weak_parameters", "strong_parameters")
    frame = frame.with_columns(pl.col(name).cast(pl.Int64) for name in sizes)
    # A column without any number is one of numbers none the less.
    return frame.with_columns(
        pl.col(name).cast(pl.String if name == "undefined" else pl.Float64)
        for name, kind in frame.schema.items()
        if kind == pl.Null
    )
