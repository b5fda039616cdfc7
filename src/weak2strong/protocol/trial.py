"""What a study does with a model, tried out on a text of the greatest length.

A model can load and fail later: when gradients are asked for, when the states of a layer are, when
it is prompted, or where a text is as long as the tokenizer allows. So each use is tried once, by
the functions of the study itself, on two examples.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.errors import DivergedError, UserError, first_line
from weak2strong.ground.predictions import WRITTEN
from weak2strong.losses import loss
from weak2strong.tasks.asked import Asked
from weak2strong.tasks.kinds import true_targets
from weak2strong.tasks.prompt import PLAIN, Prompt
from weak2strong.tasks.task import Example, Item, Kind
from weak2strong.training.training_set import TrainingSet

Use = Literal["training", "activations", "prompting", "reading"]
"""What a study does with a model; a training ends with answers."""

WORD = "one "
"""A word that is a token at least; a text of many is as long as any that the model reads."""

LONG = 2048
"""Tokens of the long text at most, unless more are asked for, and its words at least: prompts may
be as long as that, also where texts are cut earlier."""

ENDLESS = 256
"""The same of a model that has no last position, so that no text is the longest: those that read
one token after another are slow."""

PROMPT = Prompt(answers=((" two",), (" three",)))
"""What is asked of a model that is prompted."""


@dataclass(frozen=True)
class Trial:
    """A use of a model in a study.

    Attributes:
        model: with its adaptation decided; it is read from its files.
        use: what is done with it.
        kind: of the task.
        classes: how many the task has.
        longest: tokens of the long text, where the model reads so many.
    """

    model: ModelSpec
    use: Use = "training"
    kind: Kind = "classification"
    classes: int = 2
    longest: int = LONG


def try_out(trial: Trial, of: str | None = None) -> None:
    """Use a model once as a study does, with two examples, one of which is as long as any can be.

    Args:
        trial: what is done with which model.
        of: the name of the model whose architecture it has, where it is a small one of it.

    Raises:
        UserError: where the model cannot be used so, whatever kept it from that.
    """
    from weak2strong.models.border import is_ours, quiet

    spec, use = _reading_at_most(trial.model, trial.longest), trial.use
    with TemporaryDirectory(prefix="w2s-trial-") as folder, quiet(), warnings.catch_warnings():
        # Of texts that are cut, and of shots that are left out, which are ours and none of a task.
        warnings.simplefilter("ignore")
        try:
            given = _USES[use](spec, trial.kind, trial.classes, Path(folder))
        except DivergedError as e:
            raise _fault(spec, use, "its numbers are not finite", of) from e
        except UserError as e:
            if of is None:
                raise
            raise UserError(str(e).replace(spec.name, of)) from e
        # What a model does not do is its own, and so is the error.
        except Exception as e:
            if is_ours(e):
                raise
            raise _fault(spec, use, f"{type(e).__name__}: {first_line(e)}", of) from e
    for values in given.values():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise _fault(spec, use, "its numbers are not finite", of)


def _fault(spec: ModelSpec, use: Use, what: str, of: str | None) -> UserError:
    """What keeps a model from a use, as a sentence."""
    doing: Mapping[Use, str] = {
        "training": f"be trained (adaptation {spec.adaptation})",
        "activations": "give the states of its layers",
        "prompting": "be prompted",
        "reading": f"read texts as a language model (adaptation {spec.adaptation})",
    }
    instead = "another adaptation or model" if use in ("training", "reading") else "another model"
    precision = "" if spec.precision == "auto" else f" in {spec.precision}"
    tried = ", tried on a small model of its architecture" if of else ""
    return UserError(
        f"Model {(of or spec.name)!r} cannot {doing[use]}{precision} ({what}{tried}): choose "
        f"{instead}."
    )


def _reading_at_most(spec: ModelSpec, longest: int) -> ModelSpec:
    """The model, reading so many tokens of a text at most.

    Raises:
        UserError: where its tokenizer cannot be had.
    """
    from weak2strong.models.configuration import load_config, load_tokenizer
    from weak2strong.models.lengths import longest_read
    from weak2strong.models.positions import longest_text

    if longest_text(load_config(spec), spec.trust_remote_code) is None:
        longest = ENDLESS
    return replace(spec, max_length=min(longest, longest_read(load_tokenizer(spec))))


def _trained(spec: ModelSpec, kind: Kind, classes: int, folder: Path) -> Mapping[str, np.ndarray]:
    """The answers after one step of training."""
    from weak2strong.training.lesson import Lesson, answers, in_words, with_head, written

    examples = _examples(spec, kind)
    items = {"": [example.item for example in examples]}
    lesson = Lesson(
        spec,
        kind,
        classes,
        TrainingSet(items[""], true_targets(kind, examples, classes)),
        loss("cross-entropy"),
        _training(len(examples)),
        draws=0,
        validation=None,
        checkpoint=folder / "checkpoint.safetensors",
    )
    if kind in WRITTEN:
        found, _ = in_words(lesson, partial(written, items), on_step=_nothing)
    else:
        found, _ = with_head(lesson, partial(answers, items), on_step=_nothing)
    return {split: of_split.values for split, of_split in found.items()}


def _activations(
    spec: ModelSpec, kind: Kind, classes: int, folder: Path
) -> Mapping[str, np.ndarray]:
    """The states of the first, the middle and the last layer of the model as it is."""
    from weak2strong.models.configuration import load_config
    from weak2strong.models.layers import layer_count, layer_number
    from weak2strong.training.activations import pretrained_activations

    count = layer_count(load_config(spec))
    layers = sorted({0, layer_number("middle", count), count})
    items = {"": [example.item for example in _examples(spec, kind)]}
    frozen = replace(spec, adaptation="head", head_start="random", answers=())
    found = pretrained_activations(frozen, kind, items, layers, on_step=_nothing)
    return {str(layer): values for layer, values in found[""].items()}


def _prompted(spec: ModelSpec, kind: Kind, classes: int, folder: Path) -> Mapping[str, np.ndarray]:
    """The answers of the model as it is, without shots and with one."""
    if kind in WRITTEN:
        from weak2strong.training.asked import pretrained_answers

        items = {"": [example.item for example in _examples(spec, kind)]}
        asked = Asked(PLAIN, None, [[], [("one", "two")]], ("two",))
        written = pretrained_answers(spec, asked, items, on_step=_nothing)
        return {split: of_split.values for split, of_split in written.items()}
    from weak2strong.training.prompting import pretrained_probabilities

    texts = {"": [example.item.text for example in _examples(spec, "classification")]}
    draws = [[], [("one", 0)]]
    return pretrained_probabilities(spec, PROMPT, texts, draws, True, on_step=_nothing)


def _read(spec: ModelSpec, kind: Kind, classes: int, folder: Path) -> Mapping[str, np.ndarray]:
    """The answers after the model has read texts as a language model, was saved, and trained."""
    from weak2strong.training.language import has_read

    texts = [example.item.text for example in _examples(spec, "classification")]
    checkpoint = folder / "checkpoint.safetensors"
    has_read(spec, texts, _training(len(texts)), 0, folder / "model", checkpoint, on_step=_nothing)
    return _trained(replace(spec, name=str(folder / "model"), revision=None), kind, classes, folder)


_USES: Mapping[Use, Callable[[ModelSpec, Kind, int, Path], Mapping[str, np.ndarray]]] = {
    "training": _trained,
    "activations": _activations,
    "prompting": _prompted,
    "reading": _read,
}


def _examples(spec: ModelSpec, kind: Kind) -> list[Example]:
    """A text as long as the model reads, and a short one, in the form of a kind of task."""
    words = max(LONG, int(spec.max_length))
    completions = (" two", " three") if kind == "preference" else ()
    labels: tuple[Any, ...] = ("two", "three") if kind in WRITTEN else (0, 1)
    texts = ((WORD * words).strip(), "one")
    return [
        Example(Item(f"trial {n}", f"trial {n}", text, completions), label)
        for n, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]


def _training(examples: int) -> Training:
    """One step of all examples."""
    return Training(steps=1, batch_size=examples, learning_rate=1e-5, head_rate=1e-5)


def _nothing(done: int, total: int) -> None:
    """Nobody is told how far it is."""
