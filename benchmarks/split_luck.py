"""What an interval over seeds on one split leaves out: the luck of who learns from which examples.

Several splits of a task, all with the same test, and several seeds on each: supervisor, students
and ceiling. For every score, the standard deviation over seeds on one split (initialisation, order,
supervisor), that between splits on top of it (analysis of variance, one way), and both together:
what `--vary split` lets a seed draw. Scores are on test, but nothing is chosen by them.

    python benchmarks/split_luck.py --task atlas-africa --splits 5 --seeds 2
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from weak2strong.config.study import StudyConfig
from weak2strong.ground.metrics import accuracy, performance_gap_recovered
from weak2strong.ground.predictions import Predictions
from weak2strong.ground.processes import set_threads
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun

METHODS = ("naive", "confidence")


def scored(task_run: TaskRun, split: int, seed: int) -> dict[str, float]:
    """Test scores of one seed on one split, by role or method."""
    one = task_run.of_seed(split)
    truth = {e.item.id: int(e.label) for e in one.splits.test}

    def score(answers: Mapping[str, Predictions]) -> float:
        labels = np.array([truth[id] for id in answers["test"].ids])
        return accuracy(answers["test"].probabilities, labels)

    students = {method: score(stages.student(one, method, seed)) for method in METHODS}
    floor, ceiling = stages.weak_labels(one, seed), stages.ceiling(one, seed)
    return {"floor": score(floor), **students, "ceiling": score(ceiling)}


def parts(scores: np.ndarray) -> tuple[float, float]:
    """Standard deviations of scores (splits, seeds): over seeds on a split, and between splits."""
    within = scores.var(axis=1, ddof=1).mean()
    between = scores.mean(axis=1).var(ddof=1) - within / scores.shape[1]
    return float(within**0.5), float(max(0.0, between) ** 0.5)


def main() -> None:
    """Print a row a split, and a row a score."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--task", default="atlas-africa")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--stopping", default="none")
    parser.add_argument("--store", type=Path)
    args = parser.parse_args()
    set_threads(1)
    usual = StudyConfig()
    config = replace(
        usual,
        tasks=(args.task,),
        methods=METHODS,
        seeds=args.splits,
        vary="split",
        weak_training=replace(usual.weak_training, stopping=args.stopping),
        strong_training=replace(usual.strong_training, stopping=args.stopping),
    )
    (task_run,) = TaskRun.all_of(resolved(config), Store(args.store)).values()
    print(f"{args.task}, {config.weak.name} to {config.strong.name}, stopping {args.stopping}")
    names = ("floor", *METHODS, "ceiling")
    print("| split |", " | ".join((*names, *(f"PGR {m}" for m in METHODS))), "|", flush=True)
    table = np.empty((args.splits, args.seeds, len(names)))
    for split in range(args.splits):
        for i in range(args.seeds):
            # No two splits share a draw of the training.
            by_name = scored(task_run, split, split * args.seeds + i)
            table[split, i] = [by_name[name] for name in names]
        print(f"| {split} |", " | ".join(row(table[split].mean(axis=0))), "|", flush=True)
    print("| all |", " | ".join(row(table.mean(axis=(0, 1)))), "|")
    print("| standard deviation of | over seeds on one split | between splits | both | wider by |")
    for number, name in enumerate(names):
        within, between = parts(table[:, :, number])
        both = (within**2 + between**2) ** 0.5
        wider = f"{both / within:.1f}" if within else "-"
        print(f"| {name} | {within:.3f} | {between:.3f} | {both:.3f} | {wider} |")


def row(means: np.ndarray) -> list[str]:
    """Mean scores, and the PGR of each method."""
    floor, *students, ceiling = means
    recovered = [float(performance_gap_recovered(floor, s, ceiling)) for s in students]
    return [f"{x:.3f}" for x in means] + [f"{x:.2f}" for x in recovered]


if __name__ == "__main__":
    main()
