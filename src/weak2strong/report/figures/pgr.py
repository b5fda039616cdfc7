"""PGR by method: over tasks with its interval, and each task beside it; or one task's seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.finished import FinishedRun
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import (
    CEILING,
    FLOOR,
    MUTED,
    PAPER,
    Styles,
    new_figure,
    row_labels,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

FURTHEST = 1.0
"""How far beyond floor and ceiling, in gaps, a single task or seed is still drawn."""


def data(run: FinishedRun) -> pl.DataFrame | None:
    """A row a method for the whole, with interval, and a row a task or seed; None without a PGR.

    ``of`` says what a row is: ``mean over tasks``, ``pooled over tasks`` (where fewer than two
    tasks have a gap), ``task`` (of that name) or ``seed``.
    """
    import polars as pl

    rows = []
    for line in run.lines():
        r = line.recovered
        if run.over is None:
            if r.value is not None and r.interval is not None:
                rows.append((line.method, line.task, r.value, r.interval.low, r.interval.high))
            rows.extend(
                (line.method, f"seed {i}", x, None, None)
                for i, x in enumerate(r.per_seed)
                if x == x
            )
        elif line.task in run.over.used and r.value is not None and r.interval is not None:
            of = f"task {line.task}"
            rows.append((line.method, of, r.value, r.interval.low, r.interval.high))
    if run.over is not None:
        whole = []
        for method, a in run.over.methods.items():
            for of, value, interval in (
                (f"mean over {len(run.over.used)} tasks", a.mean, a.mean_interval),
                ("pooled over all tasks", a.pooled, a.pooled_interval),
            ):
                if value is not None and interval is not None:
                    whole.append((method, of, value, interval.low, interval.high))
                    break
        rows = whole + rows
        if not whole:
            return None
    if not rows:
        return None
    names = ("pgr", "low", "high")
    schema = {"method": pl.String, "of": pl.String} | dict.fromkeys(names, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _whole(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    parts = pl.col("of").str.starts_with("task ") | pl.col("of").str.starts_with("seed ")
    return frame.filter(~parts)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Rows of methods; the supervisor stands at 0 and the ceiling at 1."""
    whole = _whole(frame)
    methods = whole["method"].to_list()
    figure, axes = new_figure(height=0.95 + 0.3 * len(methods))
    ends = [0.0, 1.0, *whole["low"], *whole["high"]]
    for y, row in enumerate(whole.iter_rows(named=True)):
        style = styles[row["method"]]
        parts = frame.filter(method=row["method"]).filter(of=row["of"]).height
        of = frame.filter((frame["method"] == row["method"]) & (frame["of"] != row["of"]))
        inside = [x for x in of["pgr"] if -FURTHEST <= x <= 1 + FURTHEST]
        ends += inside
        axes.plot(
            inside,
            [y] * len(inside),
            "o",
            color="none",
            markeredgecolor=style.colour,
            markeredgewidth=0.7,
            markersize=4,
            alpha=0.75,
        )
        if parts:
            axes.plot([row["low"], row["high"]], [y, y], color=style.colour, linewidth=2.2)
            axes.plot(
                row["pgr"],
                y,
                style.mark,
                color=style.colour,
                markeredgecolor=PAPER,
                markersize=8,
                zorder=3,
            )
            axes.annotate(
                f"{row['pgr']:.2f} [{row['low']:.2f}, {row['high']:.2f}]",
                (1.0, y),
                (4, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
    for at, name, colour in ((0, "supervisor", FLOOR), (1, "ceiling", CEILING)):
        axes.axvline(at, color=colour, linewidth=1.2)
        axes.annotate(
            name,
            (at, 1),
            (0, 2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=MUTED,
        )
    row_labels(axes, methods)
    low, high = min(ends), max(ends)
    axes.set_xlim(low - 0.06 * (high - low), high + 0.06 * (high - low))
    axes.set_xlabel("performance gap recovered (PGR)")
    return figure


def title(frame: pl.DataFrame) -> str:
    """Whose PGR is highest, and whether the intervals leave that open."""
    ranked = _whole(frame).sort("pgr", descending=True)
    best = ranked.row(0, named=True)
    if len(ranked) == 1:
        return f"Students of {best['method']} recover {100 * best['pgr']:.0f}% of the gap"
    overlap = best["low"] <= ranked["high"][1]
    tail = ", though intervals overlap" if overlap else ""
    return f"The highest PGR is that of {best['method']}, {best['pgr']:.2f}{tail}"


def alt(frame: pl.DataFrame) -> str:
    """Every method with its interval."""
    rows = _whole(frame).iter_rows(named=True)
    said = (f"{r['method']} {r['pgr']:.2f} [{r['low']:.2f}, {r['high']:.2f}]" for r in rows)
    return f"PGR, {_whole(frame)['of'][0]}: " + "; ".join(said) + "."


def note(frame: pl.DataFrame) -> str:
    """What marks and circles are, and what is outside."""
    whole = _whole(frame)
    parts = frame.join(whole, on=["method", "of"], how="anti")
    kind = "tasks" if any(of.startswith("task ") for of in parts["of"]) else "seeds"
    outside = sum(not -FURTHEST <= x <= 1 + FURTHEST for x in parts["pgr"])
    text = f"Marks and lines: PGR, {whole['of'][0]}, with 95% intervals."
    if len(parts):
        text += f" Circles: single {kind}"
        text += f", {outside} of which lie outside of the picture." if outside else "."
    return text


PGR = FigureKind("pgr", data, draw, title, alt, note)
