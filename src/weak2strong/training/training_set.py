"""What a finetuning learns from, or stops on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.tasks.task import Item


@dataclass(frozen=True)
class TrainingSet:
    """Items, and the target of each of them (see `weak2strong.tasks.kinds.true_targets`).

    Targets are an array (n, classes) whose rows add up to one; for a generation task they are
    n texts, (n,).
    """

    items: Sequence[Item]
    targets: np.ndarray
