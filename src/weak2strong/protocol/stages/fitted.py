"""The stage of a finetuning, whatever it gives: its key has all that decides the trained model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from weak2strong.ground.metrics import metric
from weak2strong.ground.plugins import digest_of
from weak2strong.losses import Loss
from weak2strong.models.quantisation import settings_in_keys
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.read import read_digest
from weak2strong.protocol.stages.files import array_digest
from weak2strong.protocol.stages.finetuning import ASIDE, PREDICTED, Finetuning, items_of
from weak2strong.protocol.stages.learners import gpus_of, loaders_of
from weak2strong.protocol.task_run import Write
from weak2strong.tasks.task import Item


def answered_items(finetuning: Finetuning) -> Mapping[str, Sequence[Item]]:
    """What a finetuned model answers: every split of `PREDICTED`, and `ASIDE` where asked for."""
    items = items_of(finetuning.task_run, PREDICTED)
    return {**items, ASIDE: finetuning.aside} if finetuning.aside else items


def fitted(
    name: str, finetuning: Finetuning, make: Callable[[Path], Write], also: Sequence[Callable] = ()
) -> Path:
    """The folder of a stage whose key has all that decides the result of a finetuning.

    Args:
        name: of the stage.
        finetuning: all that decides the trained model.
        make: trains it, and asks it something.
        also: functions whose code is in the key besides that of ``make``.
    """
    task_run, losses = finetuning.task_run, _losses(finetuning)
    plugin = next(filter(None, (digest_of(type(one)) for one in losses)), None)
    settings = asdict(finetuning.loss)  # pyright: ignore
    fields = {
        "kind": task_run.task.kind,
        "classes": len(task_run.task.classes),
        "loss": {"name": type(finetuning.loss).__qualname__, **settings},
        "training": asdict(finetuning.training),
        "model": settings_in_keys(finetuning.model),
        "seed": finetuning.seed,
        "role": finetuning.role,
    }
    inputs = {
        "weights": fingerprint(finetuning.model),
        "train": read_digest(finetuning.train.items, finetuning.model),
        "targets": array_digest(finetuning.train.targets),
        **_stopped_on(finetuning),
        **{f"asked_{s}": d for s, d in task_run.item_digests(PREDICTED, finetuning.model).items()},
        **_aside(finetuning),
        **({"plugin": plugin} if plugin else {}),
    }
    judged_by = metric(task_run.task.kind, finetuning.training.stopping_metric)
    loaders = loaders_of(task_run.task.kind, finetuning.model)
    named = (*losses, judged_by, *loaders, *also)
    gpus = gpus_of(finetuning)
    return task_run.stage(name, fields, inputs, make, named, gpus=gpus).path


def _losses(finetuning: Finetuning) -> tuple[Loss, ...]:
    """The loss, and the one that it adds a term to, if it does."""
    inner = getattr(finetuning.loss, "inner", None)
    return (finetuning.loss,) if inner is None else (finetuning.loss, inner)


def _aside(finetuning: Finetuning) -> dict[str, str]:
    """For keys: what is answered beside the splits, if there is anything."""
    if not finetuning.aside:
        return {}
    return {f"asked_{ASIDE}": read_digest(finetuning.aside, finetuning.model)}


def _stopped_on(finetuning: Finetuning) -> dict[str, str]:
    """For keys: what the stopping rule compares answers with, if there is anything."""
    validation = finetuning.validation
    if validation is None:
        return {}
    return {
        "validation": read_digest(validation.items, finetuning.model),
        "validation_targets": array_digest(validation.targets),
    }
