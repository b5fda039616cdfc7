"""Auxiliary confidence loss: let the student trust itself where it is sure."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.losses import loss
from weak2strong.methods.method import Context, Method
from weak2strong.predictions import Predictions


def confidence(context: Context) -> Mapping[str, Predictions]:
    """Cross-entropy mixed with cross-entropy against the student's own hardened answers."""
    return context.finetune(context.weak_labels, loss("confidence"))


CONFIDENCE = Method(
    name="confidence",
    summary="cross-entropy plus a reward for confidence in the student's own answers",
    source="Burns et al. 2023, section 4.3",
    run=confidence,
)
