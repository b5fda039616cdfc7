"""Logistic regression on frozen features, with soft labels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.errors import UserError


@dataclass(frozen=True)
class LogisticProbe:
    """A fitted probe: ``softmax(((x - mean) / scale) @ weights + bias)``.

    ``weights`` are ``(d, k)`` and act on standardised features; ``bias`` is
    ``(k,)``; ``mean`` and ``scale`` are ``(d,)``, 0 and 1 where the probe was
    fitted without standardising.
    """

    weights: np.ndarray
    bias: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def predict(self, features: np.ndarray) -> np.ndarray:
        """The class probabilities ``(n, k)`` of features ``(n, d)``."""
        return np.exp(self.log_predict(features))

    def log_predict(self, features: np.ndarray) -> np.ndarray:
        """The logarithms of `predict`, finite where a probability rounds to 0."""
        features = np.asarray(features, dtype=float)
        return _log_softmax((features - self.mean) / self.scale @ self.weights + self.bias)


def fit_logistic(
    features: np.ndarray,
    targets: np.ndarray,
    *,
    penalty: float = 1e-2,
    classes: int | None = None,
    standardise: bool = True,
    tolerance: float = 1e-6,
    max_iterations: int = 1000,
    start: LogisticProbe | None = None,
) -> LogisticProbe:
    """Minimise mean cross-entropy plus ``penalty * ||weights||^2`` (Frobenius) by L-BFGS.

    The bias is free of penalty. Features are standardised with the mean and the
    standard deviation of the training features (a constant one is only
    centred), so the penalty acts on standardised weights.

    *In scikit-learn's terms*, ``LogisticRegression(C=C)`` on the same n
    standardised rows has the same minimum for ``C = 1 / (2 * n * penalty)`` with
    three classes or more, and for ``C = 1 / (n * penalty)`` with two. The factor
    of two: scikit-learn then fits one sigmoid column v, where the softmax here
    has two. Only their difference matters, and the penalty splits it evenly into
    -v/2 and v/2, so ``||weights||^2`` is half of ``||v||^2``. For the same
    reason, a penalty that a paper puts on one sigmoid column is doubled here.

    Args:
        features: ``(n, d)``, finite.
        targets: rows of probabilities ``(n, k)``, or class indices ``(n,)``.
        penalty: not negative. With 0, separable classes have no minimum.
        classes: k; by default the columns of ``targets``, or the highest index
            plus one, at least 2.
        standardise: off, the features are taken as they come.
        tolerance: the largest absolute entry of the gradient at which to stop.
        max_iterations: the number of steps after which to stop with a warning.
        start: a probe of the same shape to set out from, such as that of the
            next penalty; it changes the time, not the result.

    Raises:
        UserError: no rows, or a negative penalty.
        ValueError: shapes that do not fit, features or targets that are not finite.

    Warns:
        RuntimeWarning: the tolerance was not reached.
    """
    features = np.asarray(features, dtype=float)
    targets = _rows_of_probabilities(targets, classes)
    if features.ndim != 2 or len(features) != len(targets):
        raise ValueError(f"{len(targets)} targets do not fit features {features.shape}.")
    if not np.isfinite(features).all():
        raise ValueError("The features of a probe must be finite.")
    if len(features) == 0:
        raise UserError("A probe needs at least one training example.")
    if not penalty >= 0:
        raise UserError(f"The penalty of a probe must not be negative: {penalty!r}.")

    mean, scale = np.zeros(features.shape[1]), np.ones(features.shape[1])
    if standardise:
        mean, spread = features.mean(axis=0), features.std(axis=0)
        # The deviation of a constant is rounding noise, and no scale.
        scale = np.where(spread > 1e-10 * np.abs(mean), spread, 1.0)
        features = (features - mean) / scale
    theta = np.zeros((features.shape[1] + 1, targets.shape[1]))
    if start is not None:
        theta[:-1], theta[-1] = start.weights, start.bias
    theta = _minimise(features, targets, penalty, theta, tolerance, max_iterations)
    return LogisticProbe(weights=theta[:-1], bias=theta[-1], mean=mean, scale=scale)


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
    targets = _rows_of_probabilities(targets, classes)
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    if len(penalties) == 0:
        raise UserError("Choosing a penalty needs at least one candidate.")
    if len(names) < 2 or folds < 2:
        raise UserError(
            "Cross-validation of a probe needs at least two groups and two folds, "
            f"not {len(names)} and {folds}: name the penalty instead."
        )
    folds = min(folds, len(names))
    fold = (np.random.default_rng(seed).permutation(len(names)) % folds)[group]

    candidates = sorted(penalties, reverse=True)
    loss = np.zeros(len(candidates))
    for held_out in (fold == part for part in range(folds)):
        probe = None
        # From the largest penalty down, each fit sets out from the one before.
        for i, penalty in enumerate(candidates):
            probe = fit_logistic(
                features[~held_out], targets[~held_out], penalty=penalty, start=probe
            )
            loss[i] -= (targets[held_out] * probe.log_predict(features[held_out])).sum()
    return float(candidates[int(loss.argmin())])


def _rows_of_probabilities(targets: np.ndarray, classes: int | None) -> np.ndarray:
    """Targets as ``(n, k)`` float64, from soft labels or from class indices."""
    targets = np.asarray(targets)
    if targets.ndim == 1 and np.issubdtype(targets.dtype, np.integer):
        classes = max(2, int(targets.max(initial=0)) + 1) if classes is None else classes
        if targets.size and not 0 <= targets.min() <= targets.max() < classes:
            raise ValueError(f"Labels must be in 0 .. {classes - 1}.")
        return np.eye(classes)[targets]
    if targets.ndim != 2 or targets.shape[1] != (classes or targets.shape[1]):
        raise ValueError(f"Targets must be (n, k) or n class indices, not {targets.shape}.")
    targets = targets.astype(float)
    if not ((targets >= 0).all() and np.allclose(targets.sum(axis=1), 1, atol=1e-3)):
        raise ValueError("Targets must be rows of probabilities.")
    return targets


def _minimise(
    x: np.ndarray, t: np.ndarray, penalty: float, theta: np.ndarray, tolerance: float, steps: int
) -> np.ndarray:
    """L-BFGS from ``theta (d + 1, k)``, the bias in its last row."""
    from scipy.optimize import minimize

    result = minimize(
        _objective,
        theta.ravel(),
        args=(x, t, penalty),
        jac=True,
        method="L-BFGS-B",
        # ftol 0: only the gradient says when to stop.
        options={"gtol": tolerance, "ftol": 0.0, "maxiter": steps, "maxfun": 10 * steps},
    )
    steepest = float(np.abs(result.jac).max())
    if steepest > tolerance:
        warnings.warn(
            f"A probe stopped at a gradient of {steepest:.1e}, above its tolerance of "
            f"{tolerance:.1e}: raise the penalty, the tolerance or max_iterations.",
            RuntimeWarning,
            stacklevel=3,
        )
    return result.x.reshape(theta.shape)


def _objective(
    flat: np.ndarray, x: np.ndarray, t: np.ndarray, penalty: float
) -> tuple[float, np.ndarray]:
    """Penalised mean cross-entropy and its gradient at ``flat ((d + 1) * k,)``."""
    theta = flat.reshape(-1, t.shape[1])
    weights, bias = theta[:-1], theta[-1]
    log_p = _log_softmax(x @ weights + bias)
    value = -(t * log_p).sum() / len(x) + penalty * (weights**2).sum()
    # d CE / d logits; the row sums of t are 1 only up to rounding.
    residual = (np.exp(log_p) * t.sum(axis=1, keepdims=True) - t) / len(x)
    gradient = np.vstack([x.T @ residual + 2 * penalty * weights, residual.sum(axis=0)])
    return float(value), gradient.ravel()


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
