"""Is a model as often right as its confidence says?

Confidence is the probability of the most probable class. With right r_i (0 or 1) and confidence
c_i, the examples of one seed are sorted by confidence into `BINS` bins of equal mass, and

    ECE = sum over bins of |sum of (r_i - c_i) in the bin| / n,

the expected calibration error (Naeini et al. 2015, AAAI) with equal-mass bins (Nixon et al. 2019,
CVPR workshops). ECE is above 0 even for a model that is calibrated, since counts vary: if right
were drawn with chance c_i, each bin's sum would be nearly normal with variance
v = sum of c_i (1 - c_i), and its mean absolute value would be sqrt(2 v / pi). The sum of these
values over n stands beside ECE (``ece_if_calibrated``). The interval of ECE holds the bins fixed,
and ``ece_if_calibrated`` is not subtracted from it.

Brier score: see `weak2strong.ground.metrics.brier`. Log loss: the mean of ``-log p(label)``, p at
least `LEAST`, as in scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from weak2strong.analysis.analyses import analysis
from weak2strong.analysis.estimates import SHARE, columns, estimated, mean_estimate
from weak2strong.analysis.tested import Tested, TestedRun
from weak2strong.ground.table import Row, estimate, number
from weak2strong.tasks.answers import is_right

BINS = 10

LEAST = float(np.finfo(float).eps)
"""The least probability in a logarithm: a smaller one counts as this."""


def equal_mass_bins(confidence: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The bin of each example, ``(n,)`` in ``0 .. bins - 1``, by the rank of its confidence.

    Equal confidences share a bin, that of their mean rank, so that the order of examples does not
    matter; bins are then uneven, and some may be empty.
    """
    from scipy.stats import rankdata

    ranks = rankdata(confidence) - 0.5
    return np.minimum((ranks * bins / len(ranks)).astype(int), bins - 1)


def calibration_error(
    confidence: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray | None = None,
    bins: int = BINS,
) -> float | np.ndarray:
    """ECE in [0, 1], 0 being best.

    Args:
        confidence: ``(n,)``, from 0 to 1.
        right: 0 or 1, ``(n,)``.
        weights: how often each example counts, ``(b, n)``, the bins staying as they are.
        bins: how many.

    Returns:
        One float, or ``(b,)`` for weights.
    """
    member = equal_mass_bins(confidence, bins)[:, None] == np.arange(bins)
    excess = (right - confidence)[:, None] * member
    counts = np.ones((1, len(right))) if weights is None else weights
    errors = np.abs(counts @ excess).sum(axis=1) / counts.sum(axis=1)
    return float(errors[0]) if weights is None else errors


def error_by_seed(tested: Tested, answers: np.ndarray) -> np.ndarray:
    """The `calibration_error` of each seed, ``(S,)``, of answers ``(S, n, k)``.

    This is the one definition that tables and figures show, as a mean over seeds, and over tasks.
    """
    hits = is_right(answers, tested.labels, tested.kind)
    pairs = zip(answers.max(axis=2), hits.astype(float), strict=True)
    return np.array([calibration_error(c, r) for c, r in pairs])


def error_if_calibrated(confidence: np.ndarray, bins: int = BINS) -> float:
    """The expected ECE of a model whose chances ``(n,)`` of being right are its confidences."""
    spread = np.bincount(equal_mass_bins(confidence, bins), confidence * (1 - confidence))
    return float(np.sqrt(2 / np.pi * spread).sum() / len(confidence))


def log_loss(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """``-log p(label)`` of every example; probabilities ``(..., n, k)``, labels ``(n,)``."""
    of_label = probabilities[..., np.arange(len(labels)), labels]
    return -np.log(np.clip(of_label, LEAST, 1.0))


def squared_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The squared distance of two rows of probabilities ``(..., k)``, in [0, 2]."""
    return ((a - b) ** 2).sum(axis=-1)


def calibration_row(tested: Tested, answers: np.ndarray) -> dict[str, Any]:
    """ECE, Brier score and log loss of answers ``(S, n, k)``, means over seeds."""
    confidence = answers.max(axis=2)
    hits = is_right(answers, tested.labels, tested.kind).astype(float)
    pairs = zip(confidence, hits, strict=True)
    scores = error_by_seed(tested, answers)
    replicates = np.stack([calibration_error(c, r, tested.weights) for c, r in pairs], axis=1)
    one_hot = np.eye(answers.shape[2])[tested.labels]
    of_each = {
        "brier": (squared_distance(answers, one_hot), (0.0, 2.0)),
        "log_loss": (log_loss(answers, tested.labels), (0.0, np.inf)),
        "confidence": (confidence, SHARE),
        "accuracy": (hits, SHARE),
    }
    row = columns("ece", estimated(scores, replicates, tested.group_count, SHARE))
    row["ece_if_calibrated"] = float(np.mean([error_if_calibrated(c) for c in confidence]))
    for name, (values, within) in of_each.items():
        mean = mean_estimate(values, tested.weights, tested.group_count, within=within)
        row |= columns(name, mean)
    return {"bins": BINS, **row}


def reliability_rows(tested: Tested, answers: np.ndarray) -> Iterator[dict[str, Any]]:
    """The reliability curve of each seed: a row a bin that is not empty.

    ``confidence`` is the mean in the bin, ``accuracy`` the share of right answers.
    """
    for seed, one in enumerate(answers):
        confidence, hits = one.max(axis=1), is_right(one, tested.labels, tested.kind)
        of = equal_mass_bins(confidence)
        for at in np.unique(of):
            yield {
                "seed": seed,
                "bin": int(at),
                "examples": int((of == at).sum()),
                "confidence": float(confidence[of == at].mean()),
                "accuracy": float(hits[of == at].mean()),
            }


def _lacks(run: TestedRun) -> list[str]:
    return ["Calibration: answers in words come without probabilities."] if run.written else []


@analysis(
    "calibration",
    "a row a role: ECE, Brier score, log loss",
    title="Calibration on test",
    columns=[
        number("accuracy"),
        number("confidence"),
        estimate("ece", "ECE"),
        number("ece_if_calibrated", "if calibrated", detail=True),
        number("brier", "Brier"),
        number("log_loss"),
    ],
    notes=[
        "confidence: mean probability of the answer given. ECE: its distance from accuracy in "
        f"{BINS} bins of equal mass; if calibrated: the ECE that chance alone would give. "
        "Brier: 0 is best, 2 worst. log loss: in nats.",
    ],
    averaged=True,
    lacks=_lacks,
)
def calibration(run: TestedRun) -> Iterator[Row]:
    """The row of `calibration_row` for every role."""
    for who, tested, answers in run.of_roles():
        yield who | calibration_row(tested, answers)


@analysis("reliability", "a row a role, seed and bin")
def reliability(run: TestedRun) -> Iterator[Row]:
    """The rows of `reliability_rows` for every role."""
    for who, tested, answers in run.of_roles():
        yield from (who | row for row in reliability_rows(tested, answers))
