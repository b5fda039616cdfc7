"""Which interval of the gap, and of the supervisor's score, fits two and three seeds? A simulation.

    python benchmarks/few_seeds.py --trials 400      (about 2 minutes)

**The gap.** A study has 8 tasks. The score of seed s in a role is its mean plus normal luck of the
seed, independent for floor and ceiling, plus luck with test examples, which all seeds share. The
standard deviation over seeds differs between tasks by a log-normal factor (`uneven` is the standard
deviation of its logarithm; its mean square is 1). How often is a gap called clear that is not there
(nominal .025; in brackets on the fifth of the tasks that vary most), and how often one of 0.1
(power)? Ways to the variance over seeds:

    pairs       of the seeds' gaps, S - 1 degrees of freedom
    apart       floor's plus ceiling's, 2(S - 1) degrees of freedom: what `recovered` uses
    pooled      that of pairs, averaged over the tasks, 8(S - 1) degrees of freedom
    moderated   that of pairs, shrunk towards that of all (Smyth 2004, SAGMB 3, article 3)
    examples    none: the models at hand

**The supervisor.** How often is it said to be above chance, by its own variance over seeds (`own`)
and for the supervisors at hand (`examples`: what the warning uses), where its expected score is
chance, or .05 above?
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma
from scipy.stats import t

from tables import flags, short, show
from weak2strong.analysis.intervals import (
    Measured,
    apart_interval,
    at_hand_interval,
    t_interval,
)

LEVEL = 0.95
TASKS = 8
GROUPS = 500
FLOOR, CEILING = np.eye(2)

SHAPES = {
    "floor": (0.03, 0.01, 0.01),
    "floor alone": (0.04, 0.005, 0.01),
    "both": (0.02, 0.02, 0.02),
    "examples": (0.01, 0.01, 0.03),
}
"""Standard deviations: of a floor over seeds, of a ceiling, and of the gap over test examples."""


def measured(scores: np.ndarray, of_examples: float) -> Measured:
    """Scores ``(S, 2)`` whose difference has this standard deviation over test examples."""
    # Two replicates whose variance, as the bootstrap counts it, is exactly that.
    move = of_examples * np.sqrt((GROUPS - 1) / GROUPS / 2)
    replicates = scores + np.array([[[0.0, move]], [[0.0, -move]]])
    return Measured(scores, replicates, GROUPS)


def moderated(variances: np.ndarray, freedom: int) -> tuple[np.ndarray, float]:
    """Variances of tasks shrunk towards a common one, and their degrees of freedom."""
    x = np.maximum(variances, 1e-5 * np.median(variances))
    logs = np.log(x) - digamma(freedom / 2) + np.log(freedom / 2)
    apart = logs.var(ddof=1) - polygamma(1, freedom / 2)
    if apart <= 1e-3:
        return np.full(len(x), x.mean()), freedom * len(x)
    prior = 2 * float(brentq(lambda y: polygamma(1, y) - apart, 1e-3, 1e6))
    common = np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2))
    shrunk = (freedom * x + prior * common) / (freedom + prior)
    return shrunk, min(freedom + prior, freedom * len(x))


def lows(
    rng: np.random.Generator, seeds: int, gap: float, shape: tuple[float, ...], uneven: float
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Lower ends of the gap's interval on each task, by the way to it; and how much tasks vary."""
    floor, ceiling, of_examples = shape
    factor = np.exp(uneven * rng.standard_normal(TASKS) - uneven**2)
    scores = rng.standard_normal((TASKS, seeds, 2)) * factor[:, None, None] * [floor, ceiling]
    scores[:, :, 1] += gap + of_examples * rng.standard_normal((TASKS, 1))
    studies = [measured(of_task, of_examples) for of_task in scores]
    found = {
        "pairs": [t_interval(m, CEILING - FLOOR, LEVEL).low for m in studies],
        "apart": [apart_interval(m, CEILING, FLOOR, LEVEL).low for m in studies],
        "examples": [at_hand_interval(m, CEILING - FLOOR, LEVEL).low for m in studies],
    }
    gaps, tail, d = scores[:, :, 1] - scores[:, :, 0], (1 + LEVEL) / 2, seeds - 1
    variances = gaps.var(axis=1, ddof=1)
    shrunk, freedom = moderated(variances, d)
    examples = (t.ppf(tail, GROUPS - 1) * of_examples) ** 2
    for name, variance, df in (
        ("pooled", variances.mean(), d * TASKS),
        ("moderated", shrunk, freedom),
    ):
        half = np.sqrt(t.ppf(tail, df) ** 2 * variance / seeds + examples)
        found[name] = gaps.mean(axis=1) - half
    return {name: np.asarray(of) for name, of in found.items()}, factor


NAMES = ("pairs", "apart", "pooled", "moderated", "examples")
TITLES = (
    "pairs, t(S-1)",
    "**floor's plus ceiling's, t(2(S-1))**",
    "pooled over tasks",
    "moderated (Smyth 2004)",
    "test examples alone",
)


def shares(
    rng: np.random.Generator, seeds: int, shape: tuple[float, ...], uneven: float, trials: int
) -> dict[str, tuple[float, float, float]]:
    """False positives, the same on the tasks that vary most, and power, by the way."""
    null = [lows(rng, seeds, 0.0, shape, uneven) for _ in range(trials)]
    real = [lows(rng, seeds, 0.1, shape, uneven)[0] for _ in range(trials)]
    factor = np.array([of for _, of in null])
    worst = factor >= np.quantile(factor, 0.8)
    found = {}
    for name in NAMES:
        clear = np.array([of[name] for of, _ in null]) > 0
        power = np.mean([of[name] > 0 for of in real])
        found[name] = float(clear.mean()), float(clear[worst].mean()), float(power)
    return found


def above_chance(
    rng: np.random.Generator, seeds: int, score: float, of_seeds: float, trials: int
) -> tuple[float, float]:
    """How often supervisors are called above chance: by their own variance, and at hand."""
    own = examples = 0
    for _ in range(trials):
        scores = np.zeros((seeds, 2))
        scores[:, 1] = score + of_seeds * rng.standard_normal(seeds) + 0.02 * rng.standard_normal()
        m = measured(scores, 0.02)
        own += t_interval(m, CEILING, LEVEL).low > 0
        examples += at_hand_interval(m, CEILING, LEVEL).low > 0
    return own / trials, examples / trials


def gap_rows(a: argparse.Namespace) -> Iterator[list[str]]:
    """False positives (on the tasks that vary most), and power at a gap of 0.1."""
    for i, (name, shape) in enumerate(SHAPES.items()):
        for uneven in (0.0, 0.8):
            for seeds in a.seeds:
                rng = np.random.default_rng([a.seed, i, int(uneven * 10), seeds])
                found = shares(rng, seeds, shape, uneven, a.trials)
                cells = (_cell(*of, uneven=uneven > 0) for of in found.values())
                yield [f"{name}, {'uneven' if uneven else 'even'}", str(seeds), *cells]


def _cell(false: float, worst: float, power: float, uneven: bool) -> str:
    on_worst = f" ({short(worst)})" if uneven else ""
    return f"{short(false)}{on_worst}, power {power:.2f}"


def chance_rows(a: argparse.Namespace) -> Iterator[list[str]]:
    """How often supervisors are called above chance: own variance over seeds / at hand."""
    for of_seeds in (0.0, 0.01, 0.03):
        for seeds in a.seeds:
            cells = []
            for score in (0.0, 0.05):
                rng = np.random.default_rng([a.seed, 99, int(of_seeds * 100), seeds])
                own, examples = above_chance(rng, seeds, score, of_seeds, TASKS * a.trials)
                cells.append(f"{short(own)} / {short(examples)}")
            yield [f"{of_seeds:g}", str(seeds), *cells]


def main() -> None:
    parser = flags(__doc__, 400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3])
    a = parser.parse_args()
    show("gap of few seeds", ["what varies", "S", *TITLES], gap_rows(a), a.into)
    titles = ["seeds vary by", "S", "score expected at chance", ".05 above"]
    show("supervisors of few seeds", titles, chance_rows(a), a.into)


if __name__ == "__main__":
    main()
