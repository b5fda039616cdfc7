"""A small panel for each task: where the students stand between floor and ceiling."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric_title
from weak2strong.report.figures.drawing import (
    WIDTH,
    clipped,
    curve,
    panel_grid,
    role_lines,
    row_labels,
)
from weak2strong.report.figures.kind import Description, FigureKind, listed, marked, oracles_note
from weak2strong.report.figures.scores import data as scores
from weak2strong.report.figures.style import GRID, Styles


def data(run: FinishedRun) -> pl.DataFrame | None:
    """The frame of the figure `scores`; None for one task, which that figure shows."""
    return scores(run) if len(run.by_task) > 1 else None


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw the panels in the order of the study, on one scale."""
    tasks = frame["task"].unique(maintain_order=True).to_list()
    methods = frame.filter(role="student")["method"].unique(maintain_order=True).to_list()
    labels, inner = marked(frame, methods), 0.16 * len(methods) + 0.1
    # Margins by hand: with many panels, to have them computed takes longer than to draw.
    figure, panels = panel_grid(tasks, 3, inner + 0.36, 28, layout="none")
    height = figure.get_figheight()
    figure.subplots_adjust(
        left=(0.25 + 0.062 * max(len(clipped(m)) for m in labels)) / WIDTH,
        right=1 - 0.1 / WIDTH,
        top=1 - 0.25 / height,
        bottom=0.5 / height,
        wspace=0.08,
        hspace=0.36 / inner,
    )
    for task, axes in panels.items():
        rows = frame.filter(task=task)
        floor, ceiling = (rows.filter(role=r)["score"][0] for r in ("floor", "ceiling"))
        axes.axvspan(*sorted((floor, ceiling)), color=GRID, alpha=0.55, linewidth=0)
        role_lines(axes, floor, ceiling, linewidth=1.4)
        students = rows.filter(role="student").rows_by_key("method", named=True, unique=True)
        for y, method in enumerate(methods):
            score, low, high = (students[method][name] for name in ("score", "low", "high"))
            axes.hlines(y, low, high, color=styles[method].colour, linewidth=1.1)
            curve(axes, score, y, styles[method], 5, markeredgewidth=0.5)
        row_labels(axes, labels)
        axes.tick_params(axis="y", labelsize=7)
    low, high = min(frame["score"]), max(frame["score"])
    panels[tasks[0]].set_xlim(low - 0.07 * (high - low), high + 0.07 * (high - low))
    figure.supxlabel(f"{metric_title(frame['metric'][0])} on the test set", y=0.08 / height)
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say on how many tasks students beat their supervisor, and their scores on each task."""
    by_role = frame.group_by("task", "role", maintain_order=True).agg(
        pl.col("score").min().alias("low"),
        pl.col("score").mean().alias("mean"),
        pl.col("score").max().alias("high"),
    )
    texts, better = [], 0
    supervised = set(frame.filter("supervised")["task"])
    for (task,), rows in by_role.group_by("task", maintain_order=True):
        scores_of = rows.rows_by_key("role", named=True, unique=True)
        floor, student, ceiling = (scores_of[role] for role in ("floor", "student", "ceiling"))
        better += task in supervised and student["mean"] > floor["mean"]
        texts.append(
            f"{task}: floor {floor['mean']:.3f}, students {student['low']:.3f} to "
            f"{student['high']:.3f}, ceiling {ceiling['mean']:.3f}"
        )
    return Description(
        title=_title(better, len(supervised), len(texts)),
        alt=listed(texts),
        note="Grey line: supervisor (floor). Black line: ceiling. Band: the gap between them. "
        "Marks: students with 95% intervals, which the edge of a panel may cut."
        f"{oracles_note(frame, titled=False)}",
    )


def _title(better: int, supervised: int, tasks: int) -> str:
    """On how many of the tasks whose supervisors know something students are above these."""
    if not supervised:
        return f"On none of {tasks} tasks is the supervisor clearly above chance"
    which, of = f"{tasks} tasks", f"{better} of"
    if supervised < tasks:
        what = "task" if supervised == 1 else "tasks"
        which = f"{supervised} {what} (of {tasks}) whose supervisor is clearly above chance"
        of = "the" if better == supervised else f"{better} of the"
    return f"On {of} {which}, the students' mean is above the supervisor's score"


TASKS = FigureKind("tasks", data, draw, describe)
