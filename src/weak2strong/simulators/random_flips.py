"""Random flips: every label is as likely to be wrong as any other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from weak2strong.simulators.simulator import Order, Seen, Simulator


def random_flips(seen: Seen) -> Mapping[str, Order]:
    """All examples are equally safe."""
    return {split: Order(np.zeros(len(given))) for split, given in seen.examples.items()}


RANDOM_FLIPS = Simulator(
    name="random-flips",
    summary="labels drawn at random are wrong",
    source="Burns et al. 2023, appendix E",
    order=random_flips,
)
