"""A pretrained trunk that reads images, with a fresh head, on the best device there is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.config.model import ModelSpec, Pooling
from weak2strong.ground.draws import draw_seed
from weak2strong.ground.errors import UserError
from weak2strong.models.adapters import adapt
from weak2strong.models.alexnet import read_alexnet
from weak2strong.models.folders import is_tiny
from weak2strong.models.heads import new_head
from weak2strong.models.image_reader import ImageReader, reader_of_images
from weak2strong.models.image_skeleton import image_skeleton
from weak2strong.models.image_types import is_weights_file
from weak2strong.models.loaded import Headed, LoadedModel, best_device, move
from weak2strong.models.own_head import start_from_own
from weak2strong.models.precision import fast_precision
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.models.resolve import resolve_model
from weak2strong.models.sound import check_lacking
from weak2strong.models.states import check_finite_states, reading
from weak2strong.models.vision import ImageTrunk, pooling_of, vision_part
from weak2strong.models.weights import frozen_states, read_weights
from weak2strong.tasks.task import Kind


class ImageNetwork(Headed):
    """Trunk and head: images (b, c, h, w) to outputs (b, outputs)."""

    trunk: ImageTrunk

    @property
    def pretrained(self) -> nn.Module:
        """The model in the trunk."""
        return self.trunk.model

    def pooled(self, *batch: Tensor) -> Tensor:
        """One vector an image, (b, d)."""
        return self.trunk(*batch)

    def pooled_layers(
        self, batch: Sequence[Any], layers: Sequence[int], pooling: Pooling = "auto"
    ) -> list[Tensor]:
        """One vector an image for each of these layers, (b, d), the last of them as by `pooled`."""
        (pixels,) = batch
        return self.trunk.layers(pixels, layers)


def load_image_model(
    spec: ModelSpec, kind: Kind, classes: int, seed: int, ranks: Ranks = ALONE
) -> LoadedModel:
    """Load a trunk that reads images, adapted as asked for, with a fresh head drawn from the seed.

    Args:
        spec: the model.
        kind: of the task that the head is for.
        classes: how many the task has.
        seed: of the first weights of head and adapters.
        ranks: that hold it together, which has to be one.

    Raises:
        UserError: where the model or its image processor cannot be loaded or used.
    """
    _check(spec, ranks)
    spec, device = resolve_model(spec), best_device()
    model, missing, reader = read_image_model(spec, device)
    pooling = pooling_of(model, missing, spec)
    trunk = ImageTrunk(model, pooling)
    width = _width(trunk, reader, spec)
    draws = torch.Generator().manual_seed(draw_seed(seed, "head", str(width)))
    head = new_head(kind, width, classes, False, draws)
    if spec.head_start == "zero":
        nn.init.zeros_(head.weight)
    if spec.head_start == "own":
        start_from_own(head, spec)
    network = ImageNetwork(adapt(trunk, spec, seed), head).eval()
    network.pooling = pooling
    move(network, spec, device, ranks)
    return LoadedModel(
        network,
        reader,
        device,
        _precision(spec, device),
        spec.checkpointing,
        ranks,
        optimizer_states=spec.optimizer_states,
        kind=kind,
        scaled=spec.head_states == "scaled"
        or (spec.head_states == "auto" and spec.head_start != "own"),
        states=None if is_weights_file(spec) else _states(spec, device),
    )


def read_image_model(
    spec: ModelSpec, device: torch.device
) -> tuple[nn.Module, Collection[str], ImageReader]:
    """The part of a model that reads images, the weights that its files lack, and its reader.

    Raises:
        UserError: where it cannot be loaded.
    """
    if is_weights_file(spec):
        network, _ = read_alexnet(Path(spec.name).expanduser())
        return network, (), reader_of_images(spec)
    from transformers import AutoModel

    reader = reader_of_images(spec)
    whole, missing = read_weights(spec, AutoModel, device)
    return vision_part(whole), missing, reader


def _states(spec: ModelSpec, device: torch.device) -> Any:
    from transformers import AutoModel

    return frozen_states(spec, AutoModel, device)


def _check(spec: ModelSpec, ranks: Ranks) -> None:
    """Refuse settings that are for models of texts.

    Raises:
        UserError: for such a setting.
    """
    if spec.head_start == "answers":
        raise UserError(
            f"Model {spec.name!r} reads images and has no words, so that a head cannot start from "
            "answers: choose another head_start."
        )
    if ranks.several:
        raise UserError(
            f"Model {spec.name!r} reads images, and such a model is held by one GPU: set "
            "gpus_per_fit to 1."
        )
    if spec.precision == "4bit":
        raise UserError(
            f"Model {spec.name!r} reads images, and weights of 4 bits are for models of texts: "
            "choose another precision."
        )


def _precision(spec: ModelSpec, device: torch.device) -> torch.dtype:
    """The precision of the arithmetic that a model asks for, or that suits its size and device."""
    if spec.precision == "bfloat16" or spec.trained_weights == "bfloat16":
        return torch.bfloat16
    if spec.precision == "auto":
        return fast_precision(device, not is_weights_file(spec) and is_tiny(spec))
    return torch.float32


def _width(trunk: ImageTrunk, reader: ImageReader, spec: ModelSpec) -> int:
    """How many numbers the vector of an image has, tried with a black one.

    Raises:
        UserError: where the model cannot read images of the size that its processor makes.
    """
    device = next(trunk.parameters()).device
    blank = reader.batch(reader.blank(1, 1), device)
    with reading(spec.name, "images"):
        with torch.no_grad():
            states = trunk(*blank)
        if states.ndim != 2 or len(states) != 1:
            raise UserError(
                f"Model {spec.name!r} gives states of the shape {tuple(states.shape)} for an "
                "image, and a head reads one vector: choose another model."
            )
        if device.type != "meta":
            check_finite_states(spec.name, states)
            check_lacking(spec, trunk, lambda: trunk(*blank))
    return states.shape[1]


def image_width(spec: ModelSpec) -> int:
    """How many numbers the vector of an image has, without the model's weights.

    Raises:
        UserError: where the model cannot be made from its configuration.
    """
    model = image_skeleton(spec).eval()
    return _width(ImageTrunk(model, pooling_of(model, (), spec)), reader_of_images(spec), spec)
