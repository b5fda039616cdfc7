"""Scores as bars: the supervisor, the students of each method, the ceiling."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import estimate_text
from weak2strong.report.figures.drawing import (
    new_figure,
    row_labels,
    score_bar,
    score_bars_note,
    text_above,
)
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.style import DASHES, MUTED, Styles, model_style

NAMES = {"floor": "supervisor (floor)", "ceiling": "ceiling"}


def data(run: FinishedRun) -> pl.DataFrame:
    """One row for each task and model: the score and its interval, chance, the metric's name."""
    rows = []
    for task, lines in run.by_task.items():
        first, r = lines[0], lines[0].recovered
        students = [
            ("student", x.method, x.recovered.student, x.recovered.student_interval) for x in lines
        ]
        for role, method, score, interval in (
            ("floor", "", r.floor, r.floor_interval),
            *students,
            ("ceiling", "", r.ceiling, r.ceiling_interval),
        ):
            ends = (interval.low, interval.high)
            rows.append((task, role, method, score, *ends, first.chance, first.metric))
    columns = ["task", "role", "method", "score", "low", "high", "chance", "metric"]
    return pl.DataFrame(rows, schema=columns, orient="row", schema_overrides={"chance": pl.Float64})


def means(frame: pl.DataFrame) -> pl.DataFrame:
    """The mean score of each model over the tasks; its interval where there is one task."""
    ends = pl.when(pl.len() == 1).then(pl.col("low", "high").first()).name.prefix("score_")
    models = frame.group_by("role", "method", maintain_order=True)
    return models.agg(pl.col("score").mean(), ends)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a horizontal bar for each model; circles are single tasks."""
    bars = means(frame)
    figure, axes = new_figure(height=0.75 + 0.3 * len(bars))
    for y, (role, method, mean, *_) in enumerate(bars.iter_rows()):
        rows = frame.filter(role=role, method=method)
        score_bar(axes, y, mean, rows, model_style(role, method, styles).colour)
    chances = frame["chance"].drop_nulls().unique()
    if len(chances) == 1:
        axes.axvline(chances[0], color=MUTED, linewidth=0.9, linestyle=DASHES)
        text_above(axes, chances[0], "chance", gap=3, ha="left")
    row_labels(axes, [NAMES.get(str(role), str(method)) for role, method, *_ in bars.iter_rows()])
    several = frame["task"].n_unique() > 1
    axes.set_xlim(0, 1.1 * max(1.0, *frame["score" if several else "high"]))
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    over = ", mean over tasks" if several else ""
    axes.set_xlabel(f"{metric_title(frame['metric'][0])} on the test set{over}")
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say how many methods beat the supervisor and reach the ceiling, and every bar."""
    bars = means(frame)
    floor, ceiling = (bars.filter(role=role)["score"][0] for role in NAMES)
    scores = bars.filter(role="student")["score"].to_list()
    above, reached = sum(s > floor for s in scores), sum(s >= ceiling for s in scores)
    methods = f"{len(scores)} method{'s' if len(scores) > 1 else ''}"
    texts = (
        f"{NAMES.get(row['role'], row['method'])} {estimate_text(row, 'score')}"
        for row in bars.iter_rows(named=True)
    )
    return Description(
        title=f"Students of {above} of {methods} score above their supervisor; {reached} reach the "
        "ceiling",
        alt=listed(texts, "Bars: "),
        note=score_bars_note(frame["task"].n_unique()),
    )


SCORES = FigureKind("scores", data, draw, describe)
