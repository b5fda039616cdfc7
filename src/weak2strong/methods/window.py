"""Confidence-window loss: learn only what the student is unsure of."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.ground.predictions import Predictions
from weak2strong.methods.method import Context, Method


def window(context: Context) -> Mapping[str, Predictions]:
    """Cross-entropy where the student is no surer than the median weak label it trains on."""
    from weak2strong.losses.window import Window

    ids = [item.id for item in context.items("strong_train")]
    return context.finetune(context.weak_labels, Window.from_labels(context.weak_labels.at(ids)))


WINDOW = Method(
    name="window",
    summary="cross-entropy where the student is unsure, 0 elsewhere",
    source="EleutherAI 2024, modified loss functions",
    run=window,
)
