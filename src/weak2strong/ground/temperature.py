"""The temperature of probabilities: how sure they are, with the same answers.

Guo et al. 2017, *On Calibration of Modern Neural Networks*, section 4.2: logits are divided by one
number T. Probabilities that were not logits before give the same, since ``log p`` differs from
logits by a number that is the same for all classes.
"""

from __future__ import annotations

import numpy as np

LOWEST, HIGHEST = 0.01, 10.0
"""Between these a temperature is fitted: few examples would otherwise give any number.

A supervisor that has hardly moved from 1/2 may have the right answers all the same, so that the
lower end is far away; labels at the upper end teach little already.
"""


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """``softmax(log p / T)``: nearer to each other for T above 1, further apart below.

    Which class is the most probable stays, and a probability of 0 or 1 stays as it is.

    Args:
        probabilities: ``(n, k)``, rows sum to one.
        temperature: T, above 0.

    Returns:
        ``(n, k)``, rows sum to one.
    """
    with np.errstate(divide="ignore", over="ignore"):
        below = np.log(probabilities) - np.log(probabilities.max(axis=1, keepdims=True))
        weights = np.exp(below / temperature)
    return weights / weights.sum(axis=1, keepdims=True)


def fitted_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The T between `LOWEST` and `HIGHEST` with the least cross-entropy to ground truth.

    The cross-entropy is convex in 1/T, so that it has one minimum.

    Args:
        probabilities: ``(n, k)`` of examples that were not learnt.
        labels: ``(n,)`` class indices.

    Returns:
        T, to three digits, so that the last digits of a machine's arithmetic do not matter.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    # A label of probability 0 would cost infinity at every temperature.
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    of_label = logits[np.arange(len(labels)), labels]

    def cross_entropy(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        return float(np.mean(logsumexp(inverse * logits, axis=1) - inverse * of_label))

    ends = (np.log(LOWEST), np.log(HIGHEST))
    found = minimize_scalar(cross_entropy, bounds=ends, method="bounded", options={"xatol": 1e-6})
    # The search for a minimum inside comes near to an end, and not to it.
    best = min((float(found.x), *ends), key=cross_entropy)  # pyright: ignore
    return float(f"{np.exp(best):.3g}")
