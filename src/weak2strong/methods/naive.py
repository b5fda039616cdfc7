"""Naive finetuning: learn the weak labels as they are."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.losses import loss
from weak2strong.methods.method import Context, Method
from weak2strong.predictions import Predictions


def naive(context: Context) -> Mapping[str, Predictions]:
    """Cross-entropy against the supervisor's soft labels."""
    return context.finetune(context.weak_labels, loss("cross-entropy"))


NAIVE = Method(
    name="naive",
    summary="cross-entropy with the supervisor's soft labels",
    source="Burns et al. 2023, section 3",
    run=naive,
)
