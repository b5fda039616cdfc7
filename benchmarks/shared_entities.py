"""Do the tests of `w2s compare` keep their level where tasks share entities? A simulation.

    python benchmarks/shared_entities.py --trials 1000      (about 4 minutes)

Studies in which no method differs from the baseline in expectation. Student of seed s answers
about entity i of task t rightly, taught by method j, where a latent margin is above 0:

    m + task[t, j] + entity[i] + example[t, i] + entity[i, j] + example[t, i, j]
      + seed[s, t, j] + own[s, t, i, j] > 0,

with independent normal effects. All tasks ask about the same entities. What is *in common* to
tasks is luck of a method with an entity, ``entity[i, j]``: a test that takes tasks for independent
does not see it. In the regime `seeds in common` half of the effect of a seed is the same on all
tasks instead, as if seeds of one number had the same luck everywhere.

Columns: how often a test at level .05 rejects (tasks taken for independent / luck in common
counted, as `w2s compare` does), how often Holm finds any of five methods, and how often the two 95%
intervals hold the truth: over tasks that of other tasks (0), and for these tasks their own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from calibration import measure
from tables import flags, short, show
from weak2strong.analysis.compare import widening
from weak2strong.analysis.over_tasks import shared_luck
from weak2strong.analysis.paired import effect, holm, paired_t, widened, wilcoxon

LEVEL = 0.05
RIGHT = 0.72
"""How often students are right, over all tasks, seeds and entities."""


@dataclass(frozen=True)
class Regime:
    """Standard deviation of the effect of a task on a method, and shares of variance."""

    task: float
    entity_method: float
    example_method: float
    seed: float = 0.004
    seeds_in_common: float = 0.0
    entity: float = 0.3
    example: float = 0.3
    entities: int = 300


REGIMES = {
    "nothing": Regime(task=0.1, entity_method=0.0, example_method=0.1),
    "little": Regime(task=0.1, entity_method=0.1, example_method=0.05),
    "some": Regime(task=0.05, entity_method=0.1, example_method=0.05),
    "much": Regime(task=0.0, entity_method=0.15, example_method=0.05),
    "seeds in common": Regime(
        task=0.05, entity_method=0.0, example_method=0.1, seeds_in_common=0.5
    ),
}


def draw(
    r: Regime, seeds: int, tasks: int, methods: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One study: who is right, floats ``(S, T, methods, n)``, and true scores ``(T, methods)``."""

    def effect_of(share: float, *shape: int) -> np.ndarray:
        return np.sqrt(share) * rng.standard_normal(shape, dtype=np.float32)

    n, together = r.entities, r.seed * r.seeds_in_common
    level = norm.ppf(RIGHT) + r.task * rng.standard_normal((tasks, methods))
    own = 1 - r.entity - r.example - r.entity_method - r.example_method - r.seed
    margin = effect_of(own, seeds, tasks, methods, n)
    margin += level[:, :, None] + effect_of(r.entity, n) + effect_of(r.example, tasks, 1, n)
    margin += effect_of(r.entity_method, methods, n)
    margin += effect_of(r.example_method, tasks, methods, n)
    margin += effect_of(together, seeds, 1, methods, 1)
    margin += effect_of(r.seed - together, seeds, tasks, methods, 1)
    return (margin > 0).astype(float), norm.cdf(level)


def study(
    r: Regime, seeds: int, tasks: int, family: int, rng: np.random.Generator
) -> dict[str, bool | float]:
    """What is found in one study: rejections, any of the family, intervals that hold the truth."""
    right, truth = draw(r, seeds, tasks, family + 1, rng)
    measured = measure(right, 200, rng)
    columns = np.eye(tasks * (family + 1))
    alone, counted = dict[str, float](), dict[str, float]()
    found = dict[str, bool | float]()
    for j in range(1, family + 1):
        contrasts = columns[j :: family + 1] - columns[:: family + 1]
        differences = contrasts @ measured.mean
        luck = shared_luck(measured, contrasts)
        factor = widening(differences.tolist(), luck.shared)
        p = wilcoxon(differences)
        alone[str(j)] = p.one_sided
        counted[str(j)] = widened(p, tasks, factor).one_sided
        if j > 1:
            continue
        for name, of in (("Wilcoxon", p), ("t", paired_t(differences))):
            for how, by in (("alone", 1.0), ("counted", factor)):
                now = widened(of, tasks, by)
                found[f"{name} {how} 1"] = now.one_sided <= LEVEL
                found[f"{name} {how} 2"] = now.two_sided <= LEVEL
        here = float((truth[:, 1] - truth[:, 0]).mean())
        for how, by in (("alone", 1.0), ("counted", factor)):
            over = effect(differences, factor=by)
            found[f"over tasks {how}"] = over.low <= 0 <= over.high
        found["these"] = luck.interval.low <= here <= luck.interval.high
        found["share"] = luck.common
    found["family alone"] = min(holm(alone).values()) <= LEVEL
    found["family counted"] = min(holm(counted).values()) <= LEVEL
    return found


def simulate(
    r: Regime, seeds: int, tasks: int, family: int, trials: int, rng: np.random.Generator
) -> dict[str, float]:
    """Shares of the studies, by what is found."""
    every = [study(r, seeds, tasks, family, rng) for _ in range(trials)]
    return {name: float(np.mean([of[name] for of in every])) for name in every[0]}


TITLES = (
    "in common",
    "tasks",
    "S",
    "share found",
    "Wilcoxon, one-sided",
    "Wilcoxon, two-sided",
    "t, two-sided",
    "family, Wilcoxon",
    "over tasks covers",
    "these tasks covers",
)


def rows(a: argparse.Namespace) -> Iterator[list[str]]:
    """The table: the rejections of a test as `tasks taken for independent / luck counted`."""
    for i, (name, regime) in enumerate(REGIMES.items()):
        for tasks in a.tasks:
            for seeds in a.seeds:
                rng = np.random.default_rng([a.seed, i, tasks, seeds])
                f = simulate(regime, seeds, tasks, a.family, a.trials, rng)

                def both(what: str, side: str = "", of: dict[str, float] = f) -> str:
                    return (
                        f"{short(of[f'{what} alone{side}'])} / {short(of[f'{what} counted{side}'])}"
                    )

                yield [
                    name,
                    str(tasks),
                    str(seeds),
                    f"{f['share']:.2f}",
                    both("Wilcoxon", " 1"),
                    both("Wilcoxon", " 2"),
                    both("t", " 2"),
                    both("family"),
                    both("over tasks"),
                    short(f["these"]),
                ]


def main() -> None:
    parser = flags(__doc__, 1000)
    parser.add_argument("--family", type=int, default=5)
    parser.add_argument("--tasks", type=int, nargs="+", default=[8, 21])
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 5])
    a = parser.parse_args()
    show("shared entities", TITLES, rows(a), a.into)


if __name__ == "__main__":
    main()
