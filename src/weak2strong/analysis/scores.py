"""The scores of a run or of a CSV file, one for each task, method and seed, for `compare`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.analysis.differences import Score
from weak2strong.analysis.summary import Line
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError, first_line, unknown_name
from weak2strong.ground.metrics import less_is_better

if TYPE_CHECKING:
    import polars as pl


def student_scores(
    config: StudyConfig, results: pl.DataFrame, metric: str, roles: Sequence[str] = ()
) -> list[Score]:
    """The score of every student of a run, and of further roles (see `ROLES`) under their names.

    Raises:
        UserError: where the run has no such metric, or where less of it is better.
    """
    known = [m for m in results["metric"].unique(maintain_order=True) if not less_is_better(m)]
    if metric not in known:
        raise unknown_name("metric of which more is better", metric, known)
    setting = _setting(config)
    rows = results.filter(metric=metric).to_dicts()
    further = [Score(r["task"], role, r["seed"], r[role], setting) for r in rows for role in roles]
    students = [Score(r["task"], r["method"], r["seed"], r["student"], setting) for r in rows]
    return students + list(dict.fromkeys(further))


def pgr_scores(
    config: StudyConfig, results: pl.DataFrame, lines: Sequence[Line], roles: Sequence[str] = ()
) -> tuple[list[Score], list[str]]:
    """The PGR of every student, and of further roles, and the tasks without a gap, hence without
    PGR.

    Floor and ceiling are fixed at their means over seeds, as in Anthropic's 2026 study. The
    difference of two methods is then the difference of their scores divided by one gap, and never
    by the gap of a single seed, which may be near 0.
    """
    by_task = {line.task: line.recovered for line in lines}
    flat = [task for task, r in by_task.items() if not r.has_gap]
    scores = [
        replace(s, score=(s.score - by_task[s.task].floor) / by_task[s.task].gap)
        for s in student_scores(config, results, lines[0].metric, roles)
        if s.task not in flat
    ]
    return scores, flat


def _setting(config: StudyConfig) -> str:
    """What two runs must share for their scores to be compared: models, data, training."""
    same = StudyConfig()
    return replace(
        config,
        tasks=same.tasks,
        methods=same.methods,
        seeds=same.seeds,
        metric=same.metric,
        primary_test=same.primary_test,
        saturated=same.saturated,
        literature=same.literature,
    ).to_yaml()


def read_scores(path: Path) -> list[Score]:
    """Scores from a CSV file with columns task, method, score and, if there are several, seed.

    Raises:
        UserError: for a file that cannot be read, lacks a column or holds no numbers.
    """
    import polars as pl

    names = {"task": pl.String, "method": pl.String}
    try:
        frame = pl.read_csv(path, schema_overrides=names)
    except (OSError, pl.exceptions.PolarsError) as e:
        raise UserError(f"Scores {path} cannot be read: {first_line(e)}.") from e
    for column in ("task", "method", "score"):
        if column not in frame.columns:
            raise UserError(
                f"Scores {path}: there is no column {column!r}; it takes task, method, score "
                "and, if there are several, seed."
            )
    if not len(frame):
        raise UserError(f"Scores {path}: there are no rows.")
    if "seed" not in frame.columns:
        frame = frame.with_columns(seed=pl.lit(0))
    try:
        frame = frame.with_columns(pl.col("score").cast(pl.Float64), pl.col("seed").cast(pl.Int64))
    except pl.exceptions.PolarsError as e:
        raise UserError(f"Scores {path}: {first_line(e)}.") from e
    if any(frame.select("task", "method", "score", "seed").null_count().row(0)):
        raise UserError(f"Scores {path}: a cell is empty.")
    return [
        Score(r["task"], r["method"], r["seed"], r["score"], str(path))
        for r in frame.iter_rows(named=True)
    ]


def seed_differences(scores: Sequence[Score], method: str, baseline: str) -> np.ndarray:
    """Method minus baseline as an array (tasks, seeds), for one setting.

    Raises:
        UserError: a name is not among the scores, or there is no score at all.
    """
    at = {(s.task, s.method, s.seed): s.score for s in scores}
    methods = list(dict.fromkeys(s.method for s in scores))
    for name in (method, baseline):
        if name not in methods:
            raise unknown_name("method of this run", name, methods)
    tasks = dict.fromkeys(s.task for s in scores)
    seeds = dict.fromkeys(s.seed for s in scores)
    return np.array([[at[t, method, s] - at[t, baseline, s] for s in seeds] for t in tasks])
