"""What a model that may not be here would take: floating-point operations and memory.

Nothing is fetched, and no weights are read: parameters are counted from a
configuration that is here, or taken from the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.ground.hub import offline
from weak2strong.models.catalogue import listed
from weak2strong.models.folders import folder_of
from weak2strong.models.given import is_given
from weak2strong.models.image_types import is_known
from weak2strong.models.needs import (
    adapter_parameters,
    count,
    frozen_bytes,
    multiplied,
    resting_bytes,
    roundable,
    skeleton,
)
from weak2strong.models.precision import precision_of
from weak2strong.models.quantisation import bits_of
from weak2strong.models.resolve import check_name, usual_adaptation
from weak2strong.models.vectors import vectors_of
from weak2strong.models.width import vector_width

TRAINING = {"full": 6, "lora": 4, "head": 2}
"""Operations a multiplied parameter and token of a training step: 2 forward, 2 for the gradients of
activations, 2 for those of weights (Kaplan et al. 2020, section 2.1). Adapters need
hardly any of the last, a head on a frozen trunk neither of the two."""

FORWARD = 2
"""Operations a multiplied parameter and token of a forward pass."""


@dataclass(frozen=True)
class Guessed:
    """What is known of a model without its weights; None where it is not.

    Attributes:
        name: as the user names it.
        adaptation: what would be trained; nothing by knn.
        trunk: parameters of the trunk.
        multiplied: those of them that stand in products, which take all the time; embeddings
            are looked up.
        resting: bytes of weights, gradients and optimiser of a training.
        precision: of the matrix products.
        width: numbers of an activation.
        bits: of the weights of linear layers, where they are few.
    """

    name: str
    adaptation: Literal["full", "lora", "head", "knn"] | None
    trunk: int | None
    multiplied: int | None
    resting: int | None
    precision: torch.dtype
    width: int | None
    bits: int | None = None


def guess(spec: ModelSpec, device: torch.device, precision: torch.dtype | None = None) -> Guessed:
    """What is known of a model on this machine, without a network.

    Args:
        spec: the model.
        device: where it would be.
        precision: of the arithmetic there; by default what suits the model and the device.

    Raises:
        UserError: for a name that cannot be a model's.
    """
    check_name(spec)
    counted = parameters(spec)
    trunk = counted.trunk
    precision = precision or precision_of(spec, device)
    adaptation = None if spec.adaptation == "auto" else spec.adaptation
    if is_given(spec) and spec.is_trained:
        adaptation = "head"
    if adaptation is None and trunk is not None:
        adaptation = usual_adaptation(spec, trunk)
    resting = None
    if trunk is not None and adaptation is not None:
        adapters = spec.lora_rank * (counted.linear or 0)
        resting = resting_bytes(
            "head" if adaptation == "knn" else adaptation,
            trunk,
            adapters,
            frozen_bytes(spec, trunk, counted.rounded or 0, precision.itemsize),
            spec.trained_weights,
            spec.optimizer_states,
        )
    return Guessed(
        spec.name,
        adaptation,
        trunk,
        counted.multiplied,
        resting,
        precision,
        counted.width,
        bits_of(spec),
    )


@dataclass(frozen=True)
class Counted:
    """Numbers of parameters; None where nothing on this machine tells them.

    Attributes:
        trunk: of the trunk.
        multiplied: those of them that stand in products.
        linear: of adapters of rank 1 in it.
        width: numbers of an activation.
        rounded: of the trunk, those that few bits would hold.
    """

    trunk: int | None = None
    multiplied: int | None = None
    linear: int | None = None
    width: int | None = None
    rounded: int | None = None


def parameters(spec: ModelSpec) -> Counted:
    """What can be counted of a model without a network."""
    if is_given(spec):
        return Counted(0, 0, 0, vectors_of(spec).width, 0)
    folder = folder_of(spec)
    if folder is not None or is_known(spec):
        try:
            with offline():
                trunk = skeleton(spec)
            width = vector_width(spec)
            numbers = count(trunk), multiplied(trunk), adapter_parameters(trunk, 1)
            return Counted(*numbers, width, roundable(trunk))
        except UserError:
            if folder is not None:
                raise
    if spec.name in listed():
        model, _ = listed()[spec.name]
        return Counted(model.trunk, model.multiplied, model.linear, rounded=model.multiplied)
    return Counted()
