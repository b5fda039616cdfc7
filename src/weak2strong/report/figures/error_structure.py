"""What students recover of supervisors that are equally accurate and err in different places.

Burns et al. 2023, appendix E.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weak2strong.analysis.simulated import REAL
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.pgr import FURTHEST
from weak2strong.report.figures.style import (
    CEILING,
    FLOOR,
    INK,
    MUTED,
    PAPER,
    Styles,
    clipped,
    new_figure,
    number_text,
    row_labels,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR = 0.8
"""The share of a row that its bars fill."""


def data(rows: pl.DataFrame) -> pl.DataFrame:
    """A row a task, supervisor and method: PGR and imitated errors, with intervals."""
    ends = ("", "_low", "_high")
    numbers = [f"{name}{end}" for name in ("pgr", "agreement_wrong") for end in ends]
    return rows.select("task", "supervisor", "method", *numbers)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A row of panels a task: PGR, and agreement with wrong labels; methods side by side."""
    tasks = frame["task"].unique(maintain_order=True).to_list()
    supervisors = frame["supervisor"].unique(maintain_order=True).to_list()
    methods = frame["method"].unique(maintain_order=True).to_list()
    inner = len(supervisors) * (0.12 + 0.16 * len(methods))
    figure, grid = new_figure(
        len(tasks),
        2,
        0.7 + len(tasks) * (inner + 0.35),
        sharey=True,
        sharex="col",
        squeeze=False,
        width_ratios=(3, 2),
    )
    known = frame.drop_nulls("pgr")
    ends = [0.0, 1.0, *known["pgr"], *known["pgr_low"], *known["pgr_high"]]
    low, high = max(min(ends), -FURTHEST), min(max(ends), 1 + FURTHEST)
    for task, (pgr, wrong) in zip(tasks, grid, strict=True):
        for row in frame.filter(task=task).iter_rows(named=True):
            method = methods.index(row["method"])
            at = supervisors.index(row["supervisor"]) + BAR * ((method + 0.5) / len(methods) - 0.5)
            bar = {"height": 0.9 * BAR / len(methods), "color": styles[row["method"]].colour}
            _bars(pgr, wrong, row, at, bar)
        for at, colour in ((0, FLOOR), (1, CEILING)):
            pgr.axvline(at, color=colour, linewidth=1.2)
        for axes in (pgr, wrong):
            row_labels(axes, [f"{REAL} supervisor" if s == REAL else s for s in supervisors])
        wrong.axvline(0, color=MUTED, linewidth=0.7)
        if len(tasks) > 1:
            pgr.set_title(clipped(task))
    grid[-1, 0].set_xlim(low - 0.05, high + 0.05)
    grid[-1, 0].set_xlabel("PGR: 0 supervisor, 1 ceiling")
    grid[-1, 1].set_xlim(0, 1.02)
    grid[-1, 1].set_xticks([0, 0.5, 1])
    grid[-1, 1].set_xlabel("agreement with wrong labels")
    if len(methods) > 1:
        for method in methods:
            grid[0, 0].barh(0, 0, color=styles[method].colour, label=method)
        figure.legend(loc="outside upper center", ncols=4)
    return figure


def _bars(pgr: Axes, wrong: Axes, row: dict[str, Any], at: float, bar: dict[str, Any]) -> None:
    """The two bars of one supervisor and method, with their numbers."""
    small = {"textcoords": "offset points", "va": "center", "fontsize": 7}
    beside, said = ("axes fraction", "data"), "undefined"
    if row["pgr"] is not None:
        said = f"{row['pgr']:.2f}"
        pgr.barh(at, row["pgr"], **bar)
        _interval(pgr, row, "pgr", at)
    pgr.annotate(said, (1.0, at), (2, 0), xycoords=beside, **small)
    share = row["agreement_wrong"]
    if share is not None:
        wrong.barh(at, share, **bar)
        _interval(wrong, row, "agreement_wrong", at)
        wrong.annotate(f"{share:.2f}", (1.0, at), (2, 0), xycoords=beside, **small)


def _interval(axes: Axes, row: dict[str, Any], name: str, at: float) -> None:
    # A light line beneath, so that the interval is seen on a bar too.
    for colour, width in ((PAPER, 3.0), (INK, 1.2)):
        ends = [row[f"{name}_low"], row[f"{name}_high"]]
        axes.plot(ends, [at, at], color=colour, linewidth=width)


def title(frame: pl.DataFrame) -> str:
    """Between which PGR the simulated supervisors take their students."""
    known = frame.filter(frame["supervisor"] != REAL).drop_nulls("pgr").sort("pgr")
    if not len(known):
        return "PGR is undefined for every simulated supervisor"
    low, high = known.row(0, named=True), known.row(-1, named=True)
    where = ("supervisor", *(c for c in ("method", "task") if frame[c].n_unique() > 1))
    least, most = (", ".join(x[c] for c in where) for x in (low, high))
    return f"PGR lies between {low['pgr']:.2f} ({least}) and {high['pgr']:.2f} ({most})"


def alt(frame: pl.DataFrame) -> str:
    """Every bar."""
    several = frame["task"].n_unique() > 1
    said = []
    for r in frame.iter_rows(named=True):
        pgr = (
            "undefined"
            if r["pgr"] is None
            else number_text((r["pgr"], r["pgr_low"], r["pgr_high"]))
        )
        wrong = [r[f"agreement_wrong{end}"] for end in ("", "_low", "_high")]
        where = f"{r['task']}, " if several else ""
        said.append(
            f"{where}{r['supervisor']}, {r['method']}: PGR {pgr}"
            + ("" if wrong[0] is None else f", agreement with wrong labels {number_text(wrong)}")
        )
    return "; ".join(said) + "."


def note(frame: pl.DataFrame) -> str:
    """What bars and lines are."""
    return (
        "Bars: over all seeds; lines: 95% intervals, which the edge of a panel may cut. "
        "Agreement with wrong labels is imitation of errors. The real supervisor's labels are "
        "soft, all others hard."
    )


ERROR_STRUCTURE = FigureKind("error-structure", data, draw, title, alt, note)
