"""Layers of models of timm, whose configurations do not tell them.

A layer is one of the states that timm itself gives of a model (``forward_intermediates``): after
each block of a ViT, after the stem and each stage of a ResNet, after each stage of a ConvNeXt. The
first has the number 0, as timm gives nothing of the embeddings alone.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any


def timm_layers(config: Any) -> int:
    """The number of the last layer of a model of timm.

    Args:
        config: of Transformers, which names the architecture and the arguments that change it.
    """
    return _layers(config.architecture, json.dumps(config.model_args or {}, sort_keys=True))


@cache
def _layers(architecture: str, arguments: str) -> int:
    """By the model without its weights; 0 for one that gives none of its states."""
    import torch
    from timm import create_model  # pyright: ignore[reportMissingImports]

    with torch.device("meta"):
        model = create_model(architecture, pretrained=False, **json.loads(arguments))
    if not hasattr(model, "forward_intermediates"):
        return 0
    return max(0, len(model.feature_info) - 1)
