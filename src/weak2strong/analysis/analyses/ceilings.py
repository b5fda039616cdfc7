"""Is the ceiling high enough? PGR against it, and against the better of it and a probe.

The *best ceiling* of a task is the higher score of two models that saw ground truth of
``strong_train``: the finetuned ceiling, and a logistic probe on the frozen strong model. Where the
probe is better, finetuning fell short, and PGR against the ceiling flatters every method.

The probe is a convex fit on fixed activations, the same for every seed that shares a split: it then
has no variance over seeds, and enters `weak2strong.analysis.recovered` as a ceiling that answers
alike in all of them. Its luck with the training examples is in no interval, as nobody's is, unless
each seed has a split, and a probe, of its own.

The choice is made on test, by the mean score: the higher of two noisy numbers is too high on
average, by at most 0.4 standard errors of their difference (E max(X, 0) for a normal X with mean 0
is its deviation over sqrt(2 pi)). That errs against the methods: PGR comes out too low, not too
high. A gap that is only there because the higher one was chosen is as small as that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.analyses import analysis
from weak2strong.analysis.estimates import Estimate, columns
from weak2strong.analysis.intervals import Interval
from weak2strong.analysis.over_tasks import OverTasks, over_tasks, over_tasks_table
from weak2strong.analysis.summary import Line, summarise
from weak2strong.analysis.tested import TestedRun
from weak2strong.config.study import StudyConfig
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import Row, Table, estimate, number, pgr, words

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Ceilings:
    """PGR against both ceilings.

    Attributes:
        finetuned: a line a task and method, against the finetuned ceiling.
        best: the same lines against the best ceiling.
        probed: the tasks on which that is the probe.
        over: PGR against the best ceilings over tasks; None where there is one task.
    """

    finetuned: list[Line]
    best: list[Line]
    probed: tuple[str, ...]
    over: OverTasks | None


def ceilings(config: StudyConfig, predictions: pl.DataFrame, on: str | None = None) -> Ceilings:
    """PGR of every task and method of a run, against both ceilings.

    Args:
        config: the study.
        predictions: of its run, every task with a probe.
        on: name of a metric of which more is better; the study's own if None.
    """
    import polars as pl

    lines = summarise(config, predictions, on)
    higher = (
        x.task
        for x in lines
        if x.probe_ceiling is not None and x.probe_ceiling > x.recovered.ceiling
    )
    probed = tuple(dict.fromkeys(higher))
    at = ["task", "id", *(["seed"] if config.vary == "split" else [])]
    probe = predictions.filter(role="probe").select(*at, pl.col("probabilities").alias("of_probe"))
    # A ceiling with a method has read the texts first, and is what it is.
    is_ceiling = (pl.col("role") == "ceiling") & (pl.col("method") == "")
    replaced = is_ceiling & pl.col("task").is_in(probed)
    against_best = predictions.join(probe, on=at, how="left", maintain_order="left").with_columns(
        probabilities=pl.when(replaced).then("of_probe").otherwise("probabilities")
    )
    again = summarise(config, against_best.filter(pl.col("task").is_in(probed)), on)
    of = {(x.task, x.method): x for x in (*lines, *again)}
    best = [of[x.task, x.method] for x in lines]
    return Ceilings(lines, best, probed, over_tasks(config, against_best, best))


def ceiling_rows(both: Ceilings) -> list[dict[str, Any]]:
    """A row a task, method and ceiling, ``against`` being ``finetuned`` or ``best``.

    ``is`` says which model that is, finetuned or probe; PGR is null where it is undefined.
    """
    rows = []
    for lines, against in ((both.finetuned, "finetuned"), (both.best, "best")):
        for x in lines:
            r = x.recovered
            probe = against == "best" and x.task in both.probed
            rows.append(
                {
                    "task": x.task,
                    "method": x.method,
                    "metric": x.metric,
                    "against": against,
                    "is": "probe" if probe else "finetuned",
                    **columns("ceiling", _estimate(r.ceiling, r.ceiling_interval)),
                    **columns("pgr", None if r.value is None else _estimate(r.value, r.interval)),
                    "undefined": r.undefined,
                }
            )
    return rows


def probe_minus_ceiling(line: Line) -> Estimate | None:
    """By how much the probe is above the finetuned ceilings at hand; None without a probe."""
    if line.probe_ceiling is None:
        return None
    interval = line.recovered.checks["probe"]["ceiling"]
    return _estimate(line.probe_ceiling - line.recovered.ceiling, interval)


def _estimate(value: float, interval: Interval | None) -> Estimate | None:
    return None if interval is None else Estimate(value, interval.low, interval.high)


def ceilings_of(run: TestedRun) -> Ceilings | None:
    """PGR against both ceilings of the tasks with a probe; None without any such task."""
    import polars as pl

    if not run.probed:
        return None
    rows = run.predictions.filter(pl.col("task").is_in(run.probed))
    return ceilings(run.config, rows, run.metric)


def _lacks(run: TestedRun) -> list[str]:
    if run.written:
        return ["Ceiling check: its probe tells classes apart, and answers in words are none."]
    return [] if run.probed else ["Ceiling check: the run has no probe with ground truth."]


def _tables(run: TestedRun) -> list[Table]:
    """The ceilings of each task, which all methods share, and PGR over tasks."""
    both = run.once(ceilings_of)
    if both is None:
        return []
    tables = [_of_tasks(both, run.metric)]
    if both.over is not None:
        title = "PGR over tasks, against the best ceilings:"
        tables.append(over_tasks_table(both.over, "ceilings_over_tasks", title))
    return tables


def _of_tasks(both: Ceilings, on: str) -> Table:
    """A row a task: the finetuned ceiling, the probe, and which is better."""
    rows = [
        {
            "task": x.task,
            "ceiling": x.recovered.ceiling,
            "probe": x.probe_ceiling,
            **columns("probe_minus_ceiling", probe_minus_ceiling(x)),
            "best": "probe" if x.task in both.probed else "finetuned",
        }
        for x in {x.task: x for x in both.finetuned}.values()
    ]
    return Table(
        "ceilings_of_tasks",
        f"The ceilings: {metric_title(on)} on test",
        [
            words("task"),
            number("ceiling", "finetuned"),
            number("probe"),
            estimate("probe_minus_ceiling", "probe - finetuned [95%]", sign=True),
            words("best", "best ceiling"),
        ],
        rows,
        [
            "probe: a logistic probe with ground truth on the frozen strong model. probe - "
            "finetuned: of these ceilings, so that its interval is over test examples alone."
        ],
    )


@analysis(
    "ceilings",
    "a row a student and ceiling",
    title="Ceiling check: PGR on {metric} against the finetuned ceiling and the best ceiling",
    across="against",
    columns=[
        pgr("pgr_finetuned", "PGR against the finetuned"),
        pgr("pgr_best", "PGR against the best"),
        words("is_best", "best ceiling"),
    ],
    notes=[
        "best ceiling: the higher score of the finetuned ceiling and a logistic probe with "
        "ground truth on the frozen strong model. It is chosen on test, so that it is a little too "
        "high (by at most 0.4 standard errors of their difference), and PGR against it a little "
        "too low. undefined: that ceiling is not clearly above the floor.",
    ],
    lacks=_lacks,
    tables=_tables,
)
def ceiling_check(run: TestedRun) -> Iterator[Row]:
    """The rows of `ceiling_rows`, and by how much the probe's score is above the ceiling's."""
    both = run.once(ceilings_of)
    if both is None:
        return
    excess = {
        x.task: columns("probe_minus_ceiling", probe_minus_ceiling(x)) for x in both.finetuned
    }
    yield from (row | excess[row["task"]] for row in ceiling_rows(both))
