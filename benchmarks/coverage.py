"""Do the intervals of PGR and of the gap cover? A simulation in which the truth is known exactly.

    python benchmarks/coverage.py --trials 1000      (about 4 minutes)

Seed s answers test example i rightly in role r (floor, student, ceiling) where a latent margin
is above 0:

    m[r] + example[i] + example[i, r] + seed[s, r] + both[s, i, r] > 0,

with independent normal effects (half of the example effect belongs to the example's group of two)
whose variances sum to 1; a student's seed effect may correlate with its supervisor's. So role r is
right with probability Phi(m[r]) over all seeds and examples, and the true PGR follows from the
three probabilities alone. A regime says how the variance is shared. In the regime `failures` one
student in ten has its margin lowered by 1, as when training collapses: seeds are then far from
normal, and no method is held to its level there.

Methods, all given the same trials:

    fieller        what `recovered` uses below BOOTSTRAP_SEEDS
    crossed        what `recovered` uses from BOOTSTRAP_SEEDS
    nested         the usual bootstrap: fresh examples within each drawn seed
    one t          Fieller with t(S - 1) for both parts of the variance
    satterthwaite  Fieller with Satterthwaite's degrees of freedom at the estimate

A cell has a number for each number of seeds. Of a method it is the share of the printed intervals
that hold the true PGR; `width` is the median width of Fieller's, `no PGR` the share of trials in
which it is not printed since the gap is not clearly above 0, or the set is unbounded. `gap` is the
share of the intervals of the gap, which are always printed, that hold the true gap.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm, t

from tables import flags, show
from weak2strong.analysis.intervals import (
    Measured,
    apart_interval,
    bootstrap_interval,
    bootstrap_ratio,
    crossed_means,
    fieller_bounds,
    fieller_interval,
    group_weights,
    variance_parts,
)
from weak2strong.analysis.recovered import BOOTSTRAP_SEEDS, CEILING, FLOOR, GAIN, GAP

LEVEL = 0.95
GROUP = 2

Bounds = tuple[float, float] | None


@dataclass(frozen=True)
class Regime:
    """Where the variance is: shares of the latent margin's variance, the rest is `both`."""

    examples: int
    example: float
    example_role: float
    seed: float
    inherited: float = 0.0  # correlation of the student's seed effect with its supervisor's
    failures: float = 0.0
    accuracies: tuple[float, ...] = (0.62, 0.71, 0.80)

    @property
    def gap(self) -> float:
        return self.accuracies[2] - self.accuracies[0]

    @property
    def truth(self) -> float:
        floor, student, ceiling = self.accuracies
        failed = float(norm.cdf(norm.ppf(student) - 1))
        student = (1 - self.failures) * student + self.failures * failed
        return (student - floor) / (ceiling - floor)


REGIMES = {
    "seeds": Regime(examples=1500, example=0.95, example_role=0.03, seed=0.012),
    "examples": Regime(examples=300, example=0.60, example_role=0.25, seed=0.0005),
    "mixed": Regime(examples=500, example=0.70, example_role=0.15, seed=0.006),
    "interaction": Regime(examples=500, example=0.10, example_role=0.10, seed=0.0005),
    "inherited": Regime(
        examples=1500,
        example=0.95,
        example_role=0.03,
        seed=0.012,
        inherited=0.9,
        accuracies=(0.62, 0.782, 0.80),
    ),
    "failures": Regime(examples=1000, example=0.70, example_role=0.10, seed=0.003, failures=0.1),
}


def draw(regime: Regime, seeds: int, rng: np.random.Generator) -> np.ndarray:
    """One trial: who is right, float ``(S, 3, n)``; neighbours form the groups."""
    n, normal = regime.examples, rng.standard_normal
    example = np.sqrt(0.5) * (np.repeat(normal(n // GROUP), GROUP) + normal(n))
    both = 1 - regime.example - regime.example_role - regime.seed
    margin = np.sqrt(both) * normal((seeds, 3, n), dtype=np.float32)
    margin += norm.ppf(regime.accuracies)[:, None] + np.sqrt(regime.example) * example
    margin += np.sqrt(regime.example_role) * normal((3, n))
    seed = normal((seeds, 3, 1))
    seed[:, 1] *= np.sqrt(1 - regime.inherited**2)
    seed[:, 1] += regime.inherited * seed[:, 0]
    margin += np.sqrt(regime.seed) * seed
    margin[:, 1] -= rng.random((seeds, 1)) < regime.failures
    return (margin > 0).astype(float)


def measure(right: np.ndarray, replicates: int, rng: np.random.Generator) -> Measured:
    """Accuracies on the test set and on replicates; one matrix product, as groups are equal."""
    seeds, roles, n = right.shape
    by_group = right.reshape(seeds * roles, n // GROUP, GROUP).mean(axis=2)
    weights = group_weights(np.arange(n // GROUP), replicates, rng)
    scores = (weights @ by_group.T / (n // GROUP)).reshape(replicates, seeds, roles)
    return Measured(right.mean(axis=2), scores, n // GROUP)


def nested_means(measured: Measured, rng: np.random.Generator) -> np.ndarray:
    """Mean scores ``(b, 3)`` of replicates that draw seeds, and examples anew for each seed."""
    replicates, seeds, _ = measured.replicates.shape
    drawn = rng.integers(seeds, size=(replicates, seeds))
    # Another row of the replicates for each drawn seed: independent draws of examples.
    rows = np.stack([rng.permutation(replicates) for _ in range(seeds)], axis=1)
    return measured.replicates[rows, drawn].mean(axis=1)


def bootstrap(measured: Measured, means: np.ndarray) -> Bounds:
    if bootstrap_interval(measured, means, GAP, LEVEL).low <= 0:
        return None
    interval = bootstrap_ratio(measured, means, GAIN, GAP, LEVEL)
    return interval and (interval.low, interval.high)


def fieller(measured: Measured) -> Bounds:
    if apart_interval(measured, CEILING, FLOOR, LEVEL).low <= 0:
        return None
    interval = fieller_interval(measured, GAIN, GAP, LEVEL)
    return interval and (interval.low, interval.high)


def fieller_with(measured: Measured, df: float) -> Bounds:
    """Fieller with one t quantile for the whole variance."""
    seed_part, example_part = variance_parts(measured)
    margin = t.ppf((1 + LEVEL) / 2, df) ** 2 * (seed_part + example_part)
    return fieller_bounds(measured.mean, margin, GAIN, GAP)


def satterthwaite(measured: Measured) -> float:
    """Degrees of freedom of the variance of ``N - PGR D`` at the estimated PGR."""
    contrast = GAIN - (GAIN @ measured.mean) / (GAP @ measured.mean) * GAP
    seed, example = (contrast @ part @ contrast for part in variance_parts(measured))
    spread = seed**2 / (len(measured.scores) - 1) + example**2 / (measured.groups - 1)
    return float((seed + example) ** 2 / spread)


def methods(measured: Measured, rng: np.random.Generator) -> dict[str, Bounds]:
    """The interval of every method for one trial, None where undefined."""
    return {
        "fieller": fieller(measured),
        "crossed": bootstrap(measured, crossed_means(measured, rng)),
        "nested": bootstrap(measured, nested_means(measured, rng)),
        "one t": fieller_with(measured, len(measured.scores) - 1),
        "satterthwaite": fieller_with(measured, satterthwaite(measured)),
    }


def gap_interval(measured: Measured, rng: np.random.Generator) -> Bounds:
    """The interval of the gap that `recovered` gives."""
    if len(measured.scores) < BOOTSTRAP_SEEDS:
        interval = apart_interval(measured, CEILING, FLOOR, LEVEL)
    else:
        interval = bootstrap_interval(measured, crossed_means(measured, rng), GAP, LEVEL)
    return interval.low, interval.high


def simulate(
    regime: Regime, seeds: int, trials: int, replicates: int, rng: np.random.Generator
) -> dict[str, list[Bounds]]:
    """The intervals of all trials, by method, and those of the gap."""
    found: dict[str, list[Bounds]] = {}
    for _ in range(trials):
        measured = measure(draw(regime, seeds, rng), replicates, rng)
        for name, bounds in methods(measured, rng).items():
            found.setdefault(name, []).append(bounds)
        found.setdefault("gap", []).append(gap_interval(measured, rng))
    return found


def summary(found: list[Bounds], truth: float) -> tuple[float, float, float]:
    """Share covered and median width of the printed intervals, and the share undefined."""
    printed = np.array([bounds for bounds in found if bounds is not None]).reshape(-1, 2)
    undefined = 1 - len(printed) / len(found)
    if not len(printed):
        return np.nan, np.nan, undefined
    low, high = printed.T
    covered = np.mean((low <= truth) & (truth <= high))
    return float(covered), float(np.median(high - low)), undefined


COVERED = ("fieller", "crossed", "nested", "one t", "satterthwaite")


def rows(a: argparse.Namespace) -> Iterator[list[str]]:
    """A row a regime; a cell has a number for each number of seeds."""
    for name in a.regimes:
        regime = REGIMES[name]
        if a.accuracies:
            regime = replace(regime, accuracies=tuple(a.accuracies))
        cells: dict[str, list[str]] = {}
        for seeds in a.seeds:
            rng = np.random.default_rng([a.seed, list(REGIMES).index(name), seeds])
            found = simulate(regime, seeds, a.trials, a.replicates, rng)
            _, width, none = summary(found["fieller"], regime.truth)
            covered, _, _ = summary(found["gap"], regime.gap)
            texts = {method: f"{summary(found[method], regime.truth)[0]:.3f}" for method in COVERED}
            texts |= {"width": f"{width:.2f}", "no PGR": f"{none:.2f}", "gap": f"{covered:.3f}"}
            for title, text in texts.items():
                cells.setdefault(title, []).append(text.removeprefix("0"))
        yield [name, *(" / ".join(cells[title]) for title in TITLES[1:])]


TITLES = ("regime", "fieller", "width", "no PGR", "gap", *COVERED[1:])
SHIPPED = 5
"""So many columns are about the intervals in use; those of PGR from 30 seeds are `crossed`."""


def main() -> None:
    parser = flags(__doc__, 1000)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 5, 10, 20, 30])
    parser.add_argument("--regimes", nargs="+", choices=REGIMES, default=list(REGIMES))
    parser.add_argument(
        "--accuracies",
        type=float,
        nargs=3,
        metavar=("FLOOR", "STUDENT", "CEILING"),
        help="over all seeds and examples, instead of the regime's own",
    )
    a = parser.parse_args()
    kept, of = [], f", S = {' / '.join(map(str, a.seeds))}"

    def shipped() -> Iterator[list[str]]:
        """The columns of the methods in use; those of the others are kept for another table."""
        for row in rows(a):
            kept.append(row)
            yield row[:SHIPPED]

    regime, first, *more = TITLES[:SHIPPED]
    show("coverage", [regime, first + of, *more], shipped(), a.into)
    first, *more = TITLES[SHIPPED:]
    others = (row[:1] + row[SHIPPED:] for row in kept)
    show("coverage of alternatives", [regime, first + of, *more], others, a.into)


if __name__ == "__main__":
    main()
