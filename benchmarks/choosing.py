"""The rule by which benchmarks choose a default: near the best, and then what varies least."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

Option = TypeVar("Option")


def chosen(worth: Mapping[Option, np.ndarray], varies: Mapping[Option, float]) -> Option:
    """Of all options that are near the best, the one that varies least.

    Near is an option whose mean worth is below the best one's by no more than the standard error of
    the difference.

    Args:
        worth: of each option, in arrays of one shape, paired place by place.
        varies: how much each option varies.
    """
    best = max(worth.values(), key=np.mean)

    def is_near(of_option: np.ndarray) -> bool:
        difference = (best - of_option).ravel()
        return difference.mean() <= difference.std(ddof=1) / np.sqrt(difference.size)

    near = [option for option, of_option in worth.items() if is_near(of_option)]
    return min(near, key=lambda option: varies[option])


def spread(scores: np.ndarray) -> float:
    """The standard deviation over seeds, the last axis, pooled over the others."""
    return float(np.sqrt(scores.var(axis=-1, ddof=1).mean()))
