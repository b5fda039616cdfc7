"""Seeds of random numbers that are drawn for different purposes, and draws of examples."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def draw_seed(seed: int, *purpose: str) -> int:
    """A seed of its own for each purpose: equal for equal words, and unrelated for others.

    Two generators that begin at one seed draw the same numbers, so that the heads of a supervisor
    and of its student would begin alike, and their errors could agree for that reason.

    Args:
        seed: of the study's cell.
        purpose: words that say what is drawn, and for whom.

    Returns:
        A number from 0 to 2**63 - 1, which every generator takes.
    """
    text = "\0".join((str(seed), *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def one_of_each_group(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions of one random example of each group, in random order.

    The first N of them are a random draw of N examples, at most one of a group.
    """
    import numpy as np

    order = rng.permutation(len(groups))
    _, first = np.unique(np.asarray(groups)[order], return_index=True)
    return order[np.sort(first)]
