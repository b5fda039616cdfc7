"""What a temperature of weak labels does to students, on embedded tasks.

    python benchmarks/label_temperature.py --store DIR      (about 6 minutes on one free core)

For each task and seed, students learn the same supervisor's probabilities as they are and at other
temperatures, numbers and `fit`. Scores are on ground truth of ``validation``, which plays no part
in these trainings, since all keep their last weights; no test set is looked at. For `fit` the
supervisor learns nine tenths of its examples. A difference is to labels as they are, paired by task
and seed, with its standard error.

``--weak-lr 3e-5`` makes supervisors that have hardly moved from 1/2, at a rate that is too low.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from weak2strong.config.fields import Temperature
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.engines import run_steps
from weak2strong.engine.places import Plan
from weak2strong.ground.metrics import accuracy
from weak2strong.ground.processes import set_threads
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.steps import steps
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.task import Kind

METHODS = ("naive", "confidence")
TASKS = ("atlas-southern", "atlas-english", "atlas-claim-continent", "atlas-asia")
TEMPERATURES = (None, 0.1, 3.0, 30.0, "fit")

Scores = Mapping[str, np.ndarray]
"""Scores (tasks, seeds) by ``floor`` and by method; ``T`` has the temperatures."""


def scores_at(temperature: Temperature | None, options: argparse.Namespace) -> Scores:
    """The scores of supervisors and students at one temperature, on ``validation``."""
    config = resolved(
        StudyConfig(
            tasks=tuple(options.tasks),
            methods=METHODS,
            seeds=options.seeds,
            weak_label_temperature=temperature,
            weak_training=Training(stopping="none", learning_rate=options.weak_lr),
            strong_training=Training(stopping="none"),
        )
    )
    task_runs = TaskRun.all_of(config, Store(options.store))
    kinds: dict[str, Kind] = {name: run.task.kind for name, run in task_runs.items()}
    wanted = [step for step in steps(config, kinds) if step.kind in ("supervisor", "student")]
    plan = Plan(options.workers, 1)
    run_steps(wanted, task_runs, plan, Progress(quiet=True), lambda done: None)
    rows = [
        scores_of(task_run, seed) for task_run in task_runs.values() for seed in range(config.seeds)
    ]
    return {
        name: np.array([row[name] for row in rows]).reshape(len(task_runs), config.seeds)
        for name in rows[0]
    }


def scores_of(task_run: TaskRun, seed: int) -> dict[str, float]:
    """The scores of one cell, the confidence of its supervisor, and the temperature."""
    examples = task_run.splits.validation
    ids, labels = [e.item.id for e in examples], np.array([int(e.label) for e in examples])
    weak = stages.weak_labels(task_run, seed)
    answers = {"floor": weak["validation"]}
    answers |= {m: stages.student(task_run, m, seed)["validation"] for m in METHODS}
    scores = {name: float(accuracy(of.at(ids), labels)) for name, of in answers.items()}
    confidence = float(weak["strong_train"].values.max(axis=1).mean())
    return scores | {"confidence_": confidence, "T": stages.temperature_of(task_run, weak) or 1.0}


def line(name: str, found: Scores, plain: Scores, tasks: Sequence[str]) -> str:
    """One temperature: scores by task, and the mean difference to labels as they are."""
    text = f"{name:>8} {found['confidence_'].mean():>7.3f} {found['floor'].mean():>6.3f}"
    for method in METHODS:
        by_task = " ".join(f"{s:>9.3f}" for s in found[method].mean(axis=1))
        difference = (found[method] - plain[method]).ravel()
        error = difference.std(ddof=1) / np.sqrt(difference.size)
        text += f"  {by_task} {found[method].mean():>6.3f} {difference.mean():>+7.3f} ({error:.3f})"
    fitted = ", ".join(
        f"{task} {' '.join(f'{t:g}' for t in found['T'][i])}" for i, task in enumerate(tasks)
    )
    return text + (f"\n{'':>8} {fitted}" if name == "fit" else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--weak-lr", type=float)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--temperatures", nargs="*", default=TEMPERATURES[1:])
    options = parser.parse_args()
    set_threads(1)
    tasks = [task.removeprefix("atlas-") for task in options.tasks]
    columns = " ".join(f"{task[:9]:>9}" for task in tasks)
    each = "".join(f"  {columns} {'mean':>6} {'- as given':>15}" for _ in METHODS)
    wide = len(each) // len(METHODS)
    print(f"{'':>8} {'':>7} {'':>6}" + "".join(f"  {method:<{wide - 2}}" for method in METHODS))
    print(f"{'T':>8} {'weak p':>7} {'floor':>6}{each}")
    plain = scores_at(None, options)
    print(line("as given", plain, plain, tasks), flush=True)
    for temperature in options.temperatures:
        print(line(str(temperature), scores_at(temperature, options), plain, tasks), flush=True)


if __name__ == "__main__":
    main()
