"""Models that read images: a trunk of Transformers or timm, or AlexNet, as one vector an image.

What of a model's answer is its vector goes by what the model does:

- the pooled state that it gives, where its files have all weights of what makes it (ConvNets take
  the mean over the map, DINOv2 and CLIP the normed first token, timm what its maker trained with);
- else the first token, where that stands for the whole image (ViT, DINO: their pooler is seldom
  among the weights that are published);
- else the mean over all patches or the whole map.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.config.model import ModelSpec, Pooling
from weak2strong.ground.errors import UserError
from weak2strong.models.image_types import image_layers, vision_config

FIRST_TOKENS = ("cls_token", "class_embedding", "class_token")
"""What a weight is called that makes a token for the whole image."""


class ImageTrunk(nn.Module):
    """Images (b, c, h, w), as the model's processor writes them, to one vector each, (b, d).

    Attributes:
        model: of Transformers.
        pooling: how the vector is taken (see `pooling_of`).
        special: how many tokens stand before the patches.
    """

    def __init__(self, model: nn.Module, pooling: Pooling):
        super().__init__()
        self.model, self.pooling, self.special = model, pooling, special_tokens(model)

    def _pool(self, output: Any) -> Tensor:
        """The vector of each image, (b, d), from what the model gives."""
        if self.pooling == "auto":
            return pooled_state(output, self.special)
        states = output[0]
        return first_state(states) if self.pooling == "cls" else mean_state(states, self.special)

    @property
    def config(self) -> Any:
        """The configuration of the model."""
        return self.model.config

    def forward(self, pixels: Tensor) -> Tensor:
        """The vector of each image, (b, d)."""
        return self._pool(self.model(pixel_values=self._as_weights(pixels)))

    def layers(self, pixels: Tensor, wanted: Sequence[int]) -> list[Tensor]:
        """One vector an image for each of these layers, (b, d), the last of them as by `forward`.

        Beneath the last one it is the mean over all tokens, or over the map.
        """
        count = image_layers(self.config)
        if all(layer == count for layer in wanted):
            return [self(pixels)] * len(wanted)
        output = self.model(pixel_values=self._as_weights(pixels), output_hidden_states=True)
        states = output.hidden_states
        return [
            self._pool(output) if layer == count else mean_state(states[layer]) for layer in wanted
        ]

    def _as_weights(self, pixels: Tensor) -> Tensor:
        """The images in the type of the first weight, as some models do not convert them."""
        weight = next(self.model.parameters())
        return pixels.to(weight.dtype) if weight.is_floating_point() else pixels


def vision_part(model: Any) -> Any:
    """The part of a model that reads images: of one that reads texts, too, its tower for them."""
    return getattr(model, "vision_model", model)


def pooling_of(model: nn.Module, missing: Collection[str], spec: ModelSpec) -> Pooling:
    """How the vector of an image is taken: ``auto`` if the pooled state of the model itself.

    Args:
        model: of Transformers.
        missing: the weights that its files lack.
        spec: whose pooling may be another than the model's own.

    Raises:
        UserError: for the first token of a model that has none, or the last one.
    """
    pooling: Pooling = spec.pooling
    if pooling == "last":
        raise UserError(
            f"Model {spec.name!r} reads images, whose last patch stands for nothing: choose "
            "another pooling than last."
        )
    special = special_tokens(model)
    if pooling == "cls" and not special:
        raise UserError(
            f"Model {spec.name!r} has no token for a whole image: choose another pooling than cls."
        )
    if pooling == "auto" and not any("pool" in name or "head." in name for name in missing):
        return "auto"
    return "cls" if special and pooling != "mean" else "mean"


def special_tokens(model: nn.Module) -> int:
    """How many tokens stand before the patches: that of the whole image, and registers."""
    of_timm = getattr(model, "timm_model", None)
    if of_timm is not None:
        return getattr(of_timm, "num_prefix_tokens", 0)
    names = [name.rpartition(".")[2] for name, _ in model.named_parameters()]
    if not any(name in FIRST_TOKENS for name in names):
        return 0
    more = getattr(vision_config(model.config), "num_register_tokens", 0)
    # DeiT learns from a second model by a token of its own.
    return 1 + (more if isinstance(more, int) else 0) + ("distillation_token" in names)


def pooled_state(output: Any, special: int) -> Tensor:
    """The vector that a model itself makes of an image, (b, d); else by `first_state` or mean."""
    pooled = getattr(output, "pooler_output", None)
    if pooled is not None:
        return pooled.flatten(1)
    return first_state(output[0]) if special else mean_state(output[0])


def first_state(states: Tensor) -> Tensor:
    """The state of the first token, (b, t, d) to (b, d)."""
    return states[:, 0]


def mean_state(states: Tensor, special: int = 0) -> Tensor:
    """The mean over patches (b, t, d), or over a map (b, d, h, w), float32 at least: (b, d)."""
    states = states.to(torch.promote_types(states.dtype, torch.float32))
    return states.flatten(2).mean(2) if states.ndim == 4 else states[:, special:].mean(1)
