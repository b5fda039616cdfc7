"""Scores of examples that count more or less often: means, and whatever else takes weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# A float; with weights `(b, n)`, an array of them, `(b,)`. Overloads would say it at length.
Score = Any

# Replicates are scored in slices of about this many weights (32 MB as float64).
SLICE = 2**22


def weighted_mean(values: np.ndarray, weights: np.ndarray | None) -> Score:
    """The weighted mean of per-example values ``(n,)``."""
    return over_replicates(
        lambda w: ratio(w @ values.astype(float), w.sum(axis=1)), weights, len(values)
    )


def over_replicates(
    score: Callable[[np.ndarray], np.ndarray], weights: np.ndarray | None, n: int
) -> Score:
    """Apply ``score: (b, n) -> (b, …)`` to slices of the replicates, to bound memory."""
    weights = np.ones(n) if weights is None else np.asarray(weights)
    if weights.ndim not in (1, 2) or weights.shape[-1] != n:
        raise ValueError(f"Weights must be ({n},) or (b, {n}), not {weights.shape}.")
    replicates = np.atleast_2d(weights)
    scores = []
    step = max(1, SLICE // max(n, 1))
    # At least once: of no replicates there are no scores, in the shape of scores.
    for start in range(0, max(len(replicates), 1), step):
        part = replicates[start : start + step].astype(float)
        if not (part >= 0).all():
            raise ValueError("Weights must not be negative, nor NaN.")
        scores.append(score(part))
    return np.concatenate(scores) if weights.ndim == 2 else float(scores[0][0])


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """``numerator / denominator``, nan where nothing was counted."""
    nothing = np.full(numerator.shape, np.nan)
    return np.divide(numerator, denominator, out=nothing, where=denominator > 0)
