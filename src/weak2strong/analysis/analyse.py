"""All analyses of a finished run that need nothing but its test predictions, as tidy tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.analyses import every_analysis
from weak2strong.analysis.analyses.ceilings import Ceilings, ceilings_of
from weak2strong.analysis.oracles import oracles
from weak2strong.analysis.tested import TestedRun, read_tested
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import less_is_better, metric, usual_metric
from weak2strong.ground.table import Row, Table
from weak2strong.models.trunk import trunk_of

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Analysed:
    """What the test predictions of a run say.

    Attributes:
        run: the run as analyses take it.
        tables: by the names of the files; without those of which the run has nothing. All have
            models and sizes as columns, and all but those over tasks the task.
        more: further tables, as people read them, by the analysis that they belong to.
        left_out: what could not be done and why, one sentence each.
    """

    run: TestedRun
    tables: Mapping[str, pl.DataFrame]
    more: Mapping[str, Sequence[Table]]
    left_out: tuple[str, ...]

    @property
    def ceilings(self) -> Ceilings | None:
        """PGR against both ceilings, with intervals; None where no task has a probe."""
        return self.run.once(ceilings_of)


def analyse(
    config: StudyConfig,
    predictions: pl.DataFrame,
    on: str | None = None,
    edges: Sequence[float] = (),
    agreement: pl.DataFrame | None = None,
) -> Analysed:
    """Every analysis of one run.

    Args:
        config: the study.
        predictions: of its run (see `weak2strong.engine.record`).
        on: name of a metric of the scores, of which more is better; the study's own if None.
        edges: between buckets of difficulty; quartiles if none.
        agreement: of its run (see `weak2strong.engine.recorded.read_agreement`), if there is any.

    Raises:
        UserError: for wrong edges, or another metric.
    """
    kinds = dict(predictions.select("task", "kind").unique(maintain_order=True).iter_rows())
    on = on or config.metric or usual_metric(next(iter(kinds.values())))
    if less_is_better(on):
        raise UserError(f"The analyses need a metric of which more is better, not {on!r}.")
    for kind in kinds.values():
        metric(kind, on)
    tests = {task: read_tested(config, predictions, task, on) for task in kinds}
    run = TestedRun(config, predictions, tests, on, tuple(edges), agreement)
    see_truth = oracles(predictions)
    if config.strong_training.stopping == "oracle":
        see_truth = frozenset(config.methods)
    analyses = every_analysis()
    rows = {a.file: a.made(run) for a in analyses}
    return Analysed(
        run,
        {name: _frame(run, see_truth, of) for name, of in rows.items() if of},
        {a.file: list(a.tables(run)) for a in analyses},
        tuple(sentence for a in analyses for sentence in a.lacks(run)),
    )


def _setting(config: StudyConfig) -> dict[str, Any]:
    """The models and their sizes, in parameters of the trunk; null where that is not known."""
    return {
        "weak": config.weak_name,
        "strong": config.strong.name,
        "weak_parameters": None if config.given_labels else trunk_of(config.weak),
        "strong_parameters": trunk_of(config.strong),
        "seeds": config.seeds,
    }


def _frame(run: TestedRun, see_truth: frozenset[str], rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as a table with the setting in front; ``oracle`` marks students that saw truth."""
    import polars as pl

    before = _setting(run.config)
    made = []
    for row in rows:
        about = {"task": row["task"], "metric": run.metric} if "task" in row else {}
        oracle = {"oracle": row["method"] in see_truth} if "method" in row else {}
        made.append(before | about | dict(row) | oracle)
    frame = pl.DataFrame(made, infer_schema_length=None)
    sizes = ("weak_parameters", "strong_parameters")
    frame = frame.with_columns(pl.col(name).cast(pl.Int64) for name in sizes)
    # A column without any number is one of numbers none the less.
    return frame.with_columns(
        pl.col(name).cast(pl.String if name == "undefined" else pl.Float64)
        for name, kind in frame.schema.items()
        if kind == pl.Null
    )
