"""Choosing the penalty of a logistic probe by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from weak2strong.ground.errors import UserError
from weak2strong.probes.logistic import fit_penalties, rows_of_probabilities


def select_penalty(
    features: np.ndarray,
    targets: np.ndarray,
    groups: np.ndarray,
    *,
    penalties: Sequence[float] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    folds: int = 5,
    seed: int,
    classes: int | None = None,
) -> float:
    """The penalty with the lowest cross-validated log-loss; on ties, the largest.

    A group is never split over folds, so that a probe cannot recognise the
    entity it is tested on. Groups are dealt out by the seed and their names: the
    order of the rows plays no part.

    Args:
        features: ``(n, d)``.
        targets: rows of probabilities ``(n, k)``, or class indices ``(n,)``.
        groups: ``(n,)`` of anything that sorts.
        penalties: the candidates.
        folds: the number of parts, at least 2; fewer where there are fewer groups.
        seed: of the deal.
        classes: as in `fit_logistic`.

    Raises:
        UserError: no candidates, or fewer than two groups or folds.
    """
    features = np.asarray(features, dtype=float)
    targets = rows_of_probabilities(targets, classes)
    if len(penalties) == 0:
        raise UserError("Choosing a penalty needs at least one candidate.")
    count = len(np.unique(groups))
    if count < 2 or folds < 2:
        raise UserError(
            "Cross-validation of a probe needs at least two groups and two folds, "
            f"not {count} and {folds}: name the penalty instead."
        )
    fold = folds_by_group(groups, min(folds, count), seed)

    candidates = sorted(penalties, reverse=True)
    loss, probes = np.zeros(len(candidates)), None
    for held_out in (fold == part for part in np.unique(fold)):
        # Other folds share most of their rows, so each sets out from the one before.
        probes = fit_penalties(features[~held_out], targets[~held_out], candidates, start=probes)
        for i, probe in enumerate(probes):
            loss[i] -= (targets[held_out] * probe.log_predict(features[held_out])).sum()
    return float(candidates[int(loss.argmin())])


def folds_by_group(groups: np.ndarray | Sequence[str], folds: int, seed: int) -> np.ndarray:
    """The fold of each example, ``(n,)``; a group is in one, whatever the order of the rows."""
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    return (np.random.default_rng(seed).permutation(len(names)) % folds)[group]
