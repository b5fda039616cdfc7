"""The last layer that a model of images was published with, for classes of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.alexnet import read_alexnet
from weak2strong.models.file_faults import WEIGHTS
from weak2strong.models.folders import folder_of
from weak2strong.models.hub import cached_file
from weak2strong.models.image_skeleton import config_of_images
from weak2strong.models.image_types import is_weights_file

NAMES = ("classifier", "classifier.1")
"""What models of Transformers call their last layer."""


def start_from_own(head: nn.Linear, spec: ModelSpec) -> None:
    """Give a head the weights of a model's own last layer, in place.

    The classes of the task have to be those of the model, in its order.

    Raises:
        UserError: where the model has none, or tells other numbers of classes apart.
    """
    weight, bias = _read(spec)
    if weight.shape != head.weight.shape:
        raise UserError(
            f"The last layer of model {spec.name!r} tells {len(weight):,} classes apart, and the "
            f"task has {head.out_features:,}: choose another head_start, or a task with the "
            "model's own classes, in its order."
        )
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(bias)


def _named(spec: ModelSpec) -> tuple[str, ...]:
    """What a model of timm calls its last layer."""
    config = config_of_images(spec)
    name = (getattr(config, "pretrained_cfg", None) or {}).get("classifier")
    return (name,) if isinstance(name, str) else ()


def _read(spec: ModelSpec) -> tuple[Tensor, Tensor]:
    """Weights and bias of the layer, as the model's file has them."""
    if is_weights_file(spec):
        _, last = read_alexnet(Path(spec.name).expanduser())
        return last["weight"], last["bias"]
    from safetensors import safe_open

    folder = folder_of(spec)
    file: Any = folder / WEIGHTS if folder else cached_file(spec, WEIGHTS)
    if file is not None and file.is_file():
        with safe_open(file, "pt") as weights:
            for name in (*_named(spec), *NAMES):
                if f"{name}.weight" in weights.keys():  # noqa: SIM118
                    return weights.get_tensor(f"{name}.weight"), weights.get_tensor(f"{name}.bias")
    raise UserError(
        f"Model {spec.name!r} was published without a last layer (classifier) in {WEIGHTS}: choose "
        "another head_start, or the model with one."
    )
