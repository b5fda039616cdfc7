"""How the learning rate moves over training, as a share of its peak."""

from __future__ import annotations

import math

from weak2strong.config.training import Schedule


def rate_factor(
    step: int, steps: int, schedule: Schedule = "cosine", warmup: float = 0.0, floor: float = 0.0
) -> float:
    """Learning rate before a step, divided by its peak: in (0, 1].

    Args:
        step: steps done, from 0 to ``steps - 1``.
        steps: of the whole training.
        schedule: shape after the warm-up; cosine and linear fall towards ``floor``.
        warmup: share of the steps in which the rate rises linearly; above 1 it does
            so to the end, and does not reach its peak.
        floor: where the fall ends.
    """
    warm = round(warmup * steps)
    if step < warm:
        return (step + 1) / warm
    along = (step - warm) / max(1, steps - warm)
    if schedule == "constant":
        return 1.0
    shape = (1 + math.cos(math.pi * along)) / 2 if schedule == "cosine" else 1 - along
    return floor + (1 - floor) * shape
