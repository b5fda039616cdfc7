"""Probes at many layers and settings: from a grid to a table of scores.

The folder of a sweep holds ``study.yaml``, ``environment.json``, and the scores twice:
``sweep.parquet`` and ``sweep.csv``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.config.study import StudyConfig
from weak2strong.engine.local import Done, Plan, run_steps
from weak2strong.engine.record import write_environment
from weak2strong.engine.run import claim
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import METRICS
from weak2strong.ground.predictions import Predictions
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.probes.knn_probe import check_k
from weak2strong.probes.logistic_probe import Logistic
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages import Sweep, has_probe
from weak2strong.protocol.stages.sweeps import ASKED
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import MissingError, TaskRun
from weak2strong.tasks.kinds import hard_labels

if TYPE_CHECKING:
    import polars as pl

FILE = "sweep.parquet"

Arrays = Mapping[str, np.ndarray]
"""By split."""


@dataclass(frozen=True)
class Grid:
    """The layers and settings of a sweep.

    EleutherAI, *Experiments in Weak-to-Strong Generalization* (2024), sweeps k and layer of
    nearest neighbours, and penalty and layer of logistic regression.

    Attributes:
        layers: numbers or names (see `weak2strong.models.layers.layer_number`), or ``all``.
        ks: numbers of neighbours; none leaves that probe out.
        penalties: of logistic regression, as `Logistic` counts them; likewise.

    Raises:
        UserError: for a setting that is out of range, or a grid without any.
    """

    layers: tuple[int | str, ...] = ("all",)
    ks: tuple[int, ...] = (5, 10, 20, 50, 100, 200)
    penalties: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def __post_init__(self) -> None:
        for k in self.ks:
            check_k(k)
        for penalty in self.penalties:
            Logistic(penalty)
        if not self.layers:
            raise UserError("A sweep needs at least one layer: name some, or all.")
        if not self.ks and not self.penalties:
            raise UserError("A sweep needs at least one k or one penalty.")

    def numbers(self, layers: int) -> tuple[int, ...]:
        """Numbers of the layers, rising, of a model with so many."""
        from weak2strong.models.layers import layer_number

        if "all" in self.layers:
            return tuple(range(layers + 1))
        return tuple(sorted({layer_number(layer, layers) for layer in self.layers}))

    def sweeps(self, layers: int, examples: int) -> tuple[tuple[Sweep, ...], tuple[int, ...]]:
        """What to sweep on a model of so many layers, and each k that is more than the examples.

        Raises:
            UserError: where every k is, and there is nothing else.
        """
        numbers = self.numbers(layers)
        ks = sorted({k for k in self.ks if k <= examples})
        found = (
            Sweep("knn", tuple(ks), numbers),
            Sweep("logistic", tuple(sorted(set(self.penalties))), numbers),
        )
        found = tuple(sweep for sweep in found if sweep.settings)
        if not found:
            raise UserError(
                f"There are {examples} training examples, fewer than every k of the sweep: "
                "name a smaller --k."
            )
        return found, tuple(sorted(set(self.ks) - set(ks)))


def run_sweep(
    config: StudyConfig,
    grid: Grid,
    out: Path | None = None,
    store: Path | None = None,
    progress: Progress | None = None,
    plan: Plan | None = None,
) -> Path:
    """Sweep the probes of a study's tasks and seeds, and write a folder.

    Methods play no part. Of the supervisors, activations and answers, what the store
    has is read.

    Args:
        config: the study; it is resolved and checked first.
        grid: layers and settings.
        out: the folder; by default a new one below ``runs``.
        store: root of the store; by default the user's.
        progress: where to show what is going on.
        plan: processes and threads; by default what suits models and machine.

    Returns:
        The folder.

    Raises:
        UserError: for bad input, before anything is trained.
    """
    from weak2strong.models.configuration import load_config
    from weak2strong.models.layers import layer_count

    progress = progress or Progress(quiet=True)
    kept, config = Store(store), resolved(config)
    task_runs = {d.task.name: d for d in (TaskRun.of(config, kept, r) for r in config.tasks)}
    for task_run in task_runs.values():
        if not has_probe(task_run.task.kind):
            raise UserError(
                f"Task {task_run.task.name} is answered in words, and probes choose between "
                "classes: leave it out."
            )
    layers, sweeps = layer_count(load_config(config.strong)), dict[str, tuple[Sweep, ...]]()
    for name, task_run in task_runs.items():
        examples = len(task_run.splits.strong_train)
        sweeps[name], left = grid.sweeps(layers, examples)
        if left:
            progress.line(
                f"left out of {name}: k = {', '.join(map(str, left))}, more than its "
                f"{examples} training examples"
            )
    folder = claim(out, config, tuple(task_runs), "probe-sweep")

    def tell(done: Done) -> None:
        for text in done.warnings:
            progress.line(f"warning: {text}")
        took = "reused" if done.reused else f"{done.seconds:.1f} s"
        progress.line(f"{done.step.name}: {took}")

    run_steps(sweep_steps(config, sweeps), task_runs, plan or Plan.of(config), progress, tell)
    write_environment(folder)
    _write(folder, config, task_runs, sweeps)
    return folder


def sweep_steps(config: StudyConfig, sweeps: Mapping[str, Sequence[Sweep]]) -> tuple[Step, ...]:
    """Supervisors first, then probes with ground truth, then those that wait for weak labels."""
    first, truth, weak = list[Step](), list[Step](), list[Step]()
    for task, found in sweeps.items():
        truth += [Step("sweep", task, sweep=one) for one in found]
        for seed in range(config.seeds):
            supervisor = Step("supervisor", task, seed)
            if config.weak_labels is None:
                first.append(supervisor)
            needs = (supervisor.name,) if config.weak_labels is None else ()
            weak += [Step("sweep", task, seed, needs=needs, sweep=one) for one in found]
    return (*first, *truth, *weak)


def read_sweep(folder: Path) -> tuple[StudyConfig, pl.DataFrame]:
    """The study of a sweep and its scores.

    One row a score. ``role`` is "probe", "floor" or "ceiling" (of those seeds whose
    ceiling the store had); ``learned`` says what a probe learned, "weak" labels of a seed
    or "truth" (seed -1). ``score`` is that of the answers on ``split`` ("validation" or
    "test") ``against`` ground "truth", or against the class that "weak" labels give.

    Raises:
        UserError: where the folder holds no finished sweep.
    """
    import polars as pl

    try:
        config = StudyConfig.from_yaml((folder / "study.yaml").read_text())
        return config, pl.read_parquet(folder / FILE)
    except (OSError, pl.exceptions.PolarsError) as e:
        raise UserError(
            f"{folder} holds no finished sweep: run `w2s probe-sweep --out {folder}`."
        ) from e


def _write(
    folder: Path,
    config: StudyConfig,
    task_runs: Mapping[str, TaskRun],
    sweeps: Mapping[str, Sequence[Sweep]],
) -> None:
    """The table of scores, as CSV and as parquet, each renamed into place."""
    import polars as pl

    rows = [row for name, task_run in task_runs.items() for row in _rows(task_run, sweeps[name])]
    about = {"weak": pl.lit(config.weak_name), "strong": pl.lit(config.strong.name)}
    frame = pl.DataFrame(rows, schema=_SCHEMA).with_columns(**about)
    for name in ("sweep.csv", FILE):
        partial = folder / f"{name}.partial"
        if name.endswith(".csv"):
            frame.write_csv(partial)
        else:
            frame.write_parquet(partial)
        partial.replace(folder / name)


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


def _rows(task_run: TaskRun, sweeps: Sequence[Sweep]) -> Iterator[dict[str, Any]]:
    """Scores of every probe, floor and ceiling of a task; all but ceilings are in the store."""
    kind = task_run.task.kind
    ids = {split: [item.id for item in task_run.splits.items(split)] for split in ASKED}
    truth = {s: np.array([e.label for e in task_run.splits.examples(s)]) for s in ASKED}

    def scored(answers: Arrays, against: str, labels: Arrays, **about: Any):
        for split, values in answers.items():
            for metric, score in METRICS[kind].items():
                found = {"split": split, "against": against, "metric": metric}
                value = float(score(values, labels[split]))
                yield {"task": task_run.task.name, **about, **found, "score": value}

    def probed(learned: str, seed: int, against: Mapping[str, Arrays]):
        for sweep in sweeps:
            answers = stages.sweep(task_run, sweep, None if seed < 0 else seed)
            for layer, by_split in answers.items():
                for i, setting in enumerate(sweep.settings):
                    about = {"role": "probe", "learned": learned, "seed": seed}
                    about |= {"probe": sweep.probe, "layer": layer, "setting": setting}
                    one = {split: values[i] for split, values in by_split.items()}
                    for name, labels in against.items():
                        yield from scored(one, name, labels, **about)

    yield from probed("truth", -1, {"truth": truth})
    for seed in range(task_run.config.seeds):
        given = stages.weak_labels(task_run, seed)
        weak = {split: given[split].at(ids[split]) for split in ASKED}
        hard = {split: hard_labels(kind, values) for split, values in weak.items()}
        yield from scored(weak, "truth", truth, role="floor", seed=seed)
        if top := _stored_ceiling(task_run, seed):
            answers = {split: top[split].at(ids[split]) for split in ASKED}
            yield from scored(answers, "truth", truth, role="ceiling", seed=seed)
        yield from probed("weak", seed, {"truth": truth, "weak": hard})


def _stored_ceiling(task_run: TaskRun, seed: int) -> Mapping[str, Predictions] | None:
    """The ceiling's predictions, if they cost nothing."""
    asked = replace(task_run, compute=False)
    try:
        return stages.ceiling(asked, seed)
    except MissingError:
        return None
