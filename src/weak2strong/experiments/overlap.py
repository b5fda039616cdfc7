"""The examples that students learned from, and what was said of them, by whom and in which seed.

Ground truth of ``strong_train`` is read here, after all training, to analyse what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from weak2strong.config.study import StudyConfig
from weak2strong.engine.local import Done, Plan, run_steps
from weak2strong.ground.errors import UserError
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages.frozen import activations
from weak2strong.protocol.steps import steps
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.task import Kind

SPLIT = "strong_train"


@dataclass(frozen=True)
class Learned:
    """The n examples of one task's ``strong_train``, and the answers of S seeds on them.

    Attributes:
        task: name.
        classes: names.
        layer: whose activations ``features`` are, by number; 0 is the embeddings.
        groups: group ids, ``(n,)``.
        labels: ground truth, ``(n,)``.
        features: activations of the frozen strong model, ``(n, d)``.
        weak: weak labels as probabilities, ``(S, n, classes)``.
        students: of the students of each method after training, likewise.
    """

    task: str
    classes: tuple[str, ...]
    layer: int
    groups: np.ndarray
    labels: np.ndarray
    features: np.ndarray
    weak: np.ndarray
    students: Mapping[str, np.ndarray]


def read_learned(
    config: StudyConfig,
    layer: int | str = "usual",
    k: int = 1,
    store: Path | None = None,
    progress: Progress | None = None,
    plan: Plan | None = None,
) -> Iterator[Learned]:
    """What the tasks of a study have taught, one after the other.

    What the store has is read; what was pruned of it is made again.

    Args:
        config: the study.
        layer: of the frozen strong model (see `weak2strong.models.layers.layer_number`).
        k: how many other examples each task must have at least.
        store: root of the store; by default the user's.
        progress: where to show what is going on.
        plan: processes and threads; by default what suits models and machine.

    Raises:
        UserError: for a layer that is not there, too few examples for k, or no task with classes;
            at the first task.
    """
    from weak2strong.models.configuration import load_config
    from weak2strong.models.layers import layer_count, layer_number

    progress = progress or Progress(quiet=True)
    config, kept = resolved(config), Store(store)
    number = layer_number(layer, layer_count(load_config(config.strong)))
    task_runs = {d.task.name: d for d in (TaskRun.of(config, kept, r) for r in config.tasks)}
    written = [
        name for name, task_run in task_runs.items() if not stages.has_probe(task_run.task.kind)
    ]
    if len(written) == len(task_runs):
        raise UserError(
            "The tasks of this run are answered in words, and overlap and expansion are told by "
            "classes: take a run of classification or preference tasks."
        )
    for name in written:
        task_runs.pop(name)
        progress.line(f"left out: {name}, which is answered in words")
    for name, task_run in task_runs.items():
        if not 1 <= k < len(task_run.splits.strong_train):
            raise UserError(
                f"--k {k} neighbours cannot be had among the {len(task_run.splits.strong_train)} "
                f"examples that students of {name} learn from: choose another number from 1 on."
            )

    def tell(done: Done) -> None:
        if not done.reused:
            progress.line(f"{done.step.name}: {done.seconds:.1f} s, made again")

    kinds: dict[str, Kind] = {name: task_run.task.kind for name, task_run in task_runs.items()}
    todo = [step for step in steps(config, kinds) if step.kind in ("supervisor", "student")]
    run_steps(todo, task_runs, plan or Plan.of(config), progress, tell)
    for task_run in task_runs.values():
        yield _learned(task_run, number)


def _learned(task_run: TaskRun, layer: int) -> Learned:
    examples = task_run.splits.strong_train
    ids, seeds = [e.item.id for e in examples], range(task_run.config.seeds)
    return Learned(
        task=task_run.task.name,
        classes=tuple(task_run.task.classes),
        layer=layer,
        groups=np.array([e.item.group for e in examples]),
        labels=np.array([int(e.label) for e in examples]),
        features=activations(task_run, task_run.config.strong, layer)[SPLIT].at(ids),
        weak=np.stack([stages.weak_labels(task_run, s)[SPLIT].at(ids) for s in seeds]),
        students={
            method: np.stack([stages.student(task_run, method, s)[SPLIT].at(ids) for s in seeds])
            for method in task_run.config.methods
        },
    )
