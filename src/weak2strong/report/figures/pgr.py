"""The PGR of each method with its interval, and beside it those of single tasks or seeds."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.table import pgr_text
from weak2strong.report.figures.drawing import (
    FURTHEST,
    circles,
    curve,
    new_figure,
    role_lines,
    row_labels,
    text_above,
    text_at,
)
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.style import Styles


def data(run: FinishedRun) -> pl.DataFrame | None:
    """One row for each method as a whole, and one for each of its tasks or seeds.

    The column ``of`` says what a row is about: ``mean over tasks``, ``pooled over tasks`` (where
    fewer than two tasks have a gap), ``task`` with its name, or ``seed`` with its number. There is
    no frame where no method has a PGR.
    """
    over, whole, parts = run.over, [], []
    for line in run.lines():
        r = line.recovered
        if over is None:
            seeds = ((f"seed {seed}", x) for seed, x in enumerate(r.per_seed) if x == x)
            parts += [(line.method, name, x, None, None) for name, x in seeds]
        if r.value is not None and r.interval is not None:
            row = (r.value, r.interval.low, r.interval.high)
            if over is None:
                whole.append((line.method, line.task, *row))
            elif line.task in over.used:
                parts.append((line.method, f"task {line.task}", *row))
    for method, pgr in over.methods.items() if over else ():
        used = len(over.used) if over else 0
        mean = (f"mean over {used} tasks", pgr.mean, pgr.mean_interval)
        pooled = ("pooled over all tasks", pgr.pooled, pgr.pooled_interval)
        for name, value, interval in (mean, pooled):
            if value is not None and interval is not None:
                whole.append((method, name, value, interval.low, interval.high))
                break
    columns = {"method": pl.String, "of": pl.String}
    columns |= dict.fromkeys(("pgr", "low", "high"), pl.Float64)
    return pl.DataFrame(whole + parts, schema=columns, orient="row") if whole else None


def _split(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of methods as a whole, with the fields of an estimate; and all other rows."""
    part = frame["of"].str.contains("^(task|seed) ")
    whole = frame.filter(~part).rename({"low": "pgr_low", "high": "pgr_high"})
    return whole, frame.filter(part)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a row for each method; the supervisor stands at 0 and the ceiling at 1."""
    whole, parts = _split(frame)
    figure, axes = new_figure(height=0.95 + 0.3 * len(whole))
    near = parts.filter(pl.col("pgr").is_between(-FURTHEST, 1 + FURTHEST))
    for y, row in enumerate(whole.iter_rows(named=True)):
        style = styles[row["method"]]
        ring = {"color": "none", "markeredgecolor": style.colour, "markersize": 4, "alpha": 0.75}
        circles(axes, near.filter(method=row["method"])["pgr"].to_list(), y, **ring)
        axes.hlines(y, row["pgr_low"], row["pgr_high"], color=style.colour, linewidth=2.2)
        curve(axes, row["pgr"], y, style, 8, zorder=3)
        text_at(axes, (1, y), pgr_text(row), xycoords=("axes fraction", "data"))
    role_lines(axes)
    text_above(axes, 0, "supervisor")
    text_above(axes, 1, "ceiling")
    row_labels(axes, whole["method"].to_list())
    ends = [0.0, 1.0, *whole["pgr_low"], *whole["pgr_high"], *near["pgr"]]
    room = 0.06 * (max(ends) - min(ends))
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.set_xlabel("performance gap recovered (PGR)")
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say whose PGR is highest, and the PGR of every method."""
    whole, parts = _split(frame)
    kind, scope = frame["of"][-1].split()[0], whole["of"][0]
    outside = sum(not -FURTHEST <= x <= 1 + FURTHEST for x in parts["pgr"])
    note = f"Marks and lines: PGR, {scope}, with 95% intervals."
    if len(parts):
        note += f" Circles: single {kind}s"
        note += f", {outside} of which lie outside of the picture." if outside else "."
    texts = (f"{row['method']} {pgr_text(row)}" for row in whole.iter_rows(named=True))
    return Description(_title(whole), listed(texts, f"PGR, {scope}: "), note)


def _title(whole: pl.DataFrame) -> str:
    """Which method has the highest PGR, and whether the intervals leave that open."""
    ranked = whole.sort("pgr", descending=True)
    best = ranked.row(0, named=True)
    if len(ranked) == 1:
        return f"Students of {best['method']} recover {100 * best['pgr']:.0f}% of the gap"
    overlap = best["pgr_low"] <= ranked["pgr_high"][1]
    tail = ", though intervals overlap" if overlap else ""
    return f"The highest PGR is that of {best['method']}, {best['pgr']:.2f}{tail}"


PGR = FigureKind("pgr", data, draw, describe)
