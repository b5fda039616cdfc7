"""How much memory a training takes: what rests in it, and what a forward pass leaves for backward.

Resting memory follows from numbers of parameters alone; activations are measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from weakref import WeakSet

import torch
from torch import nn

from weak2strong.config.model import ModelSpec, OptimizerStates, TrainedWeights
from weak2strong.models.adapted import adapted_layers
from weak2strong.models.border import loading
from weak2strong.models.capacity import device_bytes
from weak2strong.models.configuration import load_config
from weak2strong.models.few_bits import bytes_of
from weak2strong.models.lengths import LONGEST
from weak2strong.models.quantisation import quantised
from weak2strong.models.ranks import own_part
from weak2strong.models.reads import reads
from weak2strong.models.text_part import text_part

MOMENTS: Mapping[OptimizerStates, float] = {"float32": 8, "8-bit": 2 + 2 * 4 / 256}
"""Bytes of a trained parameter's two moments; those of 8 bits have a scale for each 256."""

SMALL = 4096
"""Numbers of a weight below which its moments are float32 in any case."""

GATHERED = 3
"""How often the weights of one layer are in the memory of a rank, their gradients included."""

USABLE = {"cpu": 0.5, "other": 0.85}
"""Share of a device's memory that a training may fill: a CPU's serves others too."""

SPARE = 1.5
"""Room for gradients of activations and for work space, as a multiple of what is measured."""


def resting_bytes(
    adaptation: Literal["full", "lora", "head"],
    trunk: int,
    adapters: int = 0,
    frozen: float = 2,
    weights: TrainedWeights = "float32",
    states: OptimizerStates = "float32",
) -> int:
    """Weights, gradients and optimiser state of a training, without activations.

    What is trained takes 16 bytes a parameter by default, four float32 numbers; what is frozen
    takes its weights only. The classification head, a few thousand parameters, is
    left out.

    Args:
        adaptation: train the trunk whole, low-rank adapters in it, or nothing of it.
        trunk: its number of parameters.
        adapters: number of parameters of the adapters; only LoRA has them.
        frozen: bytes of a frozen parameter, on average: 2 in bfloat16, 4 in float32, and less where
            linear layers are of few bits (see `frozen_bytes`).
        weights: what a trunk that is trained whole is kept in; adapters are float32.
        states: what AdamW's moments are kept in.
    """
    moments = MOMENTS[states]
    if adaptation == "full":
        return round((2 * (2 if weights == "bfloat16" else 4) + moments) * trunk)
    return round(frozen * trunk) + (round((8 + moments) * adapters) if adaptation == "lora" else 0)


def frozen_bytes(spec: ModelSpec, trunk: int, rounded: int, plain: int) -> float:
    """Bytes of a parameter of a trunk that is not trained, on average.

    Args:
        spec: the model.
        trunk: its number of parameters.
        rounded: those of them that few bits would hold (see `roundable`).
        plain: bytes of one in the precision of the arithmetic.
    """
    few = quantised(spec)
    if few is None or few.bytes is None:
        return plain
    return plain - (plain - few.bytes) * rounded / trunk


def roundable(trunk: nn.Module) -> int:
    """Numbers in the layers that are kept in few bits; a trunk on the meta device will do."""
    names = adapted_layers(trunk)
    return sum(trunk.get_submodule(name).weight.numel() for name in names)  # pyright: ignore


def adapter_parameters(trunk: nn.Module, rank: int) -> int:
    """Parameters of adapters of a rank on all adapted layers; a trunk on the meta device will do.

    A layer of widths m and n gets two matrices, m x rank and rank x n (Hu et al. 2021).
    """
    shapes = [trunk.get_submodule(name).weight.shape for name in adapted_layers(trunk)]
    return rank * sum(sum(shape) for shape in shapes)  # pyright: ignore


def training_bytes(network: nn.Module, states: OptimizerStates = "float32") -> int:
    """The same of a network that is there: what is frozen in it takes its weights only.

    Of a network that is cut over several ranks, it is the part that this one holds.
    """
    own = ((p.requires_grad, own_part(p)) for p in network.parameters())
    return sum(_trained_bytes(p, states) if trained else bytes_of(p) for trained, p in own)


def _trained_bytes(p: torch.Tensor, states: OptimizerStates) -> int:
    """Of a trained weight, of its gradient and of AdamW's moments."""
    moments = MOMENTS[states if p.numel() >= SMALL else "float32"]
    # Copies of wider numbers than float32 are made for tests alone.
    return 2 * min(p.nbytes, 4 * p.numel()) + round(moments * p.numel())


def gathered_bytes(network: nn.Module) -> int:
    """What a rank holds at once of weights that are cut over several: of the largest layer its
    weights and their gradients, and the weights of the next one."""
    from torch.distributed.fsdp import FSDPModule

    layers = [m for m in network.modules() if isinstance(m, FSDPModule)]
    inner = [m for m in layers if sum(isinstance(p, FSDPModule) for p in m.modules()) == 1]
    return GATHERED * max((sum(p.nbytes for p in m.parameters()) for m in inner), default=0)


def skeleton(spec: ModelSpec, loader: Any = None) -> Any:
    """A model without weights, from its configuration: it tells shapes for no memory.

    Args:
        spec: the model.
        loader: a class of Transformers; by default ``AutoModel``, which makes the trunk, of which
            the part is returned that the model reads with.

    Raises:
        UserError: where Transformers does not know such a model.
    """
    from transformers import AutoModel

    if loader is None and reads(spec) == "images":
        from weak2strong.models.image_skeleton import image_skeleton

        return image_skeleton(spec)
    config = load_config(spec)
    with loading(spec, "configuration"), torch.device("meta"):
        make = (loader or AutoModel).from_config
        model = make(config, trust_remote_code=spec.trust_remote_code)
    return model if loader else text_part(model)


def count(module: nn.Module) -> int:
    """Number of parameters; a shared one counts once."""
    return sum(p.numel() for p in module.parameters())


def multiplied(module: nn.Module) -> int:
    """Number of parameters that stand in products with the states of every token.

    These are the matrices outside embeddings, which are looked up. A layer that a model uses
    several times counts once.
    """
    embeddings = {m.weight for m in module.modules() if isinstance(m, nn.Embedding)}
    return sum(p.numel() for p in module.parameters() if p.ndim > 1 and p not in embeddings)


def activation_bytes(network: Any, tokens: int, longest: int = LONGEST) -> int:
    """What the forward pass of a micro-batch of texts keeps for the backward pass, in bytes.

    The texts are as long as they get, which is the worst case for a number of tokens.

    Args:
        network: takes token ids and mask, both (b, t), as `Network` does.
        tokens: of the micro-batch; rounded up to whole texts.
        longest: tokens of a text.
    """
    length, device = min(tokens, longest), next(network.parameters()).device
    ids = torch.zeros(math.ceil(tokens / length), length, dtype=torch.long, device=device)
    return kept_bytes(network, (ids, torch.ones_like(ids)))


def kept_bytes(network: Any, batch: Sequence[Any]) -> int:
    """What a forward pass keeps for the backward pass, in bytes.

    Measured, on the device and in the precision that the network is called in:
    every storage saved for gradients counts once, weights and buffers do not.

    Args:
        network: that is called.
        batch: what it is called with.
    """
    own = [own_part(tensor) for tensor in (*network.parameters(), *network.buffers())]
    weights = {tensor.untyped_storage().data_ptr() for tensor in own}
    held: WeakSet[_Held] = WeakSet()

    def keep(tensor: torch.Tensor) -> _Held:
        # Detached: an output that its own node holds would never be freed.
        held.add(saved := _Held(tensor.detach()))
        return saved

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x.tensor):
        outputs = network(*batch)
    # What no output depends on (such as an encoder's unused pooler) is gone by now.
    storages = [saved.tensor.untyped_storage() for saved in held]
    del outputs
    kept = {storage.data_ptr(): storage.nbytes() for storage in storages}
    return sum(size for pointer, size in kept.items() if pointer not in weights)


class _Held:
    """A tensor saved for backward, for as long as the graph wants it."""

    def __init__(self, tensor: torch.Tensor):
        self.tensor = tensor


def usable_bytes(device: torch.device) -> float:
    """The part of a device's memory that a training may fill."""
    return USABLE["cpu" if device.type == "cpu" else "other"] * device_bytes(device)
