"""Do the tests of `w2s compare` and the intervals over tasks keep their level? Simulations.

    python benchmarks/calibration.py --trials 2000      (about 3 minutes)

**Tests.** Studies in which no method differs from the baseline: a method's difference on a task is
its own noise minus the baseline's, which all methods share. How often does a test at level .05
say otherwise: each test by itself, and any of the family after Holm? `attainable` is the largest
level at most .05 that the signed-rank test can have at that number of tasks, without ties.

Tasks that share entities have a simulation of their own, shared_entities.py.

**Intervals.** Seed s answers example i of task t rightly in role r where a latent margin is above
0, as in coverage.py, with effects of the entity (which all tasks ask about), of the example, both
by role, and of the seed, half of it in common to all tasks. True PGRs follow in closed form.

**Trusted labels.** Coverage of the score interval and level of McNemar's test, counted out exactly
over a grid of true chances.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import multinomial, norm

from tables import flags, short, show
from weak2strong.analysis.aggregate import aggregate
from weak2strong.analysis.intervals import Measured, apart_interval, group_weights
from weak2strong.analysis.paired import holm, paired_t, sign_test, wilcoxon
from weak2strong.analysis.verify import difference_interval, mcnemar

LEVEL = 0.05

# --- tests ---------------------------------------------------------------------------------


def noise(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Noise of mean 0 in a score; of two independent ones the difference is symmetric."""
    match kind:
        case "normal":
            return rng.standard_normal(shape)
        case "heavy":
            return rng.standard_t(3, shape)
        case "skewed":
            return rng.exponential(1.0, shape) - 1
        case "counts":
            # Accuracy of three seeds on 100 examples: many ties.
            return rng.binomial(300, 0.7, shape) / 300
    raise ValueError(kind)


KINDS = ("normal", "heavy", "skewed", "counts")


def null_differences(kind: str, tasks: int, family: int, rng: np.random.Generator) -> np.ndarray:
    """Differences ``(family, tasks)`` of methods from a baseline that is as good."""
    scores = noise(kind, (family + 1, tasks), rng)
    return scores[1:] - scores[0]


def false_positives(
    kind: str, tasks: int, family: int, trials: int, rng: np.random.Generator
) -> dict[str, float]:
    """How often each test rejects for the first method, and any of the family after Holm."""
    rejected: dict[str, int] = {}
    for _ in range(trials):
        rows = null_differences(kind, tasks, family, rng)
        signed_ranks, ts = [wilcoxon(d) for d in rows], [paired_t(d) for d in rows]
        found = {"Wilcoxon": signed_ranks[0], "t": ts[0], "sign": sign_test(rows[0])}
        ps = {f"{name} one-sided": p.one_sided for name, p in found.items()}
        ps |= {f"{name} two-sided": p.two_sided for name, p in found.items()}
        for name, all_of in (("Wilcoxon", signed_ranks), ("t", ts)):
            adjusted = holm({str(i): p.one_sided for i, p in enumerate(all_of)})
            ps[f"{name} family"] = min(adjusted.values())
        for name, p in ps.items():
            rejected[name] = rejected.get(name, 0) + (p <= LEVEL)
    return {name: count / trials for name, count in rejected.items()}


def attainable(tasks: int, sides: int) -> float:
    """The largest level at most `LEVEL` of the signed-rank test without ties."""
    ranks = np.arange(1, tasks + 1)
    best = 0.0
    # Turning the smallest ranks to minus one by one passes every sum from the top down.
    for minus in range(tasks * (tasks + 1) // 2 + 1):
        signs, left = np.ones(tasks), minus
        for r in ranks[::-1]:
            if left >= r:
                signs[r - 1], left = -1, left - r
        p = wilcoxon(signs * ranks)
        value = p.two_sided if sides == 2 else p.one_sided
        if value > LEVEL:
            return best
        best = value
    return best


# --- intervals over tasks ------------------------------------------------------------------


@dataclass(frozen=True)
class Regime:
    """Shares of the latent margin's variance; the rest is each answer's own."""

    entity: float = 0.3
    example: float = 0.3
    entity_role: float = 0.08
    example_role: float = 0.08
    seed: float = 0.01
    entities: int = 400
    floor: float = 0.62
    gap: float = 0.18


REGIMES = {
    "seeds": Regime(seed=0.012, entity_role=0.02, example_role=0.02, entities=1000),
    "examples": Regime(seed=0.0005, entity_role=0.15, example_role=0.1),
    "mixed": Regime(),
    "narrow gap": Regime(gap=0.10),
}


def truths(regime: Regime, tasks: int) -> np.ndarray:
    """Accuracies ``(tasks, 3)``: PGRs spread from 0.2 to 0.8, floors and gaps differ too."""
    pgr = np.linspace(0.2, 0.8, tasks)
    floor = regime.floor + 0.04 * np.cos(np.arange(tasks))
    gap = regime.gap * (1 + 0.3 * np.sin(2.0 * np.arange(tasks)))
    return np.stack([floor, floor + pgr * gap, floor + gap], axis=1)


def draw(regime: Regime, seeds: int, means: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One trial: who is right, floats ``(S, T, 3, n)``."""
    tasks, n = len(means), regime.entities
    r = regime

    def effect(share: float, *shape: int) -> np.ndarray:
        return np.sqrt(share) * rng.standard_normal(shape, dtype=np.float32)

    own = 1 - r.entity - r.example - r.entity_role - r.example_role - r.seed
    margin = effect(own, seeds, tasks, 3, n)
    margin += norm.ppf(means)[:, :, None]
    margin += effect(r.entity, n) + effect(r.example, tasks, 1, n)
    margin += effect(r.entity_role, 3, n) + effect(r.example_role, tasks, 3, n)
    margin += effect(r.seed / 2, seeds, 1, 3, 1) + effect(r.seed / 2, seeds, tasks, 3, 1)
    return (margin > 0).astype(float)


def measure(right: np.ndarray, replicates: int, rng: np.random.Generator) -> Measured:
    """What `measured_jointly` gives, in one matrix product, as every task asks of every entity."""
    seeds, tasks, roles, n = right.shape
    weights = group_weights(np.arange(n), replicates, rng)
    flat = right.reshape(-1, n)
    drawn = (weights @ flat.T / n).reshape(replicates, seeds, tasks * roles)
    return Measured(flat.mean(axis=1).reshape(seeds, tasks * roles), drawn, n)


def coverage(
    regime: Regime, tasks: int, seeds: int, trials: int, replicates: int, rng: np.random.Generator
) -> dict[str, tuple[int, int]]:
    """For mean, median and pooled: how many intervals hold the truth, of how many printed."""
    means = truths(regime, tasks)
    pgr = (means[:, 1] - means[:, 0]) / (means[:, 2] - means[:, 0])
    pooled = (means[:, 1] - means[:, 0]).sum() / (means[:, 2] - means[:, 0]).sum()
    found = {"mean": [0, 0], "median": [0, 0], "pooled": [0, 0]}
    floors, ceilings = np.eye(3 * tasks)[0::3], np.eye(3 * tasks)[2::3]
    for _ in range(trials):
        measured = measure(draw(regime, seeds, means, rng), replicates, rng)
        gaps = [apart_interval(measured, c, f, 0.95) for f, c in zip(floors, ceilings, strict=True)]
        use = np.array([gap.low > 0 for gap in gaps])
        got = aggregate(measured, use)
        of_used = pgr[use] if use.any() else pgr
        for name, interval, truth in (
            ("mean", got.mean_interval, of_used.mean()),
            ("median", got.median_interval, np.median(of_used)),
            ("pooled", got.pooled_interval, pooled),
        ):
            if interval:
                found[name][0] += interval.low <= truth <= interval.high
                found[name][1] += 1
    return {name: (covered, printed) for name, (covered, printed) in found.items()}


# --- trusted labels ------------------------------------------------------------------------

CHANCES = tuple(
    (p, q)
    for p in (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
    for q in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
)
"""Of the student alone being right, and of the supervisor alone."""


def trusted(labels: int) -> tuple[float, float, float]:
    """Least and mean coverage of the interval over `CHANCES`, and the test's largest level."""
    b, c = (x.ravel() for x in np.meshgrid(np.arange(labels + 1), np.arange(labels + 1)))
    chances = np.array(
        [multinomial.pmf(np.stack([b, c, labels - b - c], 1), labels, [p, q, 1 - p - q])
         for p, q in CHANCES]
    )  # fmt: skip
    likely = (chances > 1e-9).any(axis=0) & (b + c <= labels)
    b, c, chances = b[likely], c[likely], chances[:, likely]
    bounds = np.array([difference_interval(*at, labels) for at in zip(b, c, strict=True)])
    covered = [
        float(weight[(bounds[:, 0] <= p - q) & (p - q <= bounds[:, 1])].sum())
        for (p, q), weight in zip(CHANCES, chances, strict=True)
    ]
    rejects = np.array([mcnemar(*at) <= LEVEL for at in zip(b, c, strict=True)])
    levels = [
        float(weight[rejects].sum())
        for (p, q), weight in zip(CHANCES, chances, strict=True)
        if p == q
    ]
    return min(covered), float(np.mean(covered)), max(levels)


# --- printing ------------------------------------------------------------------------------

TASKS = (5, 8, 12, 21)
TRUSTED = (10, 20, 50, 100, 200)
"""Numbers of trusted labels."""


def test_rows(a: argparse.Namespace) -> Iterator[list[str]]:
    """Share of true nulls rejected: one-sided / two-sided; of the family one-sided, after Holm."""
    for kind in KINDS:
        for tasks in TASKS:
            rng = np.random.default_rng([a.seed, KINDS.index(kind), tasks])
            found = false_positives(kind, tasks, a.family, a.trials, rng)
            can = f"{short(attainable(tasks, 1))} / {short(attainable(tasks, 2))}"
            cells = (
                f"{short(found[f'{name} one-sided'])} / {short(found[f'{name} two-sided'])}"
                for name in ("Wilcoxon", "t", "sign")
            )
            family = f"{short(found['Wilcoxon family'])} / {short(found['t family'])}"
            yield [kind, str(tasks), can, *cells, family]


def interval_rows(a: argparse.Namespace) -> Iterator[list[str]]:
    """Coverage by number of seeds, and how often there is an interval."""
    for name, regime in REGIMES.items():
        for tasks in (4, 8):
            cells: dict[str, list[str]] = {}
            for seeds in a.seeds:
                rng = np.random.default_rng([a.seed, list(REGIMES).index(name), tasks, seeds])
                trials = max(a.trials // 2, 1)
                found = coverage(regime, tasks, seeds, trials, 200, rng)
                for what, (covered, printed) in found.items():
                    cells.setdefault(what, []).append(short(covered / printed) if printed else "-")
                    cells.setdefault(f"has {what}", []).append(f"{printed / trials:.2f}")
            order = ("mean", "median", "pooled", "has mean", "has pooled")
            yield [name, str(tasks), *(" / ".join(cells[what]) for what in order)]


def trusted_rows() -> Iterator[list[str]]:
    """Coverage of the interval, and level of the exact test."""
    for labels in TRUSTED:
        yield [str(labels), *map(short, trusted(labels))]


def main() -> None:
    parser = flags(__doc__, 2000)
    parser.add_argument("--family", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 5, 10])
    a = parser.parse_args()
    titles = ["noise", "tasks", "attainable, one- / two-sided", "Wilcoxon", "t", "sign"]
    show("levels", [*titles, "family: Wilcoxon / t"], test_rows(a), a.into)
    titles = ["regime", "tasks", f"mean, S = {' / '.join(map(str, a.seeds))}", "median", "pooled"]
    show("over tasks", [*titles, "has a mean", "has pooled"], interval_rows(a), a.into)
    titles = ["N", "least coverage", "mean coverage", "largest level of the test"]
    show("trusted", titles, trusted_rows(), a.into)


if __name__ == "__main__":
    main()
