"""The weights of a model: read from its files, or copied from what this process keeps."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Hashable
from functools import cache
from typing import Any

import torch
from torch import nn

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.beneath import adapters_of, beneath
from weak2strong.models.border import loading
from weak2strong.models.configuration import has_output_layer, load_config, load_tokenizer
from weak2strong.models.counts import check_left_out
from weak2strong.models.few_bits import (
    is_rounded,
    loading_few_bits,
    pass_widened,
    rounding_options,
    same_weight,
)
from weak2strong.models.folders import location_of
from weak2strong.models.kept import KEPT, States
from weak2strong.models.layers import layer_names
from weak2strong.models.merged import merge
from weak2strong.models.needs import skeleton
from weak2strong.models.pickled import readable
from weak2strong.models.precision import precision_of
from weak2strong.models.quantisation import quantised
from weak2strong.models.ranks import ALONE, Ranks, add_up_gradients_of, loading_options
from weak2strong.models.resolve import fingerprint
from weak2strong.models.sound import check_finite, mark_lacking


def read_weights(
    spec: ModelSpec, loader: Any, device: torch.device, ranks: Ranks = ALONE
) -> tuple[Any, set[str]]:
    """A model by a class of Transformers, to be changed at will, and the weights its files lack.

    Where this process keeps models (see `weak2strong.models.kept`), it is a copy of one that is
    kept: with weights of its own if it is to be trained whole, otherwise one that shares them, as
    they stay as they are. Its numbers are those of a model that was just read.

    Args:
        spec: with its adaptation decided (see `weak2strong.models.resolve.resolve_model`).
        loader: such as ``AutoModel``.
        device: that the model will be moved to.
        ranks: that hold it together; each reads its own rows of every weight, and keeps nothing.

    Raises:
        UserError: where Transformers cannot load it.
    """
    trained, dtype = spec.adaptation == "full", _kept_in(spec, device)
    less = dtype != torch.float32 or spec.optimizer_states != "float32"
    if ranks.several and trained and less:
        raise UserError(
            f"Model {spec.name!r}: trained_weights and optimizer_states that take less memory are "
            "for fits on one GPU: leave them out, or set gpus_per_fit to 1."
        )
    if ranks.several and quantised(spec):
        raise UserError(
            f"Model {spec.name!r}: weights of few bits are for fits on one GPU: set gpus_per_fit "
            "to 1, or choose a model without them."
        )
    if ranks.several or not KEPT.is_open:
        return from_files(spec, loader, dtype, ranks)
    reader, name = _kept_as(spec, loader, dtype)
    model, missing = KEPT.model(name, lambda: from_files(spec, reader, dtype))
    part = model if reader is loader else model.base_model
    if not KEPT.make_room(name, copied=trained):
        return part, missing
    if trained:
        _pin(part, device)
    elif not _moved(part, device, name):
        return part, missing
    return fresh_copy(part, device, shared=not trained), missing


def check_output_layer(spec: ModelSpec, whole: Any, missing: set[str]) -> None:
    """Refuse a language model without weights of its output layer, which would be random.

    Args:
        spec: the model.
        whole: it as `read_weights` gave it.
        missing: what its files lack, likewise.

    Raises:
        UserError: for such a model. One whose output layer is its embedding lacks nothing.
    """
    output = whole.get_output_embeddings()
    names = [name for name, module in whole.named_modules() if module is output]
    if any(f"{name}.weight" in missing for name in names):
        raise UserError(
            f"Model {spec.name!r} was saved without its output layer, so that it cannot be "
            "prompted: choose the model that it was trained from, or a method without prompts."
        )


def frozen_states(
    spec: ModelSpec, loader: Any, device: torch.device, ranks: Ranks = ALONE
) -> States | None:
    """What the trunk of a model that is not trained has made of texts so far, if it is kept.

    Args:
        spec: as in `read_weights`, which has given the model.
        loader: likewise.
        device: likewise.
        ranks: likewise.
    """
    if ranks.several or not KEPT.is_open or spec.adaptation != "head":
        return None
    _, name = _kept_as(spec, loader, _kept_in(spec, device))
    return KEPT.states(name, f"{spec.pooling} {spec.packing}")


def _kept_as(spec: ModelSpec, loader: Any, dtype: torch.dtype) -> tuple[Any, Hashable]:
    """The class of Transformers by which a model is kept, and its name among those."""
    from transformers import AutoModel, AutoModelForCausalLM

    weights = fingerprint(spec)
    only_trunk = loader is AutoModel and _has_trunk(spec, weights)
    reader = AutoModelForCausalLM if only_trunk else loader
    form = (reader.__name__, dtype, spec.precision == "4bit")
    return reader, (weights, location_of(spec), spec.trust_remote_code, *form)


def read_tokenizer(spec: ModelSpec) -> Any:
    """A model's tokenizer (see `load_tokenizer`), which nobody is to change: it may be kept.

    Raises:
        UserError: where Transformers cannot load it.
    """
    if not KEPT.is_open:
        return load_tokenizer(spec)
    name = (fingerprint(spec), location_of(spec), spec.trust_remote_code)
    return KEPT.tokenizer(name, lambda: load_tokenizer(spec))


def from_files(
    spec: ModelSpec, loader: Any, dtype: torch.dtype, ranks: Ranks = ALONE
) -> tuple[Any, set[str]]:
    """A model as its files have it, and the weights that these lack; see `read_weights`."""
    layers = layer_names(skeleton(spec, loader)) if ranks.several else ()
    of, folders = beneath(spec), adapters_of(spec)
    if folders and ranks.several:
        raise UserError(
            f"Model {spec.name!r} has adapters of its own, which are not put into a model on "
            "several GPUs: merge them with PEFT (merge_and_unload), save the model to a folder, "
            "and give that folder."
        )
    rounded = spec.precision == "4bit"
    rounding = rounding_options(skeleton(spec, loader), dtype) if rounded else {}
    read = readable(of)
    with loading(spec), loading_few_bits(spec):
        model, info = loader.from_pretrained(
            location_of(read),
            revision=read.revision,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=spec.trust_remote_code,
            output_loading_info=True,
            **loading_options(ranks, layers),
            **rounding,
        )
    check_finite(spec, model)
    check_left_out(spec, model, info["unexpected_keys"])
    for folder in folders:
        merge(model, folder)
        check_finite(spec, model, adapted=True)
    if ranks.several:
        add_up_gradients_of(model)
    _fuse(model)
    missing = set(info["missing_keys"])
    mark_lacking(model, missing)
    pass_widened(model, missing, spec.name)
    return model, missing


def _kept_in(spec: ModelSpec, device: torch.device) -> torch.dtype:
    """The type of a model's weights."""
    if spec.adaptation != "full":
        return precision_of(spec, device)
    # Small steps are not rounded away in float32; in bfloat16 they are rounded at random.
    return getattr(torch, spec.trained_weights)


def fresh_copy(model: Any, device: torch.device, shared: bool) -> Any:
    """A copy of a model that knows nothing of it: modules, buffers, hooks and flags are its own.

    Args:
        model: of Transformers.
        device: of the copy's weights, where they are its own.
        shared: whether the copy has the same weights in memory, each as a parameter of its own.
            What is tied in the model is tied in the copy.
    """
    memo = dict[int, Any]()
    for weight in model.parameters():
        if is_rounded(weight):
            # It is never trained, so that nothing needs numbers of its own.
            memo[id(weight)] = same_weight(weight, memo)
            continue
        values = weight.detach()
        if not shared:
            values = values.to(device, copy=True, non_blocking=True)
        memo[id(weight)] = nn.Parameter(values, weight.requires_grad)
        memo[id(weight)].__dict__.update(weight.__dict__)
    return copy.deepcopy(model, memo)


@cache
def _has_trunk(spec: ModelSpec, weights: str) -> bool:
    """Whether a language model's files serve for its trunk alone, too, so that all is read once.

    What the output layer takes then waits in the machine's memory, where it is not the embedding.
    """
    from transformers import AutoModelForCausalLM

    if spec.trust_remote_code or not has_output_layer(load_config(spec)):
        return False
    return type(skeleton(spec, AutoModelForCausalLM).base_model) is type(skeleton(spec))


def _moved(part: Any, device: torch.device, name: Any) -> bool:
    """Move what is kept to a device, if need be in place of all else; whether it has room."""
    for alone in (False, True):
        try:
            part.to(device)
            return True
        except torch.OutOfMemoryError:
            part.to("cpu")
            if not alone:
                KEPT.keep_only(name)
                torch.cuda.empty_cache()
    return False


def _pin(part: Any, device: torch.device) -> None:
    """Let CUDA copy kept weights without the processor, which is several times as fast."""
    if device.type != "cuda":
        return
    for weight in part.parameters():
        if weight.device.type == "cpu" and not weight.is_pinned():
            # The system may not allow so much; then copying is slower, and nothing else.
            with contextlib.suppress(RuntimeError):
                weight.data = weight.data.pin_memory()


def _fuse(model: nn.Module) -> None:
    """Put PyTorch's own GELU where GPT-2's is written out in eight operations; in place."""
    from transformers.activations import NewGELUActivation

    for module in model.modules():
        for name, part in module.named_children():
            if isinstance(part, NewGELUActivation):
                setattr(module, name, nn.GELU(approximate="tanh"))
