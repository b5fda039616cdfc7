"""What turns images into what a network reads: a model's own processor, once for each image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError, first_line
from weak2strong.models.alexnet import alexnet_processor
from weak2strong.models.batches import on_device
from weak2strong.models.beneath import beneath
from weak2strong.models.border import loading
from weak2strong.models.folders import location_of
from weak2strong.models.image_skeleton import config_of_images
from weak2strong.models.image_types import (
    channels_of,
    image_side,
    is_timm,
    is_weights_file,
    patches,
)
from weak2strong.models.reader import Batch, Given, Row
from weak2strong.models.stored_states import StoredStates
from weak2strong.tasks.image_files import opened
from weak2strong.tasks.task import Item

KEPT = 2**28
"""Bytes of images, as networks read them, that a process keeps: small ones are opened once."""

Processor = Any
"""Of Transformers: from images to numbers."""

OF_TIMM = "TimmWrapperImageProcessor"
"""What Transformers calls the processor of images for models of timm."""


class ImageRow(Sequence[int]):
    """An image as a row: its length is what it costs, and its numbers say which image it is."""

    def __init__(self, key: str, file: str, cost: int):
        self.key, self.file, self.cost = key, file, cost

    def __len__(self) -> int:
        return self.cost

    def __getitem__(self, place: Any) -> Any:
        return ((int(self.key, 16),) * self.cost)[place]


class Pixels:
    """Images as networks read them, which a process keeps as far as there is room.

    Those that came first stay: every epoch comes to all of them, so that no other order would find
    more.
    """

    def __init__(self, room: int):
        self._kept, self._room = dict[tuple[str, str], Tensor](), room

    def of(self, writing: str, key: str, read: Callable[[], Tensor]) -> Tensor:
        """An image, which is read if it is not kept.

        Args:
            writing: how images are written for a network.
            key: of the image.
            read: makes it.
        """
        found = self._kept.get((writing, key))
        if found is None:
            found = read()
            if found.nbytes <= self._room:
                self._kept[writing, key] = found
                self._room -= found.nbytes
        return found


_PIXELS = Pixels(KEPT)
"""What this process keeps."""


@dataclass
class ImageReader:
    """Reads images: a batch is their pixels alone, (b, c, h, w) float32.

    Attributes:
        processor: of the model.
        channels: 1 for grey images, 3 for colours.
        shape: of an image as the network reads it, (c, h, w).
        cost: of an image: its patches.
        name: of the model, for messages.
        stored: what the frozen trunk gave of images before, if that is kept.
    """

    processor: Processor
    channels: int
    shape: tuple[int, ...]
    cost: int
    name: str
    stored: StoredStates | None = None

    @property
    def longest(self) -> int:
        """The cost of an image, which is that of every other."""
        return self.cost

    @property
    def filler(self) -> None:
        """There is nothing to fill up: all images have one size."""
        return None

    def rows(self, items: Sequence[Item]) -> list[ImageRow]:
        """A row for each image, which is opened when it is part of a batch."""
        return [ImageRow(item.text, item.file, self.cost) for item in items]

    def blank(self, count: int, length: int) -> list[ImageRow]:
        """Black images."""
        return [ImageRow("0", "", self.cost)] * count

    def given(self, rows: Sequence[Row]) -> Given | None:
        """What the frozen trunk gave of all of these images before; None where one is to pass."""
        if self.stored is None:
            return None
        return self.stored.given([row.key for row in cast(Sequence[ImageRow], rows)])

    def batch(self, rows: Sequence[Row], device: torch.device) -> Batch:
        """Their pixels.

        Raises:
            UserError: where an image cannot be read any more.
        """
        written = [
            _PIXELS.of(self._writing, row.key, lambda row=row: self._new(row))
            for row in cast(Sequence[ImageRow], rows)
        ]
        return (on_device(torch.stack(written), device),)

    def save(self, folder: Path) -> None:
        """Write the image processor; that of timm is part of a model's configuration."""
        if type(self.processor).__name__ != OF_TIMM:
            self.processor.save_pretrained(folder)

    @cached_property
    def _writing(self) -> str:
        """What tells how images are written from all other ways."""
        return f"{self.processor} {self.channels}"

    def _new(self, row: ImageRow) -> Tensor:
        """An image as the network reads it, (c, h, w)."""
        return self._read(row.file) if row.file else torch.zeros(self.shape)

    def _read(self, file: str) -> Tensor:
        pixels = processed(self.processor, array_of(file, self.channels), self.name)
        if tuple(pixels.shape) != self.shape:
            raise UserError(
                f"The image processor of model {self.name!r} makes {tuple(pixels.shape)} numbers "
                f"of image {file} and {self.shape} of a square one, so that they do not pass "
                "together: set do_center_crop, or a size with height and width, in its "
                "preprocessor_config.json."
            )
        return pixels


def array_of(file: str, channels: int) -> np.ndarray:
    """An image as numbers from 0 to 255, (h, w, channels) uint8."""
    image = opened(file).convert("L" if channels == 1 else "RGB")
    return np.asarray(image).reshape(image.height, image.width, channels)


def processed(processor: Processor, image: np.ndarray, name: str) -> Tensor:
    """What a processor makes of an image (h, w, c): (c, h, w) float32.

    Raises:
        UserError: where it cannot.
    """
    from PIL import Image

    try:
        if type(processor).__name__ == OF_TIMM:
            # It takes pictures alone, and says by itself in which order their numbers are.
            shown = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
            made = processor(images=[shown])
        else:
            made = processor(images=[image], return_tensors="pt", input_data_format="channels_last")
        return torch.as_tensor(made["pixel_values"])[0].float()
    # A processor's faults are its own, of any kind: sizes, colours, options that it lacks.
    except Exception as e:
        raise UserError(
            f"The image processor of model {name!r} cannot read an image of the shape "
            f"{image.shape} ({first_line(e)}): choose another model."
        ) from e


def reader_of_images(spec: ModelSpec) -> ImageReader:
    """What reads images for a model; its weights are not read.

    Raises:
        UserError: where its processor cannot be loaded or used.
    """
    config = config_of_images(spec)
    processor = alexnet_processor() if is_weights_file(spec) else load_processor(spec, config)
    channels, side = channels_of(config), image_side(config)
    square = np.zeros((side, side, channels), dtype=np.uint8)
    pixels = processed(processor, square, spec.name)
    if not pixels.isfinite().all():
        raise UserError(
            f"The image processor of model {spec.name!r} makes numbers of an image that are not "
            "finite (NaN or infinite): look at mean and scale in its preprocessor_config.json."
        )
    shape = tuple(pixels.shape)
    return ImageReader(processor, channels, shape, patches(config, *shape[1:]), spec.name)


def load_processor(spec: ModelSpec, config: Any) -> Processor:
    """A model's image processor.

    It computes with Pillow wherever it can, so that numbers do not depend on what else is
    installed.

    Raises:
        UserError: where Transformers cannot load it.
    """
    from transformers import AutoImageProcessor

    of = beneath(spec)
    options = {"revision": of.revision, "trust_remote_code": spec.trust_remote_code}
    backend = {} if is_timm(config) else {"backend": "pil"}
    with loading(spec, "image processor"):
        return AutoImageProcessor.from_pretrained(location_of(of), **options, **backend)
