"""Accuracy against confidence: whether models are right as often as they say."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.predictions import WRITTEN
from weak2strong.report.figures.drawing import curve, panel_grid
from weak2strong.report.figures.kind import Description, FigureKind, by_model, listed
from weak2strong.report.figures.style import DASHES, GRID, MUTED, Styles, model_style

BINS = 10
FEWEST = 20
"""A bin with fewer answers is not drawn."""


def data(run: FinishedRun) -> pl.DataFrame | None:
    """One row for each model and bin of confidence, over all tasks and seeds.

    The columns ``low`` and ``high`` are Wilson's 95% interval of the accuracy. It takes answers for
    independent, which those of different seeds are not.
    """
    answers = [
        pl.DataFrame({"confidence": given.max(axis=-1).ravel(), "right": tested.right[who].ravel()})
        .with_columns(model=pl.lit(number), role=pl.lit(who[0]), method=pl.lit(who[1]))
        .with_columns(bin=(pl.col("confidence") * BINS).floor().clip(0, BINS - 1))
        for tested in run.tested.values()
        if tested.kind not in WRITTEN
        for number, (who, given) in enumerate(tested.roles.items())
    ]
    if not answers:
        return None
    p, n, z = pl.col("accuracy"), pl.col("answers"), 1.96
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)).sqrt()
    confidence, accuracy = pl.col("confidence").mean(), pl.col("right").mean().alias("accuracy")
    return (
        pl.concat(answers)
        .group_by("model", "role", "method", "bin")
        .agg(confidence, accuracy, pl.len().alias("answers"))
        .with_columns(low=middle - half, high=middle + half)
        .sort("model", "bin")
        .drop("model", "bin")
    )


def calibration_error(points: pl.DataFrame) -> float:
    """The expected calibration error of a model: mean of the distances, weighted by answers."""
    distance = (points["accuracy"] - points["confidence"]).abs()
    return float((distance * points["answers"]).sum()) / float(points["answers"].sum())


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a panel for each model; on the diagonal it is right as often as it says."""
    models = by_model(frame)
    figure, panels = panel_grid(list(models), 4, 1.75, 20)
    low = min(0.5, *frame["confidence"])
    for axes, points in zip(panels.values(), models.values(), strict=True):
        style = model_style(points["role"][0], points["method"][0], styles)
        axes.plot([low, 1], [low, 1], color=MUTED, linewidth=0.8, linestyle=DASHES)
        drawn = points.filter(pl.col("answers") >= FEWEST)
        columns = ("confidence", "accuracy", "low", "high")
        x, y, low_ends, high_ends = (drawn[column].to_list() for column in columns)
        axes.vlines(x, low_ends, high_ends, color=style.colour, linewidth=0.9)
        curve(axes, x, y, style, 4, linewidth=1.2, markeredgecolor=style.colour)
        error = f"error {calibration_error(points):.3f}"
        axes.text(1, low, error, ha="right", va="bottom", fontsize=7.5)
        axes.grid(color=GRID)
    figure.supxlabel("probability of the answer given")
    figure.supylabel("share of answers that are right")
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say which model is calibrated best, and the error of every model."""
    errors = {name: calibration_error(points) for name, points in by_model(frame).items()}
    best, worst = min(errors, key=errors.__getitem__), max(errors, key=errors.__getitem__)
    return Description(
        title=f"Calibration error is smallest for {best} ({errors[best]:.3f}) "
        f"and largest for {worst} ({errors[worst]:.3f})",
        alt=listed((f"{name} {x:.3f}" for name, x in errors.items()), "Calibration error: ", ", "),
        note="Points: tenths of confidence with at least 20 answers, all tasks and seeds together; "
        "lines: Wilson's 95% intervals, as if all answers were independent. Above the "
        "diagonal, a model is right more often than it says. Error: expected calibration error.",
    )


RELIABILITY = FigureKind("reliability", data, draw, describe)
