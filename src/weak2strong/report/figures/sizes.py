"""Scores and PGR against the student's size, a hue a supervisor, of several runs.

Burns et al. 2023, figure 1 and its kin: ceilings in black.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric_title
from weak2strong.models.trunk import trunk_of
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.pgr import FURTHEST
from weak2strong.report.figures.style import (
    CEILING,
    COLOURS,
    MARKS,
    MUTED,
    PAPER,
    MethodStyle,
    Styles,
    panel_columns,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 4
"""Methods side by side."""

ROOM, APART = 0.12, 0.02
"""Shares of the horizontal axis: beside the sizes, and between supervisors of one size."""


def sizes_data(runs: Sequence[FinishedRun]) -> pl.DataFrame | None:
    """A row a run and method: means over the tasks that all runs have.

    Columns weak, strong, parameters (of the strong trunk), method, metric, floor, student,
    ceiling, pgr (a ratio of these means; null where it is undefined on a task), pgr_low and
    pgr_high (null where there are several tasks). None where fewer than two sizes are known, or
    runs differ in tasks or metric.
    """
    import polars as pl

    if len({tuple(run.by_task) for run in runs}) > 1:
        return None
    rows = []
    for i, run in enumerate(runs):
        size = trunk_of(run.config.strong)
        if size is None:
            return None
        for line in run.lines():
            r = line.recovered
            scores = {"floor": r.floor, "student": r.student, "ceiling": r.ceiling}
            about = {"weak": run.config.weak_name, "strong": run.config.strong.name}
            about |= {"parameters": size, "method": line.method, "metric": line.metric}
            rows.append({"run": i, **about, **scores, **r.pgr})
    nullable = dict.fromkeys(("pgr", "pgr_low", "pgr_high"), pl.Float64)
    return _over_tasks(pl.DataFrame(rows, schema_overrides=nullable | {"undefined": pl.String}))


def grid_data(grid: pl.DataFrame) -> pl.DataFrame | None:
    """The same of a grid: of rows as `weak2strong.analysis.grid.grid_rows` makes them."""
    import polars as pl

    renamed = grid.rename({"strong_parameters": "parameters"})
    return _over_tasks(renamed.with_columns(run=pl.lit(0)))


def _over_tasks(rows: pl.DataFrame) -> pl.DataFrame | None:
    """A row a run and method of a row a run, task and method."""
    import polars as pl

    if rows["metric"].n_unique() > 1 or rows["parameters"].n_unique() < 2:
        return None
    scores = ("floor", "student", "ceiling")
    ends = pl.col("pgr_low", "pgr_high")
    student, floor, ceiling = pl.col("student"), pl.col("floor"), pl.col("ceiling")
    return (
        rows.group_by(
            "run", "weak", "strong", "parameters", "method", "metric", maintain_order=True
        )
        .agg(
            pl.col(scores).mean(),
            pl.col("pgr").is_not_null().all().alias("known"),
            pl.when(pl.len() == 1).then(ends.first()),
        )
        .with_columns(pl.when("known").then((student - floor) / (ceiling - floor)).alias("pgr"))
        .drop("run", "known")
        .select(pl.exclude("pgr_low", "pgr_high"), "pgr_low", "pgr_high")
        .sort("weak", "parameters", maintain_order=True)
    )


def hues(frame: pl.DataFrame) -> Styles:
    """A look a supervisor, by its floor."""
    names = frame.sort("floor")["weak"].unique(maintain_order=True)
    every = map(MethodStyle, COLOURS * len(names), MARKS * len(names))
    return dict(zip(names, every, strict=False))


def sizes_axis(axes: Axes, sizes: Sequence[int]) -> None:
    """Make the horizontal axis one of parameters, logarithmic, with a tick a size."""
    axes.set_xscale("log")
    axes.set_xticks(sizes, [_short(size) for size in sizes])
    axes.minorticks_off()
    room = (max(sizes) / min(sizes)) ** ROOM
    axes.set_xlim(min(sizes) / room, max(sizes) * room)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A column of panels a method; scores above, PGR beneath as far as there is any."""
    methods = frame["method"].unique(maintain_order=True).to_list()
    sizes = frame["parameters"].unique().sort().to_list()
    labels = [str(metric_title(frame["metric"][0]))]
    labels += ["PGR"] if frame["pgr"].is_not_null().any() else []
    figure, panels = panel_columns(methods, labels, 0.8 + 1.8 * len(labels), COLUMNS)
    for method, (scores, *pgr) in panels.items():
        of = frame.filter(method=method)
        _scores(scores, of, hues(frame), labelled=method == methods[0])
        for axes in pgr:
            _pgr(axes, of, hues(frame), sizes[-1] / sizes[0])
    first, *pgr = panels[methods[0]]
    sizes_axis(first, sizes)
    for axes in pgr:
        ends = frame.select("pgr", "pgr_low", "pgr_high").unpivot()["value"].drop_nulls()
        low, high = max(min(0.0, *ends), -FURTHEST), min(max(1.0, *ends), 1 + FURTHEST)
        axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    figure.supxlabel("parameters of the student", fontsize=9)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _scores(axes: Axes, of: pl.DataFrame, supervisors: Styles, labelled: bool) -> None:
    """Scores of one method: ceiling, and student and floor of each supervisor."""
    import polars as pl

    top = of.group_by("parameters").agg(pl.col("ceiling").mean()).sort("parameters")
    axes.plot(
        top["parameters"].to_list(),
        top["ceiling"].to_list(),
        "o-",
        color=CEILING,
        markersize=4,
        label="ceiling" if labelled else None,
    )
    for weak, style in supervisors.items():
        rows = of.filter(weak=weak)
        if not len(rows):
            continue
        axes.plot(
            rows["parameters"].to_list(),
            rows["student"].to_list(),
            color=style.colour,
            marker=style.mark,
            markeredgecolor=PAPER,
            label=f"supervised by {weak}" if labelled else None,
        )
        floor = sum(rows["floor"]) / len(rows)
        axes.axhline(floor, color=style.colour, linewidth=0.9, linestyle=(0, (2, 2)))


def _pgr(axes: Axes, of: pl.DataFrame, supervisors: Styles, span: float) -> None:
    """PGR of one method, supervisors side by side where their students are of one size."""
    for at in (0, 1):
        axes.axhline(at, color=MUTED, linewidth=0.7)
    for i, (weak, style) in enumerate(supervisors.items()):
        rows = of.filter(weak=weak).drop_nulls("pgr")
        aside = span ** (APART * (i - (len(supervisors) - 1) / 2))
        x = [size * aside for size in rows["parameters"]]
        axes.plot(
            x, rows["pgr"].to_list(), color=style.colour, marker=style.mark, markeredgecolor=PAPER
        )
        for at, low, high in zip(x, rows["pgr_low"], rows["pgr_high"], strict=True):
            if low is not None:
                axes.plot([at, at], [low, high], color=style.colour, linewidth=1, alpha=0.7)


def _short(count: int) -> str:
    """A number of parameters, such as ``238k`` or ``7.2B``."""
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= unit:
            return f"{count / unit:.3g}{name}"
    return str(count)


def title(frame: pl.DataFrame) -> str:
    """What is on the axes."""
    n = frame["parameters"].n_unique()
    return f"Scores and PGR of students of {n} sizes, by supervisor"


def alt(frame: pl.DataFrame) -> str:
    """Every point."""
    return (
        "; ".join(
            f"{r['weak']} to {r['strong']} ({r['parameters']:,} parameters), {r['method']}: floor "
            f"{r['floor']:.3f}, student {r['student']:.3f}, ceiling {r['ceiling']:.3f}"
            for r in frame.iter_rows(named=True)
        )
        + "."
    )


def note(frame: pl.DataFrame) -> str:
    """What lines are."""
    if frame["pgr"].is_null().all():
        return (
            "Means over tasks and seeds; dashed: the supervisor's score. Every run has a task "
            "without a gap, so there is no PGR of these means."
        )
    return (
        "Means over tasks and seeds; dashed: the supervisor's score. "
        "PGR here is the ratio of these means, left out where a run has a task without a gap"
        + (
            "; its intervals stand in the table."
            if frame["pgr_low"].is_null().all()
            else "; thin lines are 95% intervals, which the edge of a panel may cut."
        )
    )


SIZES = FigureKind("sizes", sizes_data, draw, title, alt, note)
GRID_SIZES = FigureKind("sizes", grid_data, draw, title, alt, note)
