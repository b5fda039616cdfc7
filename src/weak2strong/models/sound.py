"""Whether the weights that were read can be what a model was trained to: all there, and finite."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.few_bits import is_rounded
from weak2strong.models.file_faults import AGAIN, CONFIG, file_of_weight
from weak2strong.models.folders import ADAPTERS
from weak2strong.models.ranks import own_part

LACKING = "lacking_in_files"
"""An attribute of ours: the name of a weight that no file of the model has, so that it is
random."""


def check_finite(spec: ModelSpec, model: nn.Module, adapted: bool = False) -> None:
    """Refuse weights that are NaN or infinite.

    Args:
        spec: the model.
        model: it as its files have it, or with adapters in it.
        adapted: whether these were put into it since it was found to be sound.

    Raises:
        UserError: for the first such weight, with its file.
    """
    if unsound := first_unsound(model):
        name, value = unsound
        file = ADAPTERS if adapted else file_of_weight(spec, name) or "one of its files"
        raise UserError(
            f"Model {spec.name!r} cannot be loaded: the weight {name} in {file} has the number "
            f"{value}: {AGAIN}, or choose another one."
        )


def first_unsound(model: nn.Module, trained: bool = False) -> tuple[str, float] | None:
    """The name of the first weight with a number that is not finite, and that number.

    Args:
        model: any.
        trained: whether only what is trained is looked at.
    """
    for name, values in _numbers(model, trained):
        # Both are NaN where a number is; nothing of the size of the weight is made.
        for value in map(float, values.aminmax()):
            if not math.isfinite(value):
                return name, value
    return None


def _numbers(model: nn.Module, trained: bool) -> Iterator[tuple[str, Tensor]]:
    """The weights of a model that can be NaN, by name, and the means that some layers have learnt;
    of one that several ranks hold together what this one has."""
    learnt = ((n, b) for n, b in model.named_buffers() if ".running_" in f".{n}")
    weights = ((n, p) for n, p in model.named_parameters() if p.requires_grad or not trained)
    for name, weight in (*weights, *(() if trained else learnt)):
        values = own_part(weight.detach())
        # Numbers of eight bits and fewer have scales beside them, which are weights, too.
        tells = values.is_floating_point() and values.itemsize > 1 and not is_rounded(weight)
        if tells and values.numel() and values.device.type != "meta":
            yield name, values


def mark_lacking(model: nn.Module, missing: Iterable[str]) -> None:
    """Note on weights that the files lack that they do; copies of the model have the note, too."""
    weights = dict(model.named_parameters())
    for name in missing:
        if name in weights:
            setattr(weights[name], LACKING, name)


def check_lacking(spec: ModelSpec, trunk: nn.Module, states: Callable[[], Tensor]) -> None:
    """Refuse a model of whose states a weight is a part that its files lack.

    Others may be lacking: many files have no pooler, which nothing reads.

    Args:
        spec: the model.
        trunk: what was read of it.
        states: passes it.

    Raises:
        UserError: for such a weight.
    """
    weights = [p for p in trunk.parameters() if hasattr(p, LACKING) and p.is_floating_point()]
    if not weights:
        return
    trained = [weight.requires_grad for weight in weights]
    with torch.enable_grad():
        for weight in weights:
            weight.requires_grad_(True)
        parts = torch.autograd.grad(states().float().sum(), weights, allow_unused=True)
    for weight, before in zip(weights, trained, strict=True):
        weight.requires_grad_(before)
    needed = [
        getattr(w, LACKING) for w, part in zip(weights, parts, strict=True) if part is not None
    ]
    if needed:
        more = f" and {len(needed) - 1:,} others" if len(needed) > 1 else ""
        raise UserError(
            f"Model {spec.name!r} cannot be loaded: its files lack the weight {needed[0]}{more}, "
            f"which {CONFIG} asks for and which would be random: take files that belong together."
        )
