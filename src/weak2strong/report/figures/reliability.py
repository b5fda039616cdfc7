"""Whether models are right as often as they say: accuracy against confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.predictions import WRITTEN
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import (
    GRID,
    MUTED,
    Styles,
    clipped,
    curves,
    new_figure,
    style_of,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

BINS = 10
FEWEST = 20
"""Answers without which a bin is not drawn."""
COLUMNS = 4


def data(run: FinishedRun) -> pl.DataFrame | None:
    """A row a role, method and bin of confidence, all tasks and seeds together.

    Columns confidence (mean), accuracy, answers (their number), and low and high: Wilson's 95%
    interval of the accuracy as if answers were independent, which those of seeds are not.
    """
    import polars as pl

    answers = [
        pl.DataFrame(
            {"confidence": of.max(axis=-1).ravel(), "right": tested.right[who].ravel()}
        ).with_columns(role=pl.lit(who[0]), method=pl.lit(who[1]))
        for tested in run.tested.values()
        if tested.kind not in WRITTEN
        for who, of in tested.roles.items()
    ]
    if not answers:
        return None
    bins = (pl.col("confidence") * BINS).floor().clip(0, BINS - 1)
    p, n, z = pl.col("accuracy"), pl.col("answers"), 1.96
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)).sqrt()
    return (
        pl.concat(answers)
        .with_columns(bin=bins)
        .group_by("role", "method", "bin")
        .agg(
            pl.col("confidence").mean(),
            pl.col("right").mean().alias("accuracy"),
            pl.len().alias("answers"),
        )
        .with_columns(low=middle - half, high=middle + half)
        .sort("role", "method", "bin")
        .drop("bin")
    )


def error(curve: pl.DataFrame) -> float:
    """The expected calibration error of a curve: mean of the distances, weighted by answers."""
    distance = (curve["accuracy"] - curve["confidence"]).abs()
    return float((distance * curve["answers"]).sum()) / float(curve["answers"].sum())


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A panel a model; the diagonal is to be right as often as one says."""
    models = curves(frame, styles)
    columns = min(COLUMNS, len(models))
    rows = -(-len(models) // columns)
    figure, grid = new_figure(
        rows, columns, 0.4 + 1.75 * rows, sharex=True, sharey=True, squeeze=False
    )
    panels, low = grid.ravel(), min(0.5, float(frame["confidence"].min()))  # pyright: ignore
    for axes, (name, curve) in zip(panels, models, strict=False):
        style = style_of(name, styles)
        axes.plot([low, 1], [low, 1], color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
        kept = curve.filter(curve["answers"] >= FEWEST)
        x, y = kept["confidence"].to_list(), kept["accuracy"].to_list()
        axes.vlines(x, kept["low"].to_list(), kept["high"].to_list(), color=style.colour, lw=0.9)
        axes.plot(x, y, marker=style.mark, color=style.colour, markersize=4, linewidth=1.2)
        axes.set_title(clipped(name, 20), pad=3)
        axes.text(1, low, f"error {error(curve):.3f}", ha="right", va="bottom", fontsize=7.5)
        axes.grid(color=GRID)
    for axes in panels[len(models) :]:
        axes.remove()
    for axes in panels[max(0, len(models) - columns) : len(models)]:
        axes.tick_params(axis="x", labelbottom=True)
    figure.supxlabel("probability of the answer given", fontsize=9)
    figure.supylabel("share of answers that are right", fontsize=9)
    return figure


def title(frame: pl.DataFrame) -> str:
    """Who is best calibrated."""
    errors = {name: error(c) for name, c in curves(frame) if len(c)}
    best, worst = min(errors, key=errors.__getitem__), max(errors, key=errors.__getitem__)
    return (
        f"Calibration error is smallest for {best} ({errors[best]:.3f}) "
        f"and largest for {worst} ({errors[worst]:.3f})"
    )


def alt(frame: pl.DataFrame) -> str:
    """Every error."""
    return "Calibration error: " + ", ".join(f"{n} {error(c):.3f}" for n, c in curves(frame)) + "."


def note(frame: pl.DataFrame) -> str:
    """What is drawn."""
    return (
        "Points: tenths of confidence with at least 20 answers, all tasks and seeds together; "
        "lines: Wilson's 95% intervals, as if all answers were independent. Above the "
        "diagonal, a model is right more often than it says. Error: expected calibration error."
    )


RELIABILITY = FigureKind("reliability", data, draw, title, alt, note)
