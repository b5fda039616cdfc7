"""Scores and PGR of several runs against the student's size, with a colour for each supervisor.

Burns et al. 2023, figure 1 and its kin: ceilings in black.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.experiments.grid import FinishedGrid
from weak2strong.ground.metrics import metric_title
from weak2strong.models.trunk import trunk_of
from weak2strong.report.figures.drawing import curve, legend, panel_columns, pgr_range, size_axis
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.style import DASHES, MUTED, Styles, model_style, ordered_styles

APART = 0.02
"""The share of the horizontal axis between supervisors whose students are of one size."""


def runs_by_size(runs: Sequence[FinishedRun]) -> list[tuple[FinishedRun, int]]:
    """Each run with the parameters of its student's trunk.

    Returns:
        Nothing where a size is not known, all are the same, or the runs differ in tasks: then the
        runs do not compare sizes.
    """
    sized = [(run, size) for run in runs if (size := trunk_of(run.config.strong)) is not None]
    sizes, tasks = {size for _, size in sized}, {tuple(run.by_task) for run in runs}
    return sized if len(sized) == len(runs) and len(sizes) > 1 and len(tasks) == 1 else []


def sizes_data(runs: Sequence[FinishedRun]) -> pl.DataFrame | None:
    """One row for each run and method: means over the tasks.

    ``parameters`` are those of the strong trunk. ``pgr`` is a ratio of the means of the row; it is
    null where the PGR of some task is undefined. ``pgr_low`` and ``pgr_high`` are null where there
    are several tasks. There is no frame where the runs do not compare sizes, or differ in metric.
    """
    tables = [
        run.table().with_columns(run=pl.lit(i), parameters=pl.lit(size))
        for i, (run, size) in enumerate(runs_by_size(runs))
    ]
    return _over_tasks(pl.concat(tables, how="diagonal_relaxed")) if tables else None


def grid_data(grid: FinishedGrid) -> pl.DataFrame | None:
    """The same of a grid, whose table knows the sizes of models that are not on this machine."""
    renamed = grid.table().rename({"strong_parameters": "parameters"})
    return _over_tasks(renamed.with_columns(run=pl.lit(0)))


def _over_tasks(rows: pl.DataFrame) -> pl.DataFrame | None:
    """One row for each run and method, of rows for each run, task and method."""
    if rows["metric"].n_unique() > 1 or rows["parameters"].n_unique() < 2:
        return None
    student, floor, ceiling = pl.col("student"), pl.col("floor"), pl.col("ceiling")
    return (
        rows.group_by(
            "run", "weak", "strong", "parameters", "method", "metric", maintain_order=True
        )
        .agg(
            pl.col("floor", "student", "ceiling").mean(),
            pl.col("pgr").is_not_null().all().alias("known"),
            pl.when(pl.len() == 1).then(pl.col("pgr_low", "pgr_high").first()),
        )
        .with_columns(pl.when("known").then((student - floor) / (ceiling - floor)).alias("pgr"))
        .drop("run", "known")
        .select(pl.exclude("pgr_low", "pgr_high"), "pgr_low", "pgr_high")
        .sort("weak", "parameters", maintain_order=True)
    )


def supervisor_styles(frame: pl.DataFrame) -> Styles:
    """A style for each supervisor, in the order of their floors."""
    return ordered_styles(frame.sort("floor")["weak"].unique(maintain_order=True))


def size_panels(
    frame: pl.DataFrame, labels: Sequence[str], height: float
) -> tuple[Figure, dict[str, list[Axes]]]:
    """A column of panels for each method over the size of the student (see `panel_columns`)."""
    methods = frame["method"].unique(maintain_order=True).to_list()
    figure, panels = panel_columns(methods, labels, height, most=4)
    size_axis(panels[methods[0]][0], frame["parameters"].unique().sort().to_list())
    figure.supxlabel("parameters of the student")
    return figure, panels


def supervised_curves(axes: Axes, rows: pl.DataFrame, column: str, supervisors: Styles) -> None:
    """Draw a curve over the size of the student for each supervisor."""
    for weak, style in supervisors.items():
        points = rows.filter(weak=weak)
        if len(points):
            label = f"supervised by {weak}"
            curve(axes, points["parameters"], points[column], style, label=label)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a column for each method: scores above, PGR beneath as far as there is any."""
    labels = [metric_title(frame["metric"][0])]
    labels += ["PGR"] if frame["pgr"].is_not_null().any() else []
    figure, panels = size_panels(frame, labels, 0.8 + 1.8 * len(labels))
    supervisors = supervisor_styles(frame)
    low, high = pgr_range(x for end in ("pgr", "pgr_low", "pgr_high") for x in frame[end])
    for method, (scores, *pgr) in panels.items():
        rows = frame.filter(method=method)
        _scores(scores, rows, supervisors)
        for axes in pgr:
            _pgr(axes, rows, supervisors)
            axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    first, *_ = next(iter(panels.values()))
    legend(figure, 3, handles=first.get_legend_handles_labels()[0])
    return figure


def _scores(axes: Axes, rows: pl.DataFrame, supervisors: Styles) -> None:
    """Draw the scores of one method: the ceiling, and student and floor of each supervisor."""
    ceilings = rows.group_by("parameters").agg(pl.col("ceiling").mean()).sort("parameters")
    style = model_style("ceiling", "", supervisors)
    edge = {"markeredgecolor": style.colour, "label": "ceiling"}
    curve(axes, ceilings["parameters"], ceilings["ceiling"], style, 4, **edge)
    supervised_curves(axes, rows, "student", supervisors)
    for (weak,), group in rows.group_by("weak"):
        colour, floor = supervisors[str(weak)].colour, sum(group["floor"]) / len(group)
        axes.axhline(floor, color=colour, linewidth=0.9, linestyle=DASHES)


def _pgr(axes: Axes, rows: pl.DataFrame, supervisors: Styles) -> None:
    """Draw the PGR of one method; supervisors of students of one size stand side by side."""
    left, right = axes.get_xlim()
    for end in (0, 1):
        axes.axhline(end, color=MUTED, linewidth=0.7)
    for i, (weak, style) in enumerate(supervisors.items()):
        aside = (right / left) ** (APART * (i - (len(supervisors) - 1) / 2))
        known = rows.filter(weak=weak).drop_nulls("pgr").with_columns(pl.col("parameters") * aside)
        curve(axes, known["parameters"], known["pgr"], style)
        columns = ("parameters", "pgr_low", "pgr_high")
        x, low, high = (known.drop_nulls("pgr_low")[column].to_list() for column in columns)
        axes.vlines(x, low, high, color=style.colour, linewidth=1, alpha=0.7)


def describe(frame: pl.DataFrame) -> Description:
    """Say what the axes are, and every point."""
    sizes = frame["parameters"].n_unique()
    texts = (
        f"{r['weak']} to {r['strong']} ({r['parameters']:,} parameters), {r['method']}: floor "
        f"{r['floor']:.3f}, student {r['student']:.3f}, ceiling {r['ceiling']:.3f}"
        for r in frame.iter_rows(named=True)
    )
    note = "Means over tasks and seeds; dashed: the supervisor's score. "
    if frame["pgr"].is_null().all():
        note += "Every run has a task without a gap, so there is no PGR of these means."
    else:
        intervals = "thin lines are 95% intervals, which the edge of a panel may cut."
        if frame["pgr_low"].is_null().all():
            intervals = "its intervals stand in the table."
        note += (
            "PGR here is the ratio of these means, left out where a run has a task without a gap; "
            + intervals
        )
    return Description(
        title=f"Scores and PGR of students of {sizes} sizes, by supervisor",
        alt=listed(texts),
        note=note,
    )


SIZES = FigureKind("sizes", sizes_data, draw, describe)
GRID_SIZES = FigureKind("sizes", grid_data, draw, describe)
