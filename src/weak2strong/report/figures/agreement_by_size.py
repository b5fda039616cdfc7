"""Agreement with the supervisor against the student's size, a hue a supervisor, of several runs.

Burns et al. 2023, figure 8: larger students agree less with their supervisor's errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weak2strong.analysis.finished import FinishedRun
from weak2strong.models.trunk import trunk_of
from weak2strong.report.figures.agreement import AGREEMENT
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.sizes import COLUMNS, hues, sizes_axis
from weak2strong.report.figures.style import PAPER, Styles, panel_columns

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

WHERE = {
    "all": "all labels",
    "supervisor is right": "right ones",
    "supervisor is wrong": "wrong ones",
}
"""Parts of the test set from top to bottom, and what their panels are called."""


def data(runs: Sequence[FinishedRun]) -> pl.DataFrame | None:
    """A row a run, method and part of the test set: means over the tasks that all runs have.

    Columns weak, strong, parameters (of the strong trunk), method, floor, where, agreement. None
    where fewer than two sizes are known, runs differ in tasks, or one has no agreement.
    """
    import polars as pl

    frames, sizes = [], set()
    if len({tuple(run.by_task) for run in runs}) > 1:
        return None
    for run in runs:
        size, shares = trunk_of(run.config.strong), AGREEMENT.data(run)
        if size is None or shares is None:
            return None
        sizes.add(size)
        floors = {x.task: x.recovered.floor for x in run.lines()}
        over_seeds = shares.group_by("task", "method", "where", maintain_order=True).agg(
            pl.col("agreement").mean()
        )
        frames.append(
            over_seeds.group_by("method", "where", maintain_order=True)
            .agg(pl.col("agreement").mean())
            .select(
                pl.lit(run.config.weak_name).alias("weak"),
                pl.lit(run.config.strong.name).alias("strong"),
                pl.lit(size).alias("parameters"),
                "method",
                pl.lit(sum(floors.values()) / len(floors)).alias("floor"),
                "where",
                "agreement",
            )
        )
    if len(sizes) < 2:
        return None
    return pl.concat(frames).sort("weak", "parameters", maintain_order=True)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A column of panels a method, one for each part of the test set."""
    methods = frame["method"].unique(maintain_order=True).to_list()
    figure, panels = panel_columns(methods, tuple(WHERE.values()), 5.2, COLUMNS)
    for method, rows in panels.items():
        for axes, where in zip(rows, WHERE, strict=True):
            for weak, style in hues(frame).items():
                of = frame.filter(method=method, weak=weak, where=where)
                if len(of):
                    axes.plot(
                        of["parameters"].to_list(),
                        of["agreement"].to_list(),
                        color=style.colour,
                        marker=style.mark,
                        markeredgecolor=PAPER,
                        markersize=6,
                        label=f"supervised by {weak}" if axes is panels[methods[0]][0] else None,
                    )
    sizes_axis(panels[methods[0]][0], frame["parameters"].unique().sort().to_list())
    figure.supxlabel("parameters of the student", fontsize=9)
    figure.supylabel("agreement with the supervisor on", fontsize=9)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def title(frame: pl.DataFrame) -> str:
    """What size does to imitation, by the supervisor with the most sizes of students."""
    import polars as pl

    wrong = frame.filter(where="supervisor is wrong")
    if not len(wrong):
        return "Supervisors make no error that students could imitate"
    counts = wrong.group_by("weak", maintain_order=True).agg(pl.col("parameters").n_unique())
    weak = counts.sort("parameters", descending=True, maintain_order=True)["weak"][0]
    of = wrong.filter(weak=weak)
    of = of.filter(method=of["method"][0]).sort("parameters")
    small, large = of.row(0, named=True), of.row(-1, named=True)
    text = (
        f"Of the errors of {weak}, students of {small['method']} imitate "
        f"{100 * small['agreement']:.0f}% with {small['strong']}"
    )
    if small["strong"] == large["strong"]:
        return text
    return f"{text} and {100 * large['agreement']:.0f}% with {large['strong']}"


def alt(frame: pl.DataFrame) -> str:
    """Every point."""
    said = []
    for rows in frame.partition_by("weak", "strong", "method", maintain_order=True):
        first, shares = rows.row(0, named=True), dict(rows.select("where", "agreement").iter_rows())
        said.append(
            f"{first['weak']} to {first['strong']} ({first['parameters']:,} parameters), "
            f"{first['method']}: "
            + ", ".join(f"{said} {shares[w]:.2f}" for w, said in WHERE.items() if w in shares)
        )
    return "; ".join(said) + "."


def note(frame: pl.DataFrame) -> str:
    """What lines are."""
    return (
        "Share of test examples on which the student gives its supervisor's answer: all, those "
        "where that is right, and those where it is wrong. Means over tasks and seeds. Lines "
        "that fall in the lowest panels are hoped for: larger students imitate fewer errors."
    )


AGREEMENT_BY_SIZE = FigureKind("agreement-by-size", data, draw, title, alt, note)
