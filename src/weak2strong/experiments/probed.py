"""What a sweep of probes runs, and the table of its scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.config.study import StudyConfig
from weak2strong.ground.metrics import metrics_of
from weak2strong.ground.predictions import Predictions
from weak2strong.protocol import stages
from weak2strong.protocol.stages import Sweep
from weak2strong.protocol.stages.sweeps import SCORED
from weak2strong.protocol.steps import Step, needed_rates, searches_of
from weak2strong.protocol.task_run import MissingError, TaskRun
from weak2strong.tasks.kinds import hard_labels

if TYPE_CHECKING:
    import polars as pl


Arrays = Mapping[str, np.ndarray]
"""By split."""


def sweep_steps(config: StudyConfig, sweeps: Mapping[str, Sequence[Sweep]]) -> tuple[Step, ...]:
    """Supervisors first, then probes with ground truth, then those that wait for weak labels."""
    first, truth, weak = list[Step](), list[Step](), list[Step]()
    for task, found in sweeps.items():
        truth += [
            Step("sweep", task, seed, sweep=one, truth=True)
            for seed in config.seeds_of_checks
            for one in found
        ]
        needed = needed_rates(config, task, "weak")
        first += [step for step in searches_of(config, task) if step.name in needed]
        for seed in range(config.seeds):
            supervisor = Step("supervisor", task, seed, needs=needed)
            if not config.given_labels:
                first.append(supervisor)
            needs = (supervisor.name,) if not config.given_labels else ()
            weak += [Step("sweep", task, seed, needs=needs, sweep=one) for one in found]
    return (*first, *truth, *weak)


_SCHEMA: Mapping[str, Any] = {
    "task": str,
    "role": str,
    "learned": str,
    "seed": int,
    "probe": str,
    "layer": int,
    "setting": float,
    "split": str,
    "against": str,
    "metric": str,
    "score": float,
}


def probe_scores(
    config: StudyConfig,
    task_runs: Mapping[str, TaskRun],
    sweeps: Mapping[str, Sequence[Sweep]],
) -> pl.DataFrame:
    """The table of scores."""
    import polars as pl

    rows = [row for name, task_run in task_runs.items() for row in _rows(task_run, sweeps[name])]
    about = {"weak": pl.lit(config.weak_name), "strong": pl.lit(config.strong.name)}
    return pl.DataFrame(rows, schema=_SCHEMA).with_columns(**about)


def _rows(task_run: TaskRun, sweeps: Sequence[Sweep]) -> Iterator[dict[str, Any]]:
    """Scores of every probe, floor and ceiling of a task; all but ceilings are in the store."""
    kind, config = task_run.task.kind, task_run.config

    def scored(answers: Arrays, against: str, labels: Arrays, **about: Any):
        for split, values in answers.items():
            for metric, score in metrics_of(kind).items():
                found = {"split": split, "against": against, "metric": metric}
                value = float(score(values, labels[split]))
                yield {"task": task_run.task.name, **about, **found, "score": value}

    def probed(one: TaskRun, learned: str, seed: int, against: Mapping[str, Arrays]):
        for sweep in sweeps:
            answers = stages.sweep(one, sweep, None if learned == "truth" else seed)
            for layer, by_split in answers.items():
                for i, setting in enumerate(sweep.settings):
                    about = {"role": "probe", "learned": learned, "seed": seed}
                    about |= {"probe": sweep.probe, "layer": layer, "setting": setting}
                    chosen = {split: values[i] for split, values in by_split.items()}
                    for name, labels in against.items():
                        yield from scored(chosen, name, labels, **about)

    for seed in config.seeds_of_checks:
        one = task_run.of_seed(seed)
        yield from probed(one, "truth", -1 if seed is None else seed, {"truth": _truth(one)})
    for seed in range(config.seeds):
        one = task_run.of_seed(seed)
        given, truth = stages.weak_labels(one, seed), _truth(one)
        ids = {split: [item.id for item in one.splits.items(split)] for split in SCORED}
        weak = {split: given[split].at(ids[split]) for split in SCORED}
        hard = {split: hard_labels(kind, values) for split, values in weak.items()}
        yield from scored(weak, "truth", truth, role="floor", seed=seed)
        if top := _stored_ceiling(one, seed):
            answers = {split: top[split].at(ids[split]) for split in SCORED}
            yield from scored(answers, "truth", truth, role="ceiling", seed=seed)
        yield from probed(one, "weak", seed, {"truth": truth, "weak": hard})


def _truth(task_run: TaskRun) -> Arrays:
    """The classes of the splits that probes answer."""
    return {s: np.array([e.label for e in task_run.splits.examples(s)]) for s in SCORED}


def _stored_ceiling(task_run: TaskRun, seed: int) -> Mapping[str, Predictions] | None:
    """The ceiling's predictions, if they cost nothing."""
    asked = replace(task_run, compute=False)
    try:
        return stages.ceiling(asked, seed)
    except MissingError:
        return None
