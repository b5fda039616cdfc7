"""Score and imitation against the share of training done, with three points of each method.

Burns et al. 2023, section 5.1.1: students overfit to weak labels within an epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weak2strong.analysis.overfitting import CHOSEN, Reached
from weak2strong.ground.metrics import metric_title
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import (
    CEILING,
    FLOOR,
    INK,
    PAPER,
    Styles,
    panel_columns,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS = {"best": ("*", 11), "stopped": ("o", 6), "last": ("s", 5.5)}
"""Marks of the points, and their sizes."""

SHOWN = ("test_score", "agreement_wrong")
"""What is drawn, from top to bottom."""

COLUMNS = 3
"""Tasks side by side."""


def data(followed: tuple[pl.DataFrame, Sequence[Reached]]) -> pl.DataFrame:
    """A row an evaluation: the curves, with the mean floor and ceiling of each task.

    Args:
        followed: curves, and what `weak2strong.analysis.overfitting.reached` says of them.
    """
    import polars as pl

    curves, found = followed
    ends = {x.task: (x.task, x.recovered.floor, x.recovered.ceiling) for x in found}
    frame = pl.DataFrame(list(ends.values()), schema=["task", "floor", "ceiling"], orient="row")
    wanted = ["task", "method", "seed", "fraction", "metric", *SHOWN, *CHOSEN]
    return curves.select(wanted).join(frame, on="task", maintain_order="left")


def _means(frame: pl.DataFrame) -> pl.DataFrame:
    """A row a task, method and evaluation: means, least and most over seeds."""
    import polars as pl

    number = pl.int_range(pl.len()).over("task", "method", "seed").alias("evaluation")
    return (
        frame.with_columns(number)
        .group_by("task", "method", "evaluation", maintain_order=True)
        .agg(
            pl.col("fraction").mean(),
            pl.col(SHOWN).mean(),
            pl.col(SHOWN).min().name.suffix("_low"),
            pl.col(SHOWN).max().name.suffix("_high"),
        )
    )


def _points(frame: pl.DataFrame) -> pl.DataFrame:
    """A row a task, method and point: means over the seeds' own points."""
    import polars as pl

    return pl.concat(
        frame.filter(point)
        .group_by("task", "method", maintain_order=True)
        .agg(pl.col("fraction", *SHOWN).mean())
        .with_columns(point=pl.lit(point))
        for point in CHOSEN
    )


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A column a task; scores above, imitation beneath."""
    tasks = frame["task"].unique(maintain_order=True).to_list()
    methods = frame["method"].unique(maintain_order=True).to_list()
    means, points = _means(frame), _points(frame)
    metric = metric_title(frame["metric"][0])
    labels = (f"{metric} on the test set", "agreement with\nwrong weak labels")
    figure, panels = panel_columns(tasks, labels, 4.4, COLUMNS, one_scale=False)
    for task, column in panels.items():
        ends = frame.filter(task=task)
        column[0].axhline(ends["floor"][0], color=FLOOR, linewidth=1.2)
        column[0].axhline(ends["ceiling"][0], color=CEILING, linewidth=1.2)
        for axes, shown in zip(column, SHOWN, strict=True):
            for method in methods:
                of = {"task": task, "method": method}
                line, marks = (x.filter(**of).drop_nulls(shown) for x in (means, points))
                _curve(axes, line, marks, shown, styles[method].colour)
            axes.set_xlim(-0.02, 1.04)
            axes.set_xticks([0, 0.5, 1], ["0", "50%", "100%"])
    axes = panels[tasks[0]][0]
    for method in methods:
        axes.plot([], [], color=styles[method].colour, label=method)
    for point, (mark, size) in MARKS.items():
        axes.plot([], [], mark, color=INK, markeredgecolor=PAPER, markersize=size, label=point)
    axes.plot([], [], color=FLOOR, linewidth=1.2, label="supervisor (floor)")
    axes.plot([], [], color=CEILING, linewidth=1.2, label="ceiling")
    figure.legend(loc="outside upper center", ncols=4)
    figure.supxlabel("share of training done", fontsize=9)
    return figure


def _curve(axes: Axes, means: pl.DataFrame, points: pl.DataFrame, shown: str, colour: str) -> None:
    """One method on one task: line, band (of no width where there is one seed) and marks."""
    x = means["fraction"].to_list()
    low, high = (means[f"{shown}_{end}"].to_list() for end in ("low", "high"))
    axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(x, means[shown].to_list(), color=colour)
    for fraction, value, point in points.select("fraction", shown, "point").iter_rows():
        mark, size = MARKS[point]
        style = {"color": colour, "markeredgecolor": PAPER, "markersize": size}
        axes.plot(fraction, value, mark, zorder=3, **style)


def _lost(frame: pl.DataFrame) -> dict[str, float]:
    """Best minus last score of each method, the mean over tasks."""
    import polars as pl

    means = _points(frame).group_by("method", "point", maintain_order=True)
    scores = {(m, p): x for m, p, x in means.agg(pl.col(SHOWN[0]).mean()).iter_rows()}
    return {m: scores[m, "best"] - scores[m, "last"] for m in dict.fromkeys(m for m, _ in scores)}


def title(frame: pl.DataFrame) -> str:
    """What training beyond the best point costs, and whom most and least."""
    lost, metric = _lost(frame), metric_title(frame["metric"][0])
    most, least = max(lost, key=lost.__getitem__), min(lost, key=lost.__getitem__)
    text = f"From their best point to the end, students of {most} lose {lost[most]:.3f} {metric}"
    return text if most == least else f"{text}, those of {least} {lost[least]:.3f}"


def alt(frame: pl.DataFrame) -> str:
    """Every point."""
    said = []
    for (task,), of in _points(frame).group_by("task", maintain_order=True):
        ends = frame.filter(task=task)
        said.append(
            f"{task}: floor {ends['floor'][0]:.3f}, ceiling {ends['ceiling'][0]:.3f}, "
            + ", ".join(
                f"{r['method']} {r['point']} {r['test_score']:.3f} at {r['fraction']:.0%}"
                for r in of.iter_rows(named=True)
            )
        )
    return "; ".join(said) + "."


def note(frame: pl.DataFrame) -> str:
    """What lines, bands and marks are."""
    chosen = ", ".join(f"{point} ({by})" for point, by in CHOSEN.items())
    one = f"Marks: {chosen}."
    if frame["seed"].n_unique() == 1:
        return f"Lines: one seed. {one}"
    return (
        "Lines: means over seeds; bands: from the lowest to the highest of them. "
        f"{one} They stand at the means of the seeds' own points, which may be off the line."
    )


OVERFITTING = FigureKind("overfitting", data, draw, title, alt, note)
