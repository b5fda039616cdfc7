"""Models of images without their weights, from their configuration alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from weak2strong.config.model import ModelSpec
from weak2strong.models.alexnet import AlexNet, alexnet_config
from weak2strong.models.border import loading
from weak2strong.models.configuration import load_config
from weak2strong.models.image_types import is_weights_file
from weak2strong.models.vision import vision_part


def config_of_images(spec: ModelSpec) -> Any:
    """The configuration of a model of images.

    Raises:
        UserError: where Transformers cannot load it.
    """
    return alexnet_config() if is_weights_file(spec) else load_config(spec)


def image_skeleton(spec: ModelSpec) -> nn.Module:
    """The part of a model that reads images, on PyTorch's device for shapes alone.

    Raises:
        UserError: where Transformers does not know such a model.
    """
    from transformers import AutoModel

    config = config_of_images(spec)
    with loading(spec, "configuration"), torch.device("meta"):
        if is_weights_file(spec):
            return AlexNet()
        return vision_part(AutoModel.from_config(config, trust_remote_code=spec.trust_remote_code))
