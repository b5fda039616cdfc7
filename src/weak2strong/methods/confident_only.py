"""Confident only: learn what the supervisor is sure of, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from weak2strong.losses import loss
from weak2strong.methods.method import Context, Method
from weak2strong.predictions import Predictions, joined

THRESHOLD = 0.75
"""The confidence ``max_c w_c`` from which a weak label is learnt."""

LEAST = 0.1
"""The share of examples that are kept at least, the surest ones."""


def confident_only(context: Context) -> Mapping[str, Predictions]:
    """Cross-entropy on the examples of ``strong_train`` with sure weak labels.

    Anthropic 2026; its released code compares with 0.25 and 0.75 in a way that
    leaves the lower bound without effect. Hard labels are all sure, and all are
    kept. A supervisor that is never sure leaves its surest tenth.
    """
    train, validation = (
        [item.id for item in context.items(split)] for split in ("strong_train", "validation")
    )
    labels = context.weak_labels
    kept = sure(Predictions(tuple(train), labels.at(train), labels.kind))
    rest = Predictions(tuple(validation), labels.at(validation), labels.kind)
    return context.finetune(joined(kept, rest), loss("cross-entropy"))


def sure(labels: Predictions) -> Predictions:
    """The labels of at least the threshold's confidence, or else the surest tenth, in order."""
    confidence = labels.probabilities.max(axis=1)
    least = int(np.ceil(LEAST * len(confidence)))
    # Of equal confidence the earlier one.
    surest = np.argsort(-confidence, kind="stable")[:least]
    keep = confidence >= THRESHOLD
    keep[surest] = True
    ids = tuple(id for id, kept in zip(labels.ids, keep, strict=True) if kept)
    return Predictions(ids, labels.probabilities[keep], labels.kind)


CONFIDENT_ONLY = Method(
    name="confident-only",
    summary=f"cross-entropy on weak labels of confidence {THRESHOLD} and above",
    source="Anthropic 2026",
    run=confident_only,
)
