"""How a model of each kind of task is finetuned, and how it answers afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.errors import DivergedError
from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import WRITTEN, Predictions
from weak2strong.models.gpus import gpus_per_fit
from weak2strong.models.load import loader_of
from weak2strong.models.reads import reads
from weak2strong.protocol.stages.files import CHECKPOINT
from weak2strong.protocol.stages.finetuning import PREDICTED, Finetuning
from weak2strong.protocol.stages.passed import Adapted, passed_before, passes_once
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.task import Inputs, Item, Kind

if TYPE_CHECKING:
    from weak2strong.models.loaded import LoadedModel
    from weak2strong.models.stored_states import StoredStates
    from weak2strong.training.fit import Fit, OnEvaluation


def found_by_name(kind: Kind, training: Training) -> tuple[Callable, ...]:
    """For keys of stages that finetune among other things: what `finetune` finds by the kind of a
    task, and by the name of a metric."""
    return LEARNERS[kind], metric(kind, training.stopping_metric)


def loaders_of(kind: Kind, model: ModelSpec) -> tuple[Callable, ...]:
    """For keys, likewise: what loads a model with a head, where a task of that kind has one, and
    what finds the states that its trunk gave before."""
    before = PASSED.get(reads(model))
    return () if kind in WRITTEN else (loader_of(model), *([before] if before else []))


def states_before(
    task_run: TaskRun, model: ModelSpec, items: Iterable[Item]
) -> StoredStates | None:
    """What the frozen trunk of a model has given of items before, where that is a stage."""
    before = PASSED.get(reads(model))
    return before(task_run, model, items) if before else None


def gpus_of(finetuning: Finetuning) -> int:
    """On how many GPUs a finetuning is."""
    return gpus_per_fit(finetuning.model)


def asked(
    finetuning: Finetuning,
    working: Path,
    ask: Callable[[LoadedModel], Any],
) -> tuple[Any, Fit]:
    """What is asked of a finetuned model with a head, and how it was trained.

    On several GPUs all of this is done by other processes, to which it is sent.
    """
    from weak2strong.training.lesson import with_head

    return _taught(finetuning, working, with_head, (ask,))


def _with_head(
    finetuning: Finetuning, working: Path, items: Mapping[str, Sequence[Item]]
) -> tuple[Mapping[str, Predictions], Fit]:
    """The answers of a finetuned model with a head."""
    from weak2strong.training.lesson import answers

    return asked(finetuning, working, partial(answers, items))


def _in_words(
    finetuning: Finetuning, working: Path, items: Mapping[str, Sequence[Item]]
) -> tuple[Mapping[str, Predictions], Fit]:
    """The answers of a finetuned language model."""
    from weak2strong.training.lesson import in_words, written

    return _taught(finetuning, working, in_words, (partial(written, items),))


def _followed_with_head(
    finetuning: Finetuning,
    working: Path,
    items: Mapping[str, Sequence[Item]],
    on_evaluation: OnEvaluation,
) -> Fit:
    """How a model with a head was trained, which answers items at every evaluation."""
    from weak2strong.training.lesson import with_head

    return _taught(finetuning, working, with_head, (_nothing, items, on_evaluation))[1]


def _followed_in_words(
    finetuning: Finetuning,
    working: Path,
    items: Mapping[str, Sequence[Item]],
    on_evaluation: OnEvaluation,
) -> Fit:
    """How a language model was trained, which answers items at every evaluation."""
    from weak2strong.training.lesson import in_words

    return _taught(finetuning, working, in_words, (_nothing, items, on_evaluation))[1]


def _nothing(model: object) -> None:
    """To ask a trained model: nothing."""


def _read_items(finetuning: Finetuning) -> Iterator[Item]:
    """All that a model reads in a finetuning and afterwards; some of it several times."""
    yield from finetuning.train.items
    yield from finetuning.validation.items if finetuning.validation else ()
    yield from finetuning.aside
    for split in PREDICTED:
        yield from finetuning.task_run.splits.items(split)


def _taught(
    finetuning: Finetuning, working: Path, learn: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[Any, Fit]:
    """What a function of `weak2strong.training.lesson` returns, on as many GPUs as it takes."""
    from weak2strong.training.lesson import Lesson
    from weak2strong.training.together import Job, together

    task_run = finetuning.task_run
    lesson = Lesson(
        model=finetuning.model,
        kind=task_run.task.kind,
        classes=len(task_run.task.classes),
        train=finetuning.train,
        loss=finetuning.loss,
        training=finetuning.training,
        draws=finetuning.draws,
        validation=finetuning.validation,
        checkpoint=working / CHECKPOINT,
        states=states_before(task_run, finetuning.model, _read_items(finetuning)),
    )
    job = Job(learn, (lesson, *arguments), task_run.config.plugins)
    try:
        value, fit = together(job, gpus_of(finetuning), task_run.on_step)
    except DivergedError as e:
        for file in working.glob(f"{CHECKPOINT}*"):
            file.unlink()
        rates = (finetuning.training.learning_rate, finetuning.training.head_rate)
        of = (
            f"The training of the {finetuning.role} with seed {finetuning.seed} on task "
            f"{task_run.task.name} (model {finetuning.model.name!r}, learning rates "
            f"{' and '.join(f'{rate:g}' for rate in rates if rate is not None)})"
        )
        raise DivergedError(e.what, of) from e
    task_run.note = fit.note
    return value, fit


LEARNERS: dict[
    Kind,
    Callable[
        [Finetuning, Path, Mapping[str, Sequence[Item]]], tuple[Mapping[str, Predictions], Any]
    ],
] = {
    "classification": _with_head,
    "preference": _with_head,
    "generation": _in_words,
}

FOLLOWERS: dict[
    Kind, Callable[[Finetuning, Path, Mapping[str, Sequence[Item]], OnEvaluation], Any]
] = {
    "classification": _followed_with_head,
    "preference": _followed_with_head,
    "generation": _followed_in_words,
}
"""The same, with answers to items at every evaluation, of which a function is told."""

PASSED: Mapping[Inputs, Callable[[TaskRun, ModelSpec, Iterable[Item]], StoredStates | None]] = {
    "images": passed_before,
}
"""What finds the states that a frozen trunk gave before, by what it reads: texts pass it in every
process, and features have no trunk."""


def is_read_once(inputs: Inputs, model: Adapted) -> bool:
    """Whether items of this sort pass the trunk of a model in a stage that all its trainings
    read."""
    return inputs in PASSED and passes_once(model)
