"""A small panel a task: where each method's students stand between floor and ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric_title
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.scores import data as scores
from weak2strong.report.figures.style import (
    CEILING,
    FLOOR,
    GRID,
    PAPER,
    WIDTH,
    Styles,
    clipped,
    new_figure,
    row_labels,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

COLUMNS = 3


def data(run: FinishedRun) -> pl.DataFrame | None:
    """The frame of `scores`; None where there is one task, which that figure shows."""
    return scores(run) if len(run.by_task) > 1 else None


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Panels in the order of the study, on one scale."""
    by_task = frame.rows_by_key("task", named=True)
    tasks = list(by_task)
    methods = frame.filter(role="student")["method"].unique(maintain_order=True).to_list()
    columns = min(COLUMNS, len(tasks))
    rows = -(-len(tasks) // columns)
    height = 0.4 + rows * (0.46 + 0.16 * len(methods))
    # Margins by hand: with many panels, to have them computed takes longer than to draw.
    figure, grid = new_figure(
        rows, columns, height, layout="none", sharex=True, sharey=True, squeeze=False
    )
    left = 0.25 + 0.062 * max(len(clipped(m)) for m in methods)
    inner = 0.16 * len(methods) + 0.1
    figure.subplots_adjust(
        left=left / WIDTH,
        right=1 - 0.1 / WIDTH,
        top=1 - 0.25 / height,
        bottom=0.5 / height,
        wspace=0.08,
        hspace=0.36 / inner,
    )
    panels = grid.ravel()
    for axes, task in zip(panels, tasks, strict=False):
        of = {(row["role"], row["method"]): row for row in by_task[task]}
        ends = {r: of[r, ""]["score"] for r in ("floor", "ceiling")}
        axes.axvspan(*sorted(ends.values()), color=GRID, alpha=0.55, linewidth=0)
        axes.axvline(ends["floor"], color=FLOOR, linewidth=1.4)
        axes.axvline(ends["ceiling"], color=CEILING, linewidth=1.4)
        for y, method in enumerate(methods):
            row, style = of["student", method], styles[method]
            axes.plot([row["low"], row["high"]], [y, y], color=style.colour, linewidth=1.1)
            axes.plot(
                row["score"],
                y,
                style.mark,
                color=style.colour,
                markeredgecolor=PAPER,
                markeredgewidth=0.5,
                markersize=5,
            )
        axes.set_title(clipped(task, 28), pad=3)
        row_labels(axes, methods)
        axes.tick_params(axis="y", labelsize=7)
    for axes in panels[len(tasks) :]:
        axes.remove()
    for axes in panels[max(0, len(tasks) - columns) : len(tasks)]:
        axes.tick_params(axis="x", labelbottom=True)
    low, high = float(frame["score"].min()), float(frame["score"].max())  # pyright: ignore
    axes = panels[0]
    axes.set_xlim(low - 0.07 * (high - low), high + 0.07 * (high - low))
    metric = metric_title(frame["metric"][0])
    figure.supxlabel(f"{metric} on the test set", fontsize=9, y=0.08 / height)
    return figure


def title(frame: pl.DataFrame) -> str:
    """On how many tasks the students beat their supervisor."""
    wide = frame.pivot("role", index="task", values="score", aggregate_function="mean")
    better = int((wide["student"] > wide["floor"]).sum())
    return f"On {better} of {len(wide)} tasks the students' mean is above the supervisor's score"


def alt(frame: pl.DataFrame) -> str:
    """Each task's range of students between floor and ceiling."""
    said = []
    for task in frame["task"].unique(maintain_order=True):
        of = frame.filter(task=task)
        floor, ceiling = (of.filter(role=r)["score"][0] for r in ("floor", "ceiling"))
        students = of.filter(role="student")["score"]
        said.append(
            f"{task}: floor {floor:.3f}, students {students.min():.3f} to {students.max():.3f}, "
            f"ceiling {ceiling:.3f}"
        )
    return "; ".join(said) + "."


def note(frame: pl.DataFrame) -> str:
    """What lines and bands are."""
    return (
        "Grey line: supervisor (floor). Black line: ceiling. Band: the gap between them. "
        "Marks: students with 95% intervals, which the edge of a panel may cut."
    )


TASKS = FigureKind("tasks", data, draw, title, alt, note)
