"""What a study would do, and a rough guess of what that takes: nothing is trained or written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.sizes import TaskSize, task_sizes
from weak2strong.engine.stand_in import Asked
from weak2strong.ground.errors import UserError
from weak2strong.methods.reference import find_method
from weak2strong.models.guess import FORWARD, TRAINING, Guessed, guess, offline
from weak2strong.models.load import best_device
from weak2strong.models.needs import usable_bytes
from weak2strong.models.speed import matrix_rate
from weak2strong.protocol.needs import decodes, provided
from weak2strong.protocol.resolve import checked, readings_of
from weak2strong.protocol.stages import HELD_OUT, PREDICTED, has_probe

UTILISATION = 0.3
"""Share of the measured matrix-product rate that a training is taken to reach."""

ROW_BYTES = 10
"""Bytes on disk of a stored answer besides its probabilities: id, split and all overhead."""

Rate = Callable[[torch.device, torch.dtype], float]


@dataclass(frozen=True)
class Stage:
    """The stages of one kind in a study.

    Attributes:
        name: "supervisor", "ceiling", "student METHOD", "activations", "probe" or "ngrams".
        model: which model does it; empty for none.
        count: how many of them there are, over all tasks and seeds.
        fits: how many finetunings they add, those that other stages make left out.
        shared: what one of them serves.
        flops: floating-point operations of all together, over the tasks that are known.
        seconds: that they take here; a rough guess.
        stored: bytes of answers and activations, over the tasks that are known.
    """

    name: str
    model: str
    count: int
    fits: int
    shared: str
    flops: float | None
    seconds: float | None
    stored: int


@dataclass(frozen=True)
class StudyPlan:
    """What a study would do and take; see `Stage` for the units.

    Attributes:
        weak: what makes weak labels, as tables call it.
        strong: the model of students and ceiling.
        methods: names.
        seeds: how many.
        tasks: what each of them holds.
        stages: in the order in which they are made.
        models: what is known of them; of the supervisor's only if there is one.
        device: where it would run.
        usable: bytes of its memory that a training may fill.
        disk: bytes of stored predictions, store and run folder, over the tasks that are known.
        rates: measured operations a second, by precision.
    """

    weak: str
    strong: str
    methods: tuple[str, ...]
    seeds: int
    tasks: tuple[TaskSize, ...]
    stages: tuple[Stage, ...]
    models: tuple[Guessed, ...]
    device: str
    usable: float
    disk: int | None
    rates: Mapping[str, float]

    @property
    def cells(self) -> int:
        """Tasks times methods times seeds."""
        return len(self.tasks) * len(self.methods) * self.seeds

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the tasks that are left out of what is guessed."""
        return tuple(task.name for task in self.tasks if not _is_known(task))


def plan_study(config: StudyConfig, rate: Rate = matrix_rate) -> StudyPlan:
    """Lay out a study without a network, and without weights.

    Args:
        config: the study, not resolved.
        rate: measures matrix products, operations a second.

    Raises:
        UserError: for names, numbers and local data that cannot be right.
    """
    references = checked(config)
    device = best_device()
    weak, strong = guess(config.weak, device), guess(config.strong, device)
    models = (strong,) if config.weak_labels else (weak, strong)
    rates = {m.precision: rate(device, m.precision) for m in models}
    tasks = tuple(task_sizes(config, references))
    chosen, _ = provided(
        config, {task.name: (task.kind, task.classes) for task in tasks}, _may_decode
    )
    known = [task for task in tasks if _is_known(task)]
    pairs, every = len(tasks) * config.seeds, "both" if len(chosen) == 2 else "all"
    methods = f"{every} methods" if len(chosen) > 1 else "the method"

    def stage(name: str, model: Guessed | None, count: int, fits: int, shared: str, one: Taken):
        """A row; ``one`` says what a single one takes of a task."""
        times = count // len(tasks)
        flops = [one.flops(task) for task in known]
        sound = known and model is not None and None not in flops
        whole = times * sum(f for f in flops if f is not None) if sound else None
        seconds = None
        if whole is not None and model is not None:
            seconds = whole / (UTILISATION * rates[model.precision])
        stored = times * sum(one.stored(task) for task in known)
        return Stage(name, model.name if model else "", count, fits, shared, whole, seconds, stored)

    def fitted(model: Guessed, training: Training, split: str, fits: int = 1, stored: int = 1):
        return Taken(
            lambda task: fits * _fit_flops(model, training, task, split) if model.trunk else None,
            lambda task: stored * _answer_bytes(task, *PREDICTED),
        )

    first = []
    if not config.weak_labels:
        one = fitted(weak, config.weak_training, "weak_train")
        first.append(stage("supervisor", weak, pairs, pairs, f"{methods} of a seed", one))
    one = fitted(strong, config.strong_training, "strong_train")
    first.append(stage("ceiling", strong, pairs, pairs, f"{methods} of a seed", one))
    for reading in readings_of(replace(config, methods=chosen)):
        first.append(stage(f"ceiling {reading}", strong, pairs, pairs, "students alike", one))
    check = Taken(lambda task: None, lambda task: _answer_bytes(task, "test"))
    states = Taken(lambda task: _read_flops(strong, task), partial(_state_bytes, strong))
    serves = f"{methods}, all seeds" if config.seeds > 1 else methods
    if all(has_probe(task.kind) for task in tasks):
        first.append(stage("activations", strong, len(tasks), 0, serves, states))
        first.append(stage("probe", None, len(tasks), 0, serves, check))
    first.append(stage("ngrams", None, len(tasks), 0, serves, check))
    made: set[str] = set()
    for method in chosen:
        asked = ask(method)
        new = len(set(asked.fits) - made)
        made.update(asked.fits)
        # What a student answers is stored once more, as the method's.
        one = fitted(strong, config.strong_training, "validation", new, stored=new + 1)
        if asked.read:
            one = replace(one, flops=partial(_prompt_flops, strong, asked.read, one.flops))
        shared = "one cell" if new == len(set(asked.fits)) else "one cell; fits shared with others"
        first.append(stage(f"student {method}", strong, pairs, new * pairs, shared, one))
    return StudyPlan(
        config.weak_name,
        config.strong.name,
        chosen,
        config.seeds,
        tasks,
        tuple(first),
        models,
        device.type,
        usable_bytes(device),
        _disk(config.seeds * (2 + len(chosen)), first, known) if known else None,
        {str(p).removeprefix("torch."): r for p, r in rates.items()},
    )


@dataclass(frozen=True)
class Taken:
    """What one stage takes of a task: operations, if they are known, and bytes to be stored."""

    flops: Callable[[TaskSize], float | None]
    stored: Callable[[TaskSize], int]


def _is_known(task: TaskSize) -> bool:
    return None not in task.examples.values()


def _fit_flops(model: Guessed, training: Training, task: TaskSize, watched: str) -> float:
    """Operations of one finetuning, its evaluations, and its answers to every split.

    Args:
        model: whose trunk is known.
        training: its settings.
        task: of known sizes.
        watched: the split that it stops on; of a split to train on the tenth held out.
    """
    if watched == "validation":
        learn, watch = task.several("strong_train") or 0, task.several("validation") or 0
    else:
        whole = task.several(watched) or 0
        watch = round(HELD_OUT * whole)
        learn = whole - watch
    steps = training.steps_on(learn)
    evaluations = len(training.evaluation_steps(steps)) if training.stopping != "none" else 0
    asked = task.several(*PREDICTED) or 0
    tokens = (model.trunk or 0) * task.tokens[model.name]
    if model.adaptation == "head":
        # A frozen trunk reads every text once, whatever the epochs.
        return FORWARD * tokens * (learn + (watch if evaluations else 0) + asked)
    seen = steps * training.batch_size
    if training.steps is None:
        seen = training.epochs * learn
    passed = TRAINING[model.adaptation or "full"] * seen + FORWARD * (evaluations * watch + asked)
    return tokens * passed


def _read_flops(model: Guessed, task: TaskSize) -> float | None:
    """Operations of reading every split that is answered, once."""
    read = task.several(*PREDICTED)
    if model.trunk is None or read is None:
        return None
    return FORWARD * model.trunk * task.tokens[model.name] * read


def _prompt_flops(
    model: Guessed, texts: int, fits: Callable[[TaskSize], float | None], task: TaskSize
) -> float | None:
    """Operations of a method that has so many texts read for an answer, besides its fits."""
    once, rest = _read_flops(model, task), fits(task)
    return None if once is None or rest is None else texts * once + rest


def _answer_bytes(task: TaskSize, *splits: str) -> int:
    """Bytes of stored answers to some splits."""
    return (task.several(*splits) or 0) * (ROW_BYTES + 8 * task.classes)


def _state_bytes(model: Guessed, task: TaskSize) -> int:
    """Bytes of stored activations of two layers; 0 of a model that is not known."""
    return 2 * 4 * (model.width or 0) * (task.several(*PREDICTED) or 0)


def _disk(roles: int, stages: Sequence[Stage], known: Sequence[TaskSize]) -> int:
    """Bytes of what stages leave in the store, and of test answers in the run folder.

    There those of the two checks come on top of the roles'.
    """
    run = (2 + roles) * sum(_answer_bytes(task, "test") for task in known)
    return sum(stage.stored for stage in stages) + run


def _may_decode(model: ModelSpec) -> bool:
    """Whether a model is a decoder, as far as that can be told without a network."""
    try:
        with offline():
            return decodes(model)
    except UserError:
        return True


def ask(method: str) -> Asked:
    """What a method asks for, found by letting it ask, with stand-ins.

    Two methods that ask for the same loss and the same labels get the same string:
    their students share that fit.
    """
    asked = Asked()
    find_method(method).run(asked)
    return asked
