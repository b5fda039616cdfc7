"""Confident only: learn only the labels of which the supervisor is sure."""

from __future__ import annotations

import numpy as np

from weak2strong.methods.decorators import method
from weak2strong.methods.labels import keeping, labels_of
from weak2strong.methods.method import Context

LEAST = 0.1
"""The share of examples that are kept in any case: the surest ones."""


@method(
    "confident-only",
    "leaves out the labels that the supervisor is not sure of",
    "Anthropic 2026",
    prepares=True,
    uses=("labels",),
    changes=("labels",),
)
def confident_only(context: Context, *, threshold: float = 0.75) -> Context:
    """Keep the examples whose weak label has a confidence ``max_c w_c`` of the threshold or above.

    Anthropic 2026; its released code compares with 0.25 and 0.75 in a way that
    leaves the lower bound without effect. All hard labels are sure, so all are kept. Of a
    supervisor that is never sure, the surest tenth is kept.
    """
    labels = labels_of(context, "strong_train").probabilities
    return keeping(context, sure(labels, threshold))


def sure(labels: np.ndarray, threshold: float) -> np.ndarray:
    """Which labels (n, classes) have the threshold's confidence, or else the surest tenth: (n,)."""
    confidence = labels.max(axis=1)
    least = int(np.ceil(LEAST * len(confidence)))
    # Among labels of equal confidence, earlier ones come first.
    surest = np.argsort(-confidence, kind="stable")[:least]
    keep = confidence >= threshold
    keep[surest] = True
    return keep
