"""Linear layers whose weights are kept in few bits by bitsandbytes: loaded, passed, and copied.

A layer's product is that of its weights as they stand for numbers: they are widened for each pass,
and once more for its gradients, so that neither is kept,

    y = x W' + b,   dL/dx = dL/dy W

The package's own products are quicker for one token, but depend on what else passes with a text:
those of 8 bits round states by the largest of a batch, those of 4 bits on some CPUs are others with
gradients than without.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.ground.hub import offline
from weak2strong.models.adapted import adapted_layers
from weak2strong.models.quantisation import quantised
from weak2strong.models.text_part import text_part

NF4_OPTIONS = {
    "load_in_4bit": True,
    "bnb_4bit_quant_type": "nf4",
    "bnb_4bit_use_double_quant": True,
}
"""What Transformers is told of weights of 4 bits."""

LAYERS = ("Linear4bit", "Linear8bitLt")
"""Classes of bitsandbytes' linear layers."""


@cache
def import_quietly() -> None:
    """Import bitsandbytes, where it is installed, without its news, and without the network.

    It would fetch code of the hub's, which nothing here uses, and tell where it could not.
    """
    log = logging.getLogger("bitsandbytes")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with offline(), suppress(ImportError):
            import bitsandbytes  # noqa: F401  # pyright: ignore
    finally:
        log.setLevel(before)


@contextmanager
def loading_few_bits(spec: ModelSpec) -> Iterator[None]:
    """Make ready for weights of few bits, and a sentence of what Transformers cannot draw of them.

    Raises:
        UserError: where a checkpoint of few bits lacks some that it would then draw at random.
    """
    if (few := quantised(spec)) is None:
        yield
        return
    import_quietly()
    try:
        yield
    except NotImplementedError as e:
        if not few.on_disk:
            raise
        raise UserError(
            f"Model {spec.name!r} cannot be loaded: its files lack weights that its config.json "
            "says are of few bits, such as those of an encoder's pooler. Take the plain model with "
            "precision 4bit, or another one."
        ) from e


def rounding_options(whole: Any, dtype: torch.dtype) -> dict[str, Any]:
    """How Transformers is asked to round a model's linear layers to 4 bits while it reads them.

    They are those that adapters are put on (see `adapted_layers`). The output layer, routed
    experts, and what is no linear layer stay as they are.

    Args:
        whole: the model without weights, by the class of Transformers that reads it.
        dtype: of what is not rounded.
    """
    from transformers import BitsAndBytesConfig
    from transformers.pytorch_utils import Conv1D

    part = text_part(whole.base_model)
    rounded = {part.get_submodule(name) for name in adapted_layers(part)}
    linear = ((n, m) for n, m in whole.named_modules() if isinstance(m, (nn.Linear, Conv1D)))
    # These are patterns, one of which would otherwise fit the ends of other names, too.
    left = [rf"{re.escape(name)}$" for name, module in linear if module not in rounded]
    config = BitsAndBytesConfig(
        **NF4_OPTIONS, bnb_4bit_compute_dtype=dtype, llm_int8_skip_modules=left
    )
    return {"quantization_config": config}


def plain_layers(trunk: nn.Module) -> list[str]:
    """The names of linear layers of a rounded trunk that are plain; adapters are none."""
    from transformers.pytorch_utils import Conv1D

    return [
        name
        for name, module in trunk.named_modules()
        if isinstance(module, (nn.Linear, Conv1D)) and not is_rounded(module.weight)
        if ".lora_" not in name
    ]


def pass_widened(model: Any, missing: Collection[str], told: str) -> None:
    """Let every layer of few bits give the product of its weights as they stand; in place.

    Args:
        model: of Transformers, as its files have it.
        missing: names of weights that the files lack, as those of a pooler that nothing reads.
        told: the name of the model.

    Raises:
        UserError: where its files have plain weights in place of those of few bits.
    """
    for name, module in list(model.named_modules()):
        if type(module).__name__ not in LAYERS or is_rounded(module.weight):
            continue
        if f"{name}.weight" not in missing:
            raise UserError(
                f"Model {told!r} cannot be loaded: its config.json says that its weights are of "
                f"few bits, and {name}.weight in its files is not: take quantization_config out "
                "of config.json, or choose another model."
            )
        model.set_submodule(name, _fresh(module, model.dtype))
    for layer in rounded_layers(model):
        weight: Any = layer.weight
        # A second name of the same numbers, which would stay behind where these are moved.
        if getattr(weight, "CB", None) is not None:
            weight.CB = None
        # A bound method would be copied with its first layer where a model is copied.
        layer.forward = partial(_forward, layer)  # pyright: ignore


def _fresh(layer: nn.Linear, dtype: torch.dtype) -> nn.Linear:
    """A plain layer of the same shape with random weights, the same ones each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        has_bias = layer.bias is not None
        plain = nn.Linear(layer.in_features, layer.out_features, has_bias, dtype=dtype)
    return plain.to(layer.weight.device).eval()


def rounded_layers(model: nn.Module) -> Iterator[nn.Linear]:
    """The layers of a model whose weights are of few bits."""
    for module in model.modules():
        if isinstance(module, nn.Linear) and is_rounded(module.weight):
            yield module


def has_few_bits(part: nn.Module) -> bool:
    """Whether any of a model's weights are of few bits, by whichever package."""
    configs = (getattr(module, "config", None) for module in part.modules())
    return any(getattr(config, "quantization_config", None) is not None for config in configs)


def is_rounded(weight: Any) -> bool:
    """Whether a weight is of few bits, and stands for numbers by the scales that it comes with."""
    return any(getattr(weight, name, None) is not None for name in ("quant_state", "SCB"))


def widened(layer: Any, dtype: torch.dtype) -> Tensor:
    """The numbers, (outputs, inputs), that a layer's weights of few bits stand for."""
    import_quietly()
    from bitsandbytes import functional as bits  # pyright: ignore

    weight = layer.weight
    if (state := getattr(weight, "quant_state", None)) is not None:
        # As one long row: on a CPU the package takes wrong scales for rows that blocks do not fill.
        row = copy.copy(state)
        row.shape = torch.Size([state.shape.numel()])
        return bits.dequantize_4bit(weight.data, row).reshape(state.shape).to(dtype)
    scales = weight.SCB.to(weight.device)
    return bits.int8_vectorwise_dequant(weight.data, scales).to(dtype)


def is_turned(layer: Any) -> bool:
    """Whether a layer of few bits stands where the plain model keeps its weights transposed."""
    from transformers.pytorch_utils import Conv1D

    return getattr(layer, "source_cls", None) is Conv1D


def widened_state(
    module: nn.Module, state: Mapping[str, Tensor], dtype: torch.dtype
) -> dict[str, Tensor]:
    """The state of a module without few bits: as it would be of the plain one."""
    found = dict(state)
    for name, layer in module.named_modules():
        if not (isinstance(layer, nn.Linear) and is_rounded(layer.weight)):
            continue
        before = f"{name}." if name else ""
        own = (f"{before}weight", f"{before}SCB", f"{before}weight_format")
        scales = f"{own[0]}."
        found = {k: v for k, v in found.items() if k not in own and not k.startswith(scales)}
        weight = widened(layer, dtype)
        found[own[0]] = weight.t().contiguous() if is_turned(layer) else weight
    return found


def without_bits(whole: Any) -> Any:
    """A model of the same class, without weights and few bits; itself, where it has no few bits."""
    if next(rounded_layers(whole), None) is None:
        return whole
    config = copy.deepcopy(whole.config)
    del config.quantization_config
    with torch.device("meta"):
        plain = type(whole)(config)
    plain.generation_config = whole.generation_config
    return plain


def bytes_of(weight: Any) -> int:
    """Bytes of a weight that is there, with its scales where it is of few bits."""
    state = getattr(weight, "quant_state", None)
    scales = [getattr(weight, "SCB", None)]
    while state is not None:
        scales += [state.absmax, state.code]
        state = state.state2
    return weight.nbytes + sum(scale.nbytes for scale in scales if scale is not None)


def same_weight(weight: Any, memo: dict[int, Any]) -> nn.Parameter:
    """A parameter of its own with the numbers of a weight of few bits, which are not copied.

    Args:
        weight: of a layer.
        memo: of a copy that is made (see `copy.deepcopy`); the scales, which are moved with a
            weight in place, are put into it.
    """
    own = torch.Tensor._make_subclass(type(weight), weight.detach(), False)
    own.__dict__.update(weight.__dict__)
    if (state := getattr(weight, "quant_state", None)) is not None:
        own.quant_state = memo[id(state)] = _same_scales(state)  # pyright: ignore
        own.module = None  # pyright: ignore[reportAttributeAccessIssue]
    return own  # pyright: ignore[reportReturnType]


def _same_scales(state: Any) -> Any:
    own = copy.copy(state)
    if state.state2 is not None:
        own.state2 = _same_scales(state.state2)
    return own


def _forward(layer: Any, states: Tensor) -> Tensor:
    """What a layer gives for states (..., inputs): (..., outputs)."""
    kind = states.device.type
    if torch.is_autocast_enabled(kind):
        states = states.to(torch.get_autocast_dtype(kind))
    bias = layer.bias
    return _Product.apply(states, layer, None if bias is None else bias.to(states.dtype))


class _Product(torch.autograd.Function):
    """States times the weights of a layer, which is no tensor that autograd would keep."""

    @staticmethod
    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, states: Tensor, layer: Any, bias: Tensor | None
    ) -> Tensor:
        """Of states (..., inputs) and a bias (outputs,): (..., outputs)."""
        ctx.layer = layer
        return functional.linear(states, widened(layer, states.dtype), bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The gradient of the states; what is frozen has none."""
        return grad @ widened(ctx.layer, grad.dtype), None, None
