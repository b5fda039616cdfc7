"""Accuracy against confidence: whether models are right as often as they say."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.analyses.calibration import BINS, equal_mass_bins, error_by_seed
from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.predictions import WRITTEN
from weak2strong.report.figures.drawing import curve, panel_grid
from weak2strong.report.figures.kind import (
    Description,
    FigureKind,
    by_model,
    fair,
    listed,
    marked,
    oracles_note,
)
from weak2strong.report.figures.style import DASHES, GRID, MUTED, Styles, model_style

FEWEST = 20
"""A bin with fewer answers is not drawn."""


def data(run: FinishedRun) -> pl.DataFrame | None:
    """One row for each model and bin of equal mass, over all tasks and seeds.

    The columns ``low`` and ``high`` are Wilson's 95% interval of the accuracy. It takes answers for
    independent, which those of different seeds are not. ``error`` is the model's calibration error
    as `w2s analyse` has it, the mean over tasks; ``oracle`` marks students that saw ground truth.
    """
    frames, tests = [], [x for x in run.tested.values() if x.kind not in WRITTEN]
    for who in tests[0].roles if tests else ():
        confidence = np.concatenate([x.roles[who].max(axis=-1).ravel() for x in tests])
        right = np.concatenate([x.right[who].ravel() for x in tests])
        errors = [error_by_seed(x, x.roles[who]).mean() for x in tests]
        of, answers = np.unique(
            equal_mass_bins(confidence), return_inverse=True, return_counts=True
        )[1:]
        points = {
            "confidence": np.bincount(of, confidence) / answers,
            "accuracy": np.bincount(of, right) / answers,
            "answers": answers,
        }
        about = {"role": who[0], "method": who[1], "error": float(np.mean(errors))}
        about |= {"oracle": who[1] in run.oracles}
        frames.append(pl.DataFrame(points).with_columns(**{k: pl.lit(x) for k, x in about.items()}))
    if not frames:
        return None
    p, n, z = pl.col("accuracy"), pl.col("answers"), 1.96
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)).sqrt()
    return pl.concat(frames).with_columns(low=middle - half, high=middle + half)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a panel for each model; on the diagonal it is right as often as it says."""
    models = by_model(frame)
    names = list(models)
    figure, panels = panel_grid(names, 3, 1.6, 25, titles=marked(frame, names))
    low = min(0.5, *frame["confidence"])
    for axes, points in zip(panels.values(), models.values(), strict=True):
        style = model_style(points["role"][0], points["method"][0], styles)
        axes.plot([low, 1], [low, 1], color=MUTED, linewidth=0.8, linestyle=DASHES)
        drawn = points.filter(pl.col("answers") >= FEWEST)
        columns = ("confidence", "accuracy", "low", "high")
        x, y, low_ends, high_ends = (drawn[column].to_list() for column in columns)
        axes.vlines(x, low_ends, high_ends, color=style.colour, linewidth=0.9)
        curve(axes, x, y, style, 4, linewidth=1.2, markeredgecolor=style.colour)
        error = f"error {points['error'][0]:.3f}"
        axes.text(1, low, error, ha="right", va="bottom", fontsize=7.5)
        axes.grid(color=GRID)
    figure.supxlabel("probability of the answer given")
    figure.supylabel("share of answers that are right")
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say which model is calibrated best, and the error of every model."""
    errors = {name: points["error"][0] for name, points in by_model(frame).items()}
    told = {name: errors[name] for name in by_model(fair(frame))}
    best, worst = min(told, key=told.__getitem__), max(told, key=told.__getitem__)
    return Description(
        title=f"Calibration error is smallest for {best} ({errors[best]:.3f}) "
        f"and largest for {worst} ({errors[worst]:.3f})",
        alt=listed((f"{name} {x:.3f}" for name, x in errors.items()), "Calibration error: ", ", "),
        note=f"Points: {BINS} bins of equal mass by confidence, of all tasks and seeds "
        "together; lines: Wilson's 95% intervals, as if all answers were independent. "
        "Above the diagonal, a model is right more often than it says. Error: expected calibration "
        f"error (ECE) in {BINS} bins of equal mass of each task and seed, mean over these."
        f"{oracles_note(frame)}",
    )


RELIABILITY = FigureKind("reliability", data, draw, describe)
