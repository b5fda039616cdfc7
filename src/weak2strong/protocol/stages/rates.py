"""The search for a model's peak rates: short finetunings on the supervisor's ground truth.

A practitioner has these labels, and no ground truth of a student is looked at: a part of
``weak_train`` is learnt, the rest is scored on. Once made, the result serves all seeds, methods and
roles of the model; later stages have the rates in their keys as numbers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.draws import draw_seed
from weak2strong.ground.errors import DivergedError
from weak2strong.ground.metrics import brier
from weak2strong.ground.whole import write_whole
from weak2strong.losses import loss
from weak2strong.models.gpus import gpus_per_fit
from weak2strong.models.quantisation import settings_in_keys
from weak2strong.models.rates import ruled_rates
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.choice import Role, lattice_of
from weak2strong.protocol.halving import (
    HELD_OUT,
    ROUNDS,
    Point,
    rates_at,
    search,
    searched,
    trial_training,
)
from weak2strong.protocol.read import read_digest
from weak2strong.protocol.resolve import splits_of
from weak2strong.protocol.stages.learners import loaders_of, states_before
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.tasks.kinds import true_labels, true_targets
from weak2strong.tasks.splits import hold_out
from weak2strong.tasks.task import Example, Item, Kind
from weak2strong.training.training_set import TrainingSet

if TYPE_CHECKING:
    from weak2strong.models.loaded import LoadedModel

FILE = "rates.json"

WORST = -2.0
"""The score of a training that has diverged: that of a model which is sure and always wrong."""


@dataclass(frozen=True)
class FoundRates:
    """What a search found.

    Attributes:
        trunk: peak rate of what lies beneath the head.
        head: of the head; where there is none of ours, as of the trunk.
        trials: rates, round, steps and score of every short finetuning.
        seconds: that all of it took.
    """

    trunk: float
    head: float
    trials: tuple[Mapping[str, float], ...]
    seconds: float


def at_rates(task_run: TaskRun, *roles: Role) -> TaskRun:
    """The task run whose trainings of some roles have rates: found by a search, if not known.

    A supervisor that is not trained has none.
    """
    config = task_run.config
    for role in roles:
        training: Training = getattr(config, f"{role}_training")
        if training.learning_rate is None and getattr(config, role).is_trained:
            found = found_rates(task_run, role)
            training = training.with_rates((found.trunk, found.head))
            config = replace(config, **{f"{role}_training": training})
    return task_run if config is task_run.config else replace(task_run, config=config)


def found_rates(task_run: TaskRun, role: Role) -> FoundRates:
    """The stage: search for the rates of the model of a role on ground truth of ``weak_train``."""
    task_run = _of_all_seeds(task_run)
    config = task_run.config
    model: ModelSpec = getattr(config, role)
    training = searched(getattr(config, f"{role}_training"))
    kind, examples = task_run.task.kind, task_run.splits.weak_train
    classes, rule = len(task_run.task.classes), ruled_rates(model)
    score = _SCORES[kind]

    def make(working: Path) -> Write:
        trials = _Trials(working, task_run, model, training, rule, score)
        lattice = lattice_of(kind, model.adaptation)
        trunk, head = rates_at(rule, search(lattice, trials.round))
        rates = {"trunk": trunk, "head": head if lattice.head else trunk}
        found = {**rates, "trials": trials.done}

        def write(folder: Path) -> None:
            (folder / FILE).write_text(json.dumps(found, indent=1))

        return write

    fields = {
        "kind": kind,
        "classes": classes,
        "model": settings_in_keys(model),
        "training": asdict(training),
        "rule": rule,
        # Of what is held out.
        "split_seed": task_run.split_seed,
    }
    inputs = {"weights": fingerprint(model), "truth": read_digest(examples, model)}
    entry = task_run.stage(
        "rates", fields, inputs, make, (score, *loaders_of(kind, model)), gpus=gpus_per_fit(model)
    )
    plain = json.loads((entry.path / FILE).read_text())
    plain["trials"] = tuple(plain["trials"])
    return FoundRates(**plain, seconds=entry.manifest["seconds"])


def _of_all_seeds(task_run: TaskRun) -> TaskRun:
    """The task run with the splits of the first seed, where each has its own: one search serves
    all seeds."""
    if task_run.config.vary == "training" or task_run.seed == 0:
        return task_run
    splits = task_run.splits
    if task_run.seed is not None:
        splits = splits_of(task_run.config, task_run.task)
    return replace(task_run, splits=splits, seed=0, _digests={})


@dataclass
class _Trials:
    """The short finetunings of a search; those that were done before a kill are not made again."""

    working: Path
    task_run: TaskRun
    model: ModelSpec
    training: Training
    rule: tuple[float, float]
    score: _Scored

    def __post_init__(self) -> None:
        self.done: list[dict[str, Any]] = []

    def round(self, points: Sequence[Point], number: int) -> dict[Point, float]:
        """The scores of points in a round, each a finetuning from the same draws.

        Each round holds out another part of the examples.
        """
        examples, seed = self.task_run.splits.weak_train, self.task_run.split_seed
        draws = draw_seed(seed, "rates", str(number))
        learnt, held_out = hold_out(examples, HELD_OUT, draws)
        scores = {}
        for point in points:
            rates = rates_at(self.rule, point)
            training = trial_training(self.training, rates, len(learnt), ROUNDS[number][1])
            trial = Trial(self.task_run, self.model, training, learnt, held_out or learnt, draws)
            scores[point] = self._kept(trial, f"trial-{number}-{point[0]}-{point[1]}", number)
        return scores

    def _kept(self, trial: Trial, name: str, number: int) -> float:
        """The score of a trial, kept until the search is done."""
        kept, begun = self.working / f"{name}.json", time.monotonic()
        if not kept.exists():
            value = self.score(trial, self.working / f"{name}.safetensors")
            about = {
                "round": number,
                "trunk": trial.training.learning_rate,
                "head": trial.training.head_rate,
                "steps": trial.training.steps,
                "score": value if np.isfinite(value) else WORST,
                "seconds": round(time.monotonic() - begun, 3),
            }
            write_whole(kept, json.dumps(about))
        self.done.append(json.loads(kept.read_text()))
        return self.done[-1]["score"]


@dataclass(frozen=True)
class Trial:
    """A short finetuning.

    Attributes:
        task_run: of the task.
        model: what is finetuned.
        training: with the rates that are tried.
        learnt: what it learns.
        held_out: what it is scored on.
        draws: the seed of all that is drawn at random.
    """

    task_run: TaskRun
    model: ModelSpec
    training: Training
    learnt: Sequence[Example]
    held_out: Sequence[Example]
    draws: int

    @property
    def learning(self) -> TrainingSet:
        """What it learns, as a training set."""
        task = self.task_run.task
        targets = true_targets(task.kind, self.learnt, len(task.classes))
        return TrainingSet([e.item for e in self.learnt], targets)

    def taught(
        self, learn: Callable[..., Any], ask: Callable[..., np.ndarray], checkpoint: Path
    ) -> np.ndarray:
        """What is asked of the model after it, on as many GPUs as it takes (see
        `weak2strong.training.lesson`)."""
        from weak2strong.training.lesson import Lesson
        from weak2strong.training.together import Job, together

        task = self.task_run.task
        lesson = Lesson(
            model=self.model,
            kind=task.kind,
            classes=len(task.classes),
            train=self.learning,
            loss=loss("cross-entropy"),
            training=self.training,
            draws=self.draws,
            validation=None,
            checkpoint=checkpoint,
            states=states_before(
                self.task_run, self.model, [e.item for e in (*self.learnt, *self.held_out)]
            ),
        )
        job = Job(learn, (lesson, ask), self.task_run.config.plugins)
        return together(job, gpus_per_fit(self.model), self.task_run.on_step)[0]


_Scored = Callable[[Trial, Path], float]
"""Makes a trial, with a file for its checkpoint, and scores it: more is better."""


def _by_head(trial: Trial, checkpoint: Path) -> float:
    """Brier's score of the held-out examples, with its sign turned: it is bounded, and less noisy
    than accuracy, since it tells how sure a model is."""
    from weak2strong.training.lesson import with_head

    task = trial.task_run.task
    ask = partial(_predicted, tuple(e.item for e in trial.held_out))
    try:
        answers = trial.taught(with_head, ask, checkpoint)
    except DivergedError:
        return WORST
    if not np.isfinite(answers).all():
        return WORST
    return -float(brier(answers, true_labels(task.kind, trial.held_out)))


def _in_words(trial: Trial, checkpoint: Path) -> float:
    """How probable the tokens of the held-out targets are, on average."""
    from weak2strong.training.lesson import in_words, probabilities

    items, targets = zip(*((e.item, str(e.label)) for e in trial.held_out), strict=True)
    try:
        found = trial.taught(in_words, partial(probabilities, items, targets), checkpoint)
    except DivergedError:
        return WORST
    return float(found.mean())


def _predicted(items: Sequence[Item], model: LoadedModel) -> np.ndarray:
    """To ask a trained model: its probabilities, as it computes in training."""
    from weak2strong.training.predict import predict

    return predict(model, items).values


_SCORES: dict[Kind, _Scored] = {
    "classification": _by_head,
    "preference": _by_head,
    "generation": _in_words,
}
