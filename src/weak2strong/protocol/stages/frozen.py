"""Stages without labels: activations, answers to prompts, and a model that has read texts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from weak2strong.config.model import ModelSpec
from weak2strong.ground.activations import Activations, load_activations, save_activations
from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions, load_predictions
from weak2strong.models.given import is_given
from weak2strong.models.gpus import gpus_per_fit
from weak2strong.models.load import loader_of
from weak2strong.models.quantisation import settings_in_keys
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.stages.files import CHECKPOINT, FILE, STATES, writer
from weak2strong.protocol.stages.finetuning import PREDICTED, items_of
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.tasks.asked import Asked
from weak2strong.tasks.splits import digest
from weak2strong.tasks.task import Item, asked_text, texts_of

TURNED = "turned"
"""After the name of a split: its preferences with the second completion first."""

ADAPTED = ("adaptation", "k", "lora_rank", "lora_alpha", "head_start", "answers")
"""Settings that do not matter where nothing is trained."""


def activations(task_run: TaskRun, model: ModelSpec, layer: int | str) -> Mapping[str, Activations]:
    """A layer's activations of the pretrained model on every split of `PREDICTED`.

    The middle and the last layer, and all that methods of the study name, are gathered in one pass;
    any other layer in a pass of its own.
    """
    from weak2strong.models.layers import layer_number, layers_of

    count = layers_of(model)
    number, together = layer_number(layer, count), set[int]()
    for name in ("middle", "last", *task_run.layers):
        # What is no layer of this model is told by the method that names it.
        with suppress(UserError):
            together.add(layer_number(name, count))
    layers = tuple(together) if number in together else (number,)
    return all_activations(task_run, model, layers)[number]


def all_activations(
    task_run: TaskRun,
    model: ModelSpec,
    layers: Sequence[int],
    splits: Sequence[str] = PREDICTED,
) -> Mapping[int, Mapping[str, Activations]]:
    """Activations of several layers, gathered in one pass over each split; memory-mapped.

    Of a model that is a file of them, they are that file, and no stage.
    """
    items, layers = items_of(task_run, splits), sorted(set(layers))
    if is_given(model):
        from weak2strong.models.vectors import vectors_of

        vectors = vectors_of(model)
        found = {s: vectors.activations([i.id for i in of]) for s, of in items.items()}
        return dict.fromkeys(layers, found)
    gpus = gpus_per_fit(_frozen(model))

    def make(working: Path) -> Write:
        from weak2strong.training.activations import pretrained_activations
        from weak2strong.training.together import Job, together

        arguments = (_frozen(model), task_run.task.kind, items, layers)
        job = Job(pretrained_activations, arguments, task_run.config.plugins)
        by_split = together(job, gpus, task_run.on_step)
        by_layer = {
            layer: {
                split: Activations(tuple(i.id for i in items[split]), values[layer])
                for split, values in by_split.items()
            }
            for layer in layers
        }
        return lambda folder: save_activations(folder / STATES, by_layer)

    fields = {"model": frozen_settings(model), "layers": layers, "kind": task_run.task.kind}
    inputs = {"weights": fingerprint(model), **task_run.item_digests(splits, model)}
    entry = task_run.stage("activations", fields, inputs, make, (loader_of(model),), gpus=gpus)
    return load_activations(entry.path / STATES)


def prompted(
    task_run: TaskRun,
    model: ModelSpec,
    draws: Sequence[Sequence[tuple[str, int]]],
    calibrate: bool,
    template: str | None,
) -> Mapping[str, Predictions]:
    """Probabilities of the task's answer words after a prompt, the mean over draws of shots."""
    prompt = task_run.task.wording
    if template is not None:
        prompt = replace(prompt, template=template)
    items, gpus = items_of(task_run, PREDICTED), gpus_per_fit(_frozen(model))

    def make(working: Path) -> Write:
        from weak2strong.training.prompting import pretrained_probabilities
        from weak2strong.training.together import Job, together

        texts = {split: [asked_text(i) for i in of_split] for split, of_split in items.items()}
        if task_run.task.kind == "preference":
            both = items.items()
            texts |= {f"{s} {TURNED}": [asked_text(i, turned=True) for i in of] for s, of in both}
        arguments = (model, prompt, texts, draws, calibrate)
        job = Job(pretrained_probabilities, arguments, task_run.config.plugins)
        found = together(job, gpus, task_run.on_step)
        answers = {
            split: Predictions(
                tuple(i.id for i in of_split), _in_both_orders(found, split), task_run.task.kind
            )
            for split, of_split in items.items()
        }
        return writer(answers)

    fields = {
        "model": frozen_settings(model),
        "prompt": asdict(prompt),
        "draws": draws,
        "calibrate": calibrate,
    }
    inputs = {"weights": fingerprint(model), **task_run.item_digests(PREDICTED)}
    entry = task_run.stage("prompted", fields, inputs, make, gpus=gpus)
    return load_predictions(entry.path / FILE)


def _in_both_orders(found: Mapping[str, np.ndarray], split: str) -> np.ndarray:
    """Probabilities of a split; of preferences the mean over both orders of the completions."""
    turned = found.get(f"{split} {TURNED}")
    return found[split] if turned is None else (found[split] + turned[:, ::-1]) / 2


def answered_in_words(
    task_run: TaskRun, model: ModelSpec, asked: Asked
) -> Mapping[str, Predictions]:
    """What the pretrained model writes after a prompt: the most frequent answer over draws."""
    items, gpus = items_of(task_run, PREDICTED), gpus_per_fit(model)

    def make(working: Path) -> Write:
        from weak2strong.training.asked import pretrained_answers
        from weak2strong.training.together import Job, together

        job = Job(pretrained_answers, (model, asked, items), task_run.config.plugins)
        return writer(together(job, gpus, task_run.on_step))

    fields = {"model": settings_in_keys(model), "asked": asdict(asked)}
    inputs = {"weights": fingerprint(model), **task_run.item_digests(PREDICTED)}
    entry = task_run.stage("prompted", fields, inputs, make, gpus=gpus)
    return load_predictions(entry.path / FILE)


def after_reading(
    task_run: TaskRun, model: ModelSpec, items: Sequence[Item], epochs: int, seed: int
) -> ModelSpec:
    """The model finetuned on texts as a language model: its name is a folder of the store."""
    usual = task_run.config.strong_training
    training = replace(usual, epochs=epochs, steps=None, evaluate_every=None, stopping="none")
    gpus = gpus_per_fit(model)

    def make(working: Path) -> Write:
        from weak2strong.training.language import has_read
        from weak2strong.training.together import Job, together

        read = working / "model"
        arguments = (model, texts_of(items), training, seed, read, working / CHECKPOINT)
        job = Job(has_read, arguments, task_run.config.plugins)
        task_run.note = together(job, gpus, task_run.on_step).note

        def write(folder: Path) -> None:
            shutil.copytree(read, folder / "model")

        return write

    fields = {"model": settings_in_keys(model), "training": asdict(training), "seed": seed}
    inputs = {"weights": fingerprint(model), "texts": digest(items)}
    entry = task_run.stage("reading", fields, inputs, make, gpus=gpus)
    return replace(model, name=str(entry.path / "model"), revision=None)


def _frozen(model: ModelSpec) -> ModelSpec:
    """The model with a head as the only part to train, which is not used."""
    return replace(model, adaptation="head", head_start="random", answers=())


def frozen_settings(model: ModelSpec) -> dict:
    """For keys: the settings that matter where nothing is trained."""
    return {k: v for k, v in settings_in_keys(model).items() if k not in ADAPTED}
