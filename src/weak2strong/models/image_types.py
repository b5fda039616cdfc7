"""Which models read images, and of which size, from what their name and configuration say; nothing
is loaded for it."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.models.folders import folder_of, stack_of
from weak2strong.models.hub import cached_file

WEIGHTS = (".pth", ".pt")
"""Endings of a file of weights alone (see `weak2strong.models.alexnet`)."""

TIMM = "timm/"
"""Who publishes the models of timm on the hub."""

PATCH = 16
"""Pixels of a side of a patch by which an image's cost is counted where a model has none."""

TYPES = frozenset(
    (
        "aimv2_vision_model",
        "beit",
        "bit",
        "clip",
        "clip_vision_model",
        "convnext",
        "convnextv2",
        "cvt",
        "data2vec-vision",
        "deit",
        "dinat",
        "dinov2",
        "dinov2_with_registers",
        "dinov3_convnext",
        "dinov3_vit",
        "efficientnet",
        "focalnet",
        "hgnet_v2",
        "hiera",
        "ijepa",
        "levit",
        "metaclip_2",
        "metaclip_2_vision_model",
        "mlcd",
        "mlcd_vision_model",
        "mobilenet_v1",
        "mobilenet_v2",
        "mobilevit",
        "mobilevitv2",
        "pixio",
        "poolformer",
        "pvt",
        "pvt_v2",
        "regnet",
        "resnet",
        "segformer",
        "siglip",
        "siglip_vision_model",
        "siglip2",
        "siglip2_vision_model",
        "swiftformer",
        "swin",
        "swinv2",
        "textnet",
        "timm_wrapper",
        "vit",
        "vit_msn",
    )
)
"""What Transformers calls the models of images that give states of one image without more. CLIP and
its like read texts, too; here they are read as what sees."""


def is_weights_file(spec: ModelSpec) -> bool:
    """Whether a model is a file of weights of a network of images."""
    return PurePath(spec.name).suffix.lower() in WEIGHTS


def reads_images(spec: ModelSpec) -> bool:
    """Whether a model reads images; of a hub id that is not here, its name has to say so."""
    if is_weights_file(spec) or spec.name.startswith(TIMM):
        return True
    file = _configuration(spec)
    return file is not None and _told_by(file, file.stat().st_mtime_ns)


def is_known(spec: ModelSpec) -> bool:
    """Whether the configuration of a model is here, or its name says what it reads."""
    named = is_weights_file(spec) or spec.name.startswith(TIMM)
    return named or _configuration(spec) is not None


def _configuration(spec: ModelSpec) -> Path | None:
    """The file of a model's configuration, if it is here."""
    below, _ = stack_of(spec)
    folder = folder_of(below)
    file = folder / "config.json" if folder else cached_file(below, "config.json")
    return file if file is not None and file.is_file() else None


@cache
def _told_by(file: Path, stamp: int) -> bool:
    """Whether a configuration is one of a model of images, read anew where the time has changed."""
    try:
        config: Any = json.loads(file.read_text(encoding="utf-8"))
    # Whoever loads the model says what is wrong.
    except (OSError, ValueError, RecursionError):
        return False
    if not isinstance(config, dict):
        return False
    return config.get("model_type") in TYPES or is_timm_config(config)


def is_timm_config(config: Any) -> bool:
    """Whether timm wrote a configuration."""
    return "pretrained_cfg" in config or {"architecture", "num_features"} <= set(config)


def is_timm(config: Any) -> bool:
    """Whether timm makes the model of a configuration of Transformers."""
    return getattr(config, "model_type", "") == "timm_wrapper"


def vision_config(config: Any) -> Any:
    """The configuration of that part."""
    return getattr(config, "vision_config", None) or config


def image_layers(config: Any) -> int:
    """How many layers a model of images has: blocks, or the stages of a network with a map."""
    config = vision_config(config)
    if is_timm(config):
        from weak2strong.models.timm_layers import timm_layers

        return timm_layers(config)
    for name in ("num_hidden_layers", "num_stages"):
        if isinstance(count := getattr(config, name, None), int):
            return count
    depths = getattr(config, "depths", None)
    return len(depths) if depths else 1


def patches(config: Any, height: int, width: int) -> int:
    """What an image costs: its patches, or for a network that has a map as many as a ViT's."""
    config = vision_config(config)
    size = getattr(config, "patch_size", None)
    if not isinstance(size, int) or size < 1 or hasattr(config, "depths"):
        size = PATCH
    return max(1, math.ceil(height / size) * math.ceil(width / size))


def channels_of(config: Any) -> int:
    """How many channels an image has for a model: 1 or 3."""
    if is_timm(config):
        return 1 if _timm_input(config)[0] == 1 else 3
    return 1 if getattr(vision_config(config), "num_channels", 3) == 1 else 3


def image_side(config: Any) -> int:
    """Pixels of a side of the images that a model was made for, as far as it says that."""
    size = getattr(vision_config(config), "image_size", 224)
    if is_timm(config):
        size = _timm_input(config)[1]
    size = size[0] if isinstance(size, (list, tuple)) else size
    return size if isinstance(size, int) and size > 0 else 224


def _timm_input(config: Any) -> tuple[int, int]:
    """Channels and height of the images that a model of timm was made for."""
    size = (getattr(config, "pretrained_cfg", None) or {}).get("input_size") or (3, 224, 224)
    return size[0], size[1]
