"""Scores and PGR against the student's size, a hue a supervisor, of several runs.

Burns et al. 2023, figure 1 and its kin: ceilings in black.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import CEILING, COLOURS, MARKS, MUTED, PAPER, Looks, new
from weak2strong.report.finished import Finished
from weak2strong.report.table import TITLES

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure


def sizes_data(runs: Sequence[Finished]) -> pl.DataFrame | None:
    """A row a run and method: means over the tasks that all runs have.

    Columns weak, strong, parameters (of the strong trunk), method, metric, floor, student,
    ceiling, pgr (a ratio of these means; null where the ceiling is not above the floor). None
    where fewer than two sizes are known, or runs differ in tasks or metric.
    """
    import polars as pl
    import torch

    from weak2strong.models.guess import guess

    metrics, tasks = {x.metric for r in runs for x in r.lines}, {tuple(r.by_task) for r in runs}
    if len(metrics) > 1 or len(tasks) > 1:
        return None
    rows = []
    for run in runs:
        size = guess(run.config.strong, torch.device("cpu")).trunk
        if size is None:
            return None
        for method in run.config.methods:
            of = [x.recovered for x in run.lines if x.method == method]
            floor, student, ceiling = (
                sum(getattr(r, role) for r in of) / len(of)
                for role in ("floor", "student", "ceiling")
            )
            known = all(not r.undefined for r in of)
            pgr = (student - floor) / (ceiling - floor) if known else None
            models = (run.config.weak_name, run.config.strong.name, size)
            rows.append((*models, method, run.lines[0].metric, floor, student, ceiling, pgr))
    columns = ["weak", "strong", "parameters", "method", "metric"]
    columns += ["floor", "student", "ceiling", "pgr"]
    frame = pl.DataFrame(rows, schema=columns, orient="row", schema_overrides={"pgr": pl.Float64})
    return frame.sort("weak", "parameters") if frame["parameters"].n_unique() > 1 else None


def draw(frame: pl.DataFrame, looks: Looks) -> Figure:
    """A panel a method; scores above, PGR beneath."""
    import polars as pl

    methods = frame["method"].unique(maintain_order=True).to_list()
    hues = dict(
        zip(
            frame.sort("floor")["weak"].unique(maintain_order=True),
            zip(COLOURS * 4, MARKS * 4, strict=True),
            strict=False,
        )
    )
    figure, grid = new(2, len(methods), 4.4, sharex=True, sharey="row", squeeze=False)
    sizes = frame["parameters"].unique().sort().to_list()
    for column, method in enumerate(methods):
        scores, pgr = grid[:, column]
        of = frame.filter(method=method)
        top = of.group_by("parameters").agg(pl.col("ceiling").mean()).sort("parameters")
        scores.plot(
            top["parameters"].to_list(),
            top["ceiling"].to_list(),
            "o-",
            color=CEILING,
            markersize=4,
            label="ceiling" if column == 0 else None,
        )
        for weak, (colour, mark) in hues.items():
            rows = of.filter(weak=weak)
            if not len(rows):
                continue
            x = rows["parameters"].to_list()
            style = {"color": colour, "marker": mark, "markeredgecolor": PAPER, "markersize": 6}
            scores.plot(
                x,
                rows["student"].to_list(),
                **style,
                label=f"supervised by {weak}" if column == 0 else None,
            )
            scores.axhline(rows["floor"].mean(), color=colour, linewidth=0.9, linestyle=(0, (2, 2)))
            known = rows.drop_nulls("pgr")
            pgr.plot(known["parameters"].to_list(), known["pgr"].to_list(), **style)
        for at in (0, 1):
            pgr.axhline(at, color=MUTED, linewidth=0.7)
        for axes in (scores, pgr):
            axes.set_xscale("log")
            axes.set_xticks(sizes, [_short(size) for size in sizes])
            axes.minorticks_off()
            axes.grid(axis="y")
        scores.set_title(method)
    grid[0, 0].set_ylabel(TITLES.get(frame["metric"][0], frame["metric"][0]))
    grid[1, 0].set_ylabel("PGR")
    figure.supxlabel("parameters of the student", fontsize=9)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


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
    return (
        "Means over tasks and seeds; dashed: the supervisor's score; black: the ceiling. "
        "PGR here is the ratio of these means, left out where a run has a task without a gap; "
        "its intervals stand in the table."
    )


SIZES = FigureKind("sizes", lambda run: None, draw, title, alt, note)
