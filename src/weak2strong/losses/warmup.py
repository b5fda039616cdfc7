"""How the weight of an auxiliary term grows."""

from __future__ import annotations


def risen(fraction: float, warmup: float) -> float:
    """``min(1, fraction / warmup)``: 0 at the start, 1 once that share of training is done.

    With ``warmup=0`` it is 1 from the first step.
    """
    return min(1.0, fraction / warmup) if warmup > 0 else 1.0
