"""Seeds for different purposes are unrelated; for one purpose they stay."""

import numpy as np
import torch

from weak2strong.ground.draws import draw_seed


def test_a_purpose_has_a_seed_of_its_own_that_stays():
    purposes = [
        ("head",),
        ("head", "32"),
        ("head", "64"),
        ("student",),
        ("student 1",),
        ("h", "ead"),
    ]
    seeds = {draw_seed(seed, *purpose) for seed in range(50) for purpose in purposes}
    assert len(seeds) == 50 * len(purposes)
    # The number itself stays: stored results rest on it.
    assert draw_seed(0, "head", "32") == draw_seed(0, "head", "32") == 8852338681774543113
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_every_generator_takes_it():
    largest = max(draw_seed(seed, "student") for seed in range(200))
    torch.Generator().manual_seed(largest)
    np.random.default_rng([largest, 0])
