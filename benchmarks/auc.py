"""Do intervals cover where scores are ROC AUCs? A simulation in which the truth is known.

    python benchmarks/auc.py --trials 400      (about 4 minutes)

Seed s of role r (floor, student, ceiling) ranks test example i of class y by

    (apart[r] + seed[s, r]) y + example[i] + example[i, r] + own[s, r, i],

with independent normal effects; those of examples and answers have variances that sum to 1, and
half of the effect of an example belongs to its group of two, which has one class. Two examples of
different classes differ by a normal with mean apart[r] and variance 2 + the variance over seeds, so
that over all seeds and examples role r has the AUC Phi(apart[r] / sqrt(2 + variance)): floor, gap
and PGR follow. Probabilities are the logistic function of the ranks, on which no AUC depends.
Intervals are those of `recovered` itself, with its metric, and of `w2s compare` for this task.

Columns: the share of the 95% intervals that hold the true floor, gap, PGR (where it is printed) and
difference between student and floor, and how often no PGR is printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from tables import flags, short, show
from weak2strong.analysis.aggregate import Answered, measured_jointly
from weak2strong.analysis.intervals import t_interval
from weak2strong.analysis.recovered import recovered
from weak2strong.ground.metrics import roc_auc

GROUP = 2
AUCS = (0.65, 0.74, 0.83)
"""Floor, student, ceiling over all seeds and examples; the true PGR is 1/2."""


@dataclass(frozen=True)
class Regime:
    """Test examples, share of the positive class, and where the variance is."""

    examples: int
    positive: float
    example: float
    example_role: float
    seed: float


REGIMES = {
    "seeds": Regime(examples=1000, positive=0.5, example=0.9, example_role=0.05, seed=0.04),
    "examples": Regime(examples=300, positive=0.5, example=0.6, example_role=0.25, seed=0.001),
    "mixed": Regime(examples=500, positive=0.5, example=0.7, example_role=0.15, seed=0.01),
    "few positives": Regime(examples=400, positive=0.1, example=0.7, example_role=0.15, seed=0.01),
    "small test": Regime(examples=60, positive=0.3, example=0.6, example_role=0.2, seed=0.01),
}


def draw(r: Regime, seeds: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One trial: probabilities ``(3, S, n, 2)`` and labels ``(n,)``; neighbours form the groups."""
    n, normal = r.examples, rng.standard_normal
    labels = np.repeat(np.arange(n // GROUP) < r.positive * n / GROUP, GROUP)
    example = np.sqrt(0.5) * (np.repeat(normal(n // GROUP), GROUP) + normal(n))
    ranks = np.sqrt(1 - r.example - r.example_role) * normal((3, seeds, n))
    ranks += np.sqrt(r.example) * example + np.sqrt(r.example_role) * normal((3, 1, n))
    apart = norm.ppf(AUCS) * np.sqrt(2 + r.seed)
    ranks += labels * (apart[:, None, None] + np.sqrt(r.seed) * normal((3, seeds, 1)))
    positive = 1 / (1 + np.exp(-ranks))
    return np.stack([1 - positive, positive], axis=3), labels.astype(int)


def simulate(
    r: Regime, seeds: int, trials: int, rng: np.random.Generator, replicates: int = 300
) -> dict[str, float]:
    """Shares of the intervals that hold the truth, and ``no PGR``."""
    groups = np.repeat([f"{i:05}" for i in range(r.examples // GROUP)], GROUP)
    floor, student, ceiling = AUCS
    held: dict[str, list[bool]] = {name: [] for name in ("floor", "gap", "PGR", "gain")}
    for _ in range(trials):
        answers, labels = draw(r, seeds, rng)
        weak, strong, best = answers
        found = recovered(weak, strong, best, labels, groups, roc_auc, replicates=replicates)
        both = measured_jointly([Answered([weak, strong], labels, groups, roc_auc)], replicates)
        gain = t_interval(both, np.array([-1.0, 1.0]), 0.95)
        for name, interval, truth in (
            ("floor", found.floor_interval, floor),
            ("gap", found.gap_interval, ceiling - floor),
            ("PGR", found.interval, (student - floor) / (ceiling - floor)),
            ("gain", gain, student - floor),
        ):
            if interval is not None:
                held[name].append(interval.low <= truth <= interval.high)
    shares = {name: float(np.mean(of)) if of else np.nan for name, of in held.items()}
    return shares | {"no PGR": 1 - len(held["PGR"]) / trials}


def rows(a: argparse.Namespace) -> Iterator[list[str]]:
    """A row a regime; a cell has a number for each number of seeds."""
    for i, (name, regime) in enumerate(REGIMES.items()):
        cells: dict[str, list[str]] = {}
        for seeds in a.seeds:
            rng = np.random.default_rng([a.seed, i, seeds])
            for what, share in simulate(regime, seeds, a.trials, rng).items():
                text = f"{share:.2f}" if what == "no PGR" else short(share)
                cells.setdefault(what, []).append(text)
        yield [
            name,
            *(" / ".join(cells[what]) for what in ("PGR", "no PGR", "gap", "floor", "gain")),
        ]


def main() -> None:
    parser = flags(__doc__, 400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 5])
    a = parser.parse_args()
    titles = ["regime", f"PGR, S = {' / '.join(map(str, a.seeds))}", "no PGR", "gap", "floor"]
    show("auc", [*titles, "student - floor"], rows(a), a.into)


if __name__ == "__main__":
    main()
