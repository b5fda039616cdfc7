"""AlexNet, which neither Transformers nor timm has, from the file of weights of torchvision.

The network is that of Krizhevsky 2014 (*One weird trick for parallelizing convolutional neural
networks*, arXiv:1404.5997), whose weights for ImageNet torchvision publishes as
``alexnet-owt-*.pth``. Its vector of an image is what its last linear layer reads (4,096 numbers).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.ground.errors import UserError, first_line

WIDTH = 4096
"""Numbers of the vector of an image."""

TOLD_BY = ("features.0.weight", "classifier.6.weight")
"""Names of weights by which a file is known."""

SHORTER, SIDE = 256, 224
"""How images are written for it, as its publisher does: the shorter side, and the middle of it."""

BILINEAR = 2
"""Pillow's number for how images are made smaller, likewise."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours of its training images, likewise."""


class AlexNet(nn.Module):
    """The network without its last layer: images (b, 3, 224, 224) to vectors (b, 4096)."""

    def __init__(self) -> None:
        super().__init__()
        self.config = alexnet_config()
        self.features = nn.Sequential(
            *_convolution(3, 64, 11, stride=4, padding=2),
            nn.MaxPool2d(3, stride=2),
            *_convolution(64, 192, 5, padding=2),
            nn.MaxPool2d(3, stride=2),
            *_convolution(192, 384, 3, padding=1),
            *_convolution(384, 256, 3, padding=1),
            *_convolution(256, 256, 3, padding=1),
            nn.MaxPool2d(3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(256 * 6 * 6, WIDTH),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
        )

    def forward(self, pixel_values: Tensor, **_: Any) -> Any:
        """What Transformers' models give: the vector of each image as its pooled state."""
        maps = self.features(pixel_values)
        pooled = self.classifier(self.avgpool(maps).flatten(1))
        return SimpleNamespace(pooler_output=pooled)


def alexnet_config() -> Any:
    """What stands for its configuration."""
    return SimpleNamespace(
        model_type="alexnet", num_hidden_layers=1, image_size=SIDE, hidden_size=WIDTH
    )


def _convolution(inner: int, outer: int, size: int, **more: Any) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inner, outer, size, **more), nn.ReLU()


def read_alexnet(file: Path) -> tuple[AlexNet, Mapping[str, Tensor]]:
    """The network with the weights of a file, and those of its last layer, which it is without.

    The file is read as numbers alone, so that it cannot run code.

    Raises:
        UserError: where it cannot be read, or is of another network.
    """
    weights = _weights(file)
    if not all(name in weights for name in TOLD_BY):
        raise UserError(
            f"Model file {file} is not AlexNet as torchvision publishes it, the only network that "
            "is read from a single file: name a folder or a hub id for another one."
        )
    last = {name: weights.pop(f"classifier.6.{name}") for name in ("weight", "bias")}
    network = AlexNet()
    try:
        network.load_state_dict(weights)
    except RuntimeError as e:
        raise UserError(
            f"Model file {file} has other weights than AlexNet of torchvision: take the file "
            "alexnet-owt-7be5be79.pth as it was published."
        ) from e
    return network.eval(), last


def alexnet_processor() -> Any:
    """What writes images for it."""
    from transformers import CLIPImageProcessorPil

    return CLIPImageProcessorPil(
        size={"shortest_edge": SHORTER},
        crop_size={"height": SIDE, "width": SIDE},
        resample=BILINEAR,
        image_mean=list(MEAN),
        image_std=list(DEVIATION),
    )


def _weights(file: Path) -> dict[str, Tensor]:
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    # What is wrong with a file shows in errors of zip files, of pickles and of PyTorch.
    except Exception as e:
        raise UserError(
            f"Model file {file} cannot be read ({first_line(e)}): take it from where it is "
            "published once more."
        ) from e
    if not isinstance(found, dict):
        raise UserError(f"Model file {file} holds no weights by name: name another one.")
    return dict(found)
