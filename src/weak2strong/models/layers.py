"""Layers of a trunk by number: 0 is what the embeddings give, L what the last of L layers gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.configuration import load_config
from weak2strong.models.given import is_given
from weak2strong.models.image_types import TYPES, image_layers
from weak2strong.models.text_part import text_config

FEW = 8
"""Of fewer layers the middle one is too early: neighbours at layer 1, 2 and 3 of atlas-l tell Asia
from elsewhere with .59, .64 and .99 accuracy."""


def layer_count(model: Any) -> int:
    """How many layers a `LoadedModel` has, or the model of a configuration of Transformers."""
    network = getattr(model, "network", None)
    config: Any = model if network is None else network.trunk.config
    if getattr(config, "model_type", "") in TYPES:
        return image_layers(config)
    return text_config(config).num_hidden_layers


def layers_of(spec: ModelSpec) -> int:
    """How many layers a model has; none beside the one that is given in a file of vectors."""
    return 0 if is_given(spec) else layer_count(load_config(spec))


def layer_number(layer: int | str, layers: int) -> int:
    """The number, 0 to ``layers``, of a layer that the user names.

    Args:
        layer: a number, negative ones counted from the end (-1 is the last);
            ``"middle"``, half of the layers (16 of 32, as in EleutherAI,
            *Experiments in Weak-to-Strong Generalization*, 2024); ``"last"``; or
            ``"usual"``, the middle of a model of `FEW` layers or more, and the last of others.
        layers: how many there are.

    Raises:
        UserError: for any other layer.
    """
    if isinstance(layer, str):
        middle = layers // 2
        usual = middle if layers >= FEW else layers
        named = {"usual": usual, "middle": middle, "last": layers}
        if layer in named:
            return named[layer]
    elif type(layer) is int and -layers - 1 <= layer <= layers:
        return layer % (layers + 1)
    raise UserError(
        f"Layer {layer!r} is none of the model's {layers}: choose usual, middle, last, "
        f"a number from 0 (the embeddings) to {layers}, or -1 to {-layers - 1} from the end."
    )


def layer_names(model: Any) -> list[str]:
    """The names of a model's layers in it, with ``*`` for their numbers: ``["model.layers.*"]``.

    Raises:
        UserError: where Transformers does not tell them.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers = [
        name for name, m in model.named_modules() if isinstance(m, GradientCheckpointingLayer)
    ]
    if not layers:
        raise UserError(
            "The layers of this model are not known to Transformers, so it cannot be cut over "
            "several GPUs: take another one, or one GPU."
        )
    return sorted({re.sub(r"\.\d+(?=\.|$)", ".*", name) for name in layers})


@contextmanager
def inputs_of(model: Any, layers: Sequence[int]) -> Iterator[dict[int, Any]]:
    """A context that fills a dictionary with what some layers read in a pass, by their numbers.

    Layer n reads what layer n - 1 gives, or the embeddings, so that these are the states that
    Transformers calls hidden states n.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    every = [m for m in model.modules() if isinstance(m, GradientCheckpointingLayer)]
    read: dict[int, Any] = {}

    def keep(number: int, arguments: tuple, named: dict) -> None:
        read[number] = arguments[0] if arguments else named["hidden_states"]

    hooks = [
        every[n].register_forward_pre_hook(
            lambda _, arguments, named, n=n: keep(n, arguments, named), with_kwargs=True
        )
        for n in layers
    ]
    try:
        yield read
    finally:
        for hook in hooks:
            hook.remove()
