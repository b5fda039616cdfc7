"""Logistic regression on frozen features, with soft labels.

The solver is our own since scikit-learn has neither soft labels nor many penalties at once: on
repeated rows with weights, one penalty after another, it takes 4 to 30 times as long
(docs/performance.md).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.ground.errors import UserError

ROUND = 50
"""Steps after which the units of the weights are measured anew."""


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
    -v/2 and v/2, so ``||weights||^2`` is half of ``||v||^2``.

    *In the post's terms* (EleutherAI, *Experiments in Weak-to-Strong Generalization*,
    2024): mean cross-entropy plus ``a * ||v||^2`` on one sigmoid column v and
    features as they come, a = 1e-2 (1e-3 in its code), is for the same reason
    ``penalty = 2 * a`` with ``standardise=False``.

    Args:
        features: ``(n, d)``, finite.
        targets: rows of probabilities ``(n, k)``, or class indices ``(n,)``.
        penalty: not negative. With 0, separable classes have no minimum.
        classes: k; by default the columns of ``targets``, or the highest index
            plus one, at least 2.
        standardise: off, the features are taken as they come.
        tolerance: the length of the gradient, by centred features, at which to stop.
        max_iterations: the number of steps after which to stop with a warning.
        start: a probe of the same shape to set out from, such as that of other
            weak labels; it changes the time, not the result.

    Raises:
        UserError: no rows, or a negative penalty.
        ValueError: shapes that do not fit, features or targets that are not finite.

    Warns:
        RuntimeWarning: the tolerance was not reached.
    """
    return fit_penalties(
        features,
        targets,
        [penalty],
        classes=classes,
        standardise=standardise,
        tolerance=tolerance,
        max_iterations=max_iterations,
        start=None if start is None else [start],
    )[0]


def fit_penalties(
    features: np.ndarray,
    targets: np.ndarray,
    penalties: Sequence[float],
    *,
    classes: int | None = None,
    standardise: bool = True,
    tolerance: float = 1e-6,
    max_iterations: int = 1000,
    start: Sequence[LogisticProbe] | None = None,
) -> list[LogisticProbe]:
    """The probes of `fit_logistic` for many penalties, solved together.

    L-BFGS minimises the sum of their objectives. On the principal axes of the
    features, each weight in units of ``1 / sqrt(c * variance + 2 * penalty)`` with c
    the mean of p * (1 - p), all of them curve about alike, so tens of steps for
    all take the place of hundreds for each.

    Args, errors and warnings are those of `fit_logistic`; ``start`` holds a probe for
    each penalty.
    """
    features = np.asarray(features, dtype=float)
    targets = rows_of_probabilities(targets, classes)
    if features.ndim != 2 or len(features) != len(targets):
        raise ValueError(f"{len(targets)} targets do not fit features {features.shape}.")
    if not np.isfinite(features).all():
        raise ValueError("The features of a probe must be finite.")
    if len(features) == 0:
        raise UserError("A probe needs at least one training example.")
    if len(penalties) == 0 or (start is not None and len(start) != len(penalties)):
        raise ValueError("Name at least one penalty, and one start for each or none at all.")
    for penalty in penalties:
        if not penalty >= 0:
            raise UserError(f"The penalty of a probe must not be negative: {penalty!r}.")

    # The bias is free, so centring changes nothing but the bias, and eases the fit.
    mean, scale = features.mean(axis=0), np.ones(features.shape[1])
    if standardise:
        spread = features.std(axis=0)
        # The deviation of a constant is rounding noise, and no scale.
        scale = np.where(spread > 1e-10 * np.abs(mean), spread, 1.0)
    features = (features - mean) / scale
    shift = np.zeros_like(mean) if standardise else mean
    axes = _principal_axes(features)
    theta = np.zeros((axes.shape[1] + 1, len(penalties), targets.shape[1]))
    for i, probe in enumerate(start or ()):
        theta[:-1, i], theta[-1, i] = axes.T @ probe.weights, probe.bias + shift @ probe.weights
    penalty = np.asarray(penalties, dtype=float)
    theta = _minimise(features @ axes, targets, penalty, theta, tolerance, max_iterations)
    weights = np.einsum("dr,rpk->pdk", axes, theta[:-1])
    biases = theta[-1] - shift @ weights
    return [LogisticProbe(w, b, mean - shift, scale) for w, b in zip(weights, biases, strict=True)]


def rows_of_probabilities(targets: np.ndarray, classes: int | None) -> np.ndarray:
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


def _principal_axes(x: np.ndarray) -> np.ndarray:
    """Orthonormal columns ``(d, min(n, d))`` that span the rows of x and decorrelate them."""
    if len(x) < x.shape[1]:
        return np.linalg.svd(x, full_matrices=False)[2].T
    return np.linalg.eigh(x.T @ x)[1]


def _minimise(
    x: np.ndarray,
    t: np.ndarray,
    penalty: np.ndarray,
    theta: np.ndarray,
    tolerance: float,
    steps: int,
) -> np.ndarray:
    """L-BFGS from ``theta (r + 1, penalties, k)``, the bias in its last row, x decorrelated."""
    from scipy.optimize import minimize

    variance = np.append(np.einsum("nr,nr->r", x, x) / len(x), 1.0)[:, None]
    ridge = np.vstack([np.tile(2 * penalty, (x.shape[1], 1)), np.zeros_like(penalty)])
    steepest = np.inf

    def scaled(flat: np.ndarray, unit: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal steepest
        value, gradient = _objective((flat.reshape(theta.shape) * unit).ravel(), x, t, penalty)
        gradient = gradient.reshape(theta.shape)
        steepest = np.sqrt((gradient**2).sum(axis=(0, 2)).max(initial=0))
        return value, (gradient * unit).ravel()

    def stop(_: np.ndarray) -> None:
        if steepest <= tolerance:
            raise StopIteration

    for begin in range(0, steps, ROUND):
        # Each round measures the curvature anew: of confident probes little is left.
        p = np.exp(_log_softmax(_logits(x, theta)))
        curvature = (p * (1 - p)).mean(axis=(0, 2)) * variance + ridge
        # Floored, for directions without variance or penalty, and for a class alone.
        unit = 1 / np.sqrt(np.maximum(curvature, 1e-6 * curvature.max(axis=0) + 1e-12))[:, :, None]
        result = minimize(
            scaled,
            (theta / unit).ravel(),
            args=(unit,),
            jac=True,
            method="L-BFGS-B",
            callback=stop,
            # Only the gradient, in its own units, says when to stop.
            options={"gtol": 0.0, "ftol": 0.0, "maxiter": min(ROUND, steps - begin)},
        )
        theta = result.x.reshape(theta.shape) * unit
        scaled(result.x, unit)
        if steepest <= tolerance:
            return theta
    warnings.warn(
        f"A probe stopped at a gradient of {steepest:.1e}, above its tolerance of "
        f"{tolerance:.1e}: raise the penalty, the tolerance or max_iterations.",
        RuntimeWarning,
        stacklevel=3,
    )
    return theta


def _logits(x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """``(n, penalties, k)`` at ``theta (d + 1, penalties, k)``."""
    flat = x @ theta[:-1].reshape(x.shape[1], -1)
    return flat.reshape(len(x), *theta.shape[1:]) + theta[-1]


def _objective(
    flat: np.ndarray, x: np.ndarray, t: np.ndarray, penalty: np.ndarray | float
) -> tuple[float, np.ndarray]:
    """Penalised mean cross-entropy, summed over penalties, and its gradient at ``flat``.

    ``flat`` is ``((d + 1) * penalties * k,)``, the bias in the last of the d + 1.
    """
    penalty = np.atleast_1d(penalty)[:, None]
    theta = flat.reshape(-1, len(penalty), t.shape[1])
    weights = theta[:-1]
    log_p, t = _log_softmax(_logits(x, theta)), t[:, None]
    value = -(t * log_p).sum() / len(x) + (penalty * weights**2).sum()
    # d CE / d logits; the row sums of t are 1 only up to rounding.
    residual = (np.exp(log_p) * t.sum(axis=-1, keepdims=True) - t) / len(x)
    slope = (x.T @ residual.reshape(len(x), -1)).reshape(weights.shape) + 2 * penalty * weights
    return float(value), np.concatenate([slope, residual.sum(axis=0)[None]]).ravel()


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
