"""What of a trunk is trained: all of it, low-rank adapters, or nothing; and what it remembers."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.adapted import adapted_layers
from weak2strong.models.few_bits import import_quietly, rounded_layers
from weak2strong.models.low_rank import pass_as_one
from weak2strong.models.needs import skeleton
from weak2strong.models.quantisation import quantised


def adapt(trunk: nn.Module, spec: ModelSpec, seed: int) -> nn.Module:
    """The trunk with everything frozen that the model's adaptation does not train.

    LoRA (Hu et al. 2021) is put on the layers of `adapted_layers`, so that no list of
    architectures has to be kept; its weights are float32 whatever the trunk's are.

    Args:
        trunk: of Transformers; it is changed in place.
        spec: with its adaptation decided (see `weak2strong.models.resolve.resolve_model`).
        seed: of the adapters' first weights.

    Raises:
        UserError: where adapters are asked for, and no layer can have one.
    """
    if spec.adaptation == "full":
        return trunk
    if spec.adaptation == "head":
        return trunk.requires_grad_(False)
    adapted = adapted_layers(_plain(trunk, spec))
    if not adapted:
        raise UserError(
            f"Model {spec.name!r} has no linear layers that low-rank adapters could be put on: "
            "choose adaptation full or head."
        )
    # PEFT imports it, too.
    import_quietly()
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=spec.lora_rank,
        lora_alpha=spec.lora_alpha,
        target_modules=[f"trunk.{name}" for name in adapted],
        lora_dropout=0.0,
    )
    # The library draws from the global generator.
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        torch.manual_seed(seed)
        # GPT-2 keeps its weights transposed; the library notices, and says so.
        warnings.filterwarnings("ignore", message="fan_in_fan_out")
        # Of a part without a configuration, or the library would take other layers than these.
        inject_adapter_in_model(config, _holder(trunk))
    for p in trunk.parameters():
        if p.requires_grad:
            p.data = p.data.float()
    pass_as_one(trunk)
    return trunk


def _plain(trunk: nn.Module, spec: ModelSpec) -> nn.Module:
    """The trunk as it is without few bits, by whose layers it is known where adapters go.

    Those of bitsandbytes are linear layers as PyTorch's are; those of other packages need not be.
    """
    few = quantised(spec)
    return trunk if few is None or few.method == "bitsandbytes" else skeleton(spec)


def _holder(trunk: nn.Module) -> nn.Module:
    """A module around a trunk, which tells PEFT of which bits its linear layers are."""
    holder: Any = nn.ModuleDict({"trunk": trunk})
    layers = list(rounded_layers(trunk))
    holder.is_loaded_in_4bit = any(hasattr(layer.weight, "quant_state") for layer in layers)
    holder.is_loaded_in_8bit = any(hasattr(layer.weight, "SCB") for layer in layers)
    return holder


def enable_checkpointing(trunk: nn.Module) -> int:
    """Make every layer forget its activations and compute them again for its gradients.

    Returns:
        How many layers do so; they are those that Transformers itself would checkpoint.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers = [m for m in trunk.modules() if isinstance(m, GradientCheckpointingLayer)]
    for layer in layers:
        # Not by the library's own switch: that works in training mode only, with dropout.
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
    return len(layers)
