"""Stages without labels: activations, answers to prompts, and a model that has read texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from weak2strong.config.model import ModelSpec
from weak2strong.ground.activations import Activations, load_activations, save_activations
from weak2strong.ground.predictions import Predictions, load_predictions
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.stages.files import FILE, STATES, writer
from weak2strong.protocol.stages.finetune import items_of
from weak2strong.protocol.stages.finetuning import PREDICTED
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.tasks.splits import digest
from weak2strong.tasks.task import Item, texts_of

ADAPTED = ("adaptation", "lora_rank", "lora_alpha", "head_start", "answers")
"""Settings that do not matter where nothing is trained."""


def activations(task_run: TaskRun, model: ModelSpec, layer: int | str) -> Mapping[str, Activations]:
    """A layer's activations of the pretrained model on every split of `PREDICTED`.

    The middle and the last layer are gathered in one pass, every other layer in a pass of its own.
    """
    from weak2strong.models.configuration import load_config
    from weak2strong.models.layers import layer_count, layer_number

    count = layer_count(load_config(model))
    number = layer_number(layer, count)
    usual = tuple(layer_number(name, count) for name in ("middle", "last"))
    layers = usual if number in usual else (number,)
    return all_activations(task_run, model, layers)[number]


def all_activations(
    task_run: TaskRun, model: ModelSpec, layers: Sequence[int]
) -> Mapping[int, Mapping[str, Activations]]:
    """Activations of several layers, gathered in one pass over each split; memory-mapped."""
    items, layers = items_of(task_run, PREDICTED), sorted(set(layers))

    def make(working: Path) -> Write:
        from weak2strong.models.load import load_model
        from weak2strong.training.activations import layer_activations

        loaded = load_model(_frozen(model), task_run.task.kind, len(task_run.task.classes), seed=0)
        by_split = {s: layer_activations(loaded, of_split, layers) for s, of_split in items.items()}
        by_layer = {
            layer: {
                split: Activations(tuple(i.id for i in items[split]), values[layer])
                for split, values in by_split.items()
            }
            for layer in layers
        }
        return lambda folder: save_activations(folder / STATES, by_layer)

    fields = {"model": frozen_settings(model), "layers": layers, "kind": task_run.task.kind}
    inputs = {"weights": fingerprint(model), **task_run.item_digests(PREDICTED)}
    return load_activations(task_run.stage("activations", fields, inputs, make).path / STATES)


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
    items = items_of(task_run, PREDICTED)

    def make(working: Path) -> Write:
        from weak2strong.models.prompted import load_prompted
        from weak2strong.training.prompting import prompted_probabilities

        loaded = load_prompted(model)
        answers = {
            split: Predictions(
                tuple(i.id for i in of_split),
                prompted_probabilities(
                    loaded, prompt, [i.text for i in of_split], draws, calibrate
                ),
                task_run.task.kind,
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
    return load_predictions(task_run.stage("prompted", fields, inputs, make).path / FILE)


def after_reading(
    task_run: TaskRun, model: ModelSpec, items: Sequence[Item], epochs: int, seed: int
) -> ModelSpec:
    """The model finetuned on texts as a language model: its name is a folder of the store."""
    usual = task_run.config.strong_training
    training = replace(usual, epochs=epochs, steps=None, evaluate_every=None, stopping="none")

    def make(working: Path) -> Write:
        from weak2strong.models.batches import encode
        from weak2strong.models.language import load_language_model, save_language_model
        from weak2strong.training.language import fit_language

        loaded = load_language_model(model, seed)
        done = fit_language(
            loaded,
            encode(loaded.tokenizer, texts_of(items)),
            None,
            training,
            seed,
            on_step=task_run.on_step,
            checkpoint=working / "checkpoint.safetensors",
        )
        task_run.note = done.note
        return lambda folder: save_language_model(loaded, folder / "model")

    fields = {"model": model.settings, "training": asdict(training), "seed": seed}
    inputs = {"weights": fingerprint(model), "texts": digest(items)}
    entry = task_run.stage("reading", fields, inputs, make)
    return replace(model, name=str(entry.path / "model"), revision=None)


def _frozen(model: ModelSpec) -> ModelSpec:
    """The model with a head as the only part to train, which is not used."""
    return replace(model, adaptation="head", head_start="random", answers=())


def frozen_settings(model: ModelSpec) -> dict:
    """For keys: the settings that matter where nothing is trained."""
    return {k: v for k, v in model.settings.items() if k not in ADAPTED}
