"""Losses for the student: one file each, listed by name in `LOSSES`.

`cross-entropy` imitates the supervisor, and `kl` has its gradient. `confidence`
also rewards the student for being sure of its own answer, which helps where the
gap between supervisor and student is large (Burns et al. 2023);
`adaptive-confidence` does so by example, `entropy` without a hard answer.
`window` leaves the student alone where it is sure, `product` lets both speak.
A name that ends in `-code` is a loss as published code has it, where that
differs from the text.
"""

from __future__ import annotations

from typing import Any

from weak2strong.methods import LOSSES
from weak2strong.training.loss import Loss

__all__ = ["LOSSES", "Loss", "loss"]


def loss(name: str, **settings: Any) -> Loss:
    """The loss of that name, such as ``loss("confidence", maximum=0.75)``.

    Raises:
        UserError: no such loss, no such setting, or a setting out of range.
    """
    return LOSSES.build(name, settings)
