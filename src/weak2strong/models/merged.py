"""Adapters of PEFT, put into the weights of the model that they stand on.

A model is read as its trunk, or with its output layer, while adapters may have been trained on it
in another class: as a language model, with a head, or as a trunk. Names of their layers differ by
what that class puts before those of the trunk. PEFT is shown the model by the names that the
adapters know, so that it finds their layers as it did when they were trained. What belongs to a
head, or to an output layer that is not read, is left out.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from weak2strong.ground.errors import UserError, first_line
from weak2strong.models.folders import ADAPTERS

BEFORE = "base_model.model."
"""What PEFT puts before all names."""

NAME = "default"
"""What PEFT calls the adapters meanwhile."""

FAULTS = (
    AttributeError,
    ImportError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SafetensorError,
    TypeError,
    UserWarning,
    ValueError,
)
"""What PEFT raises for adapters that it cannot read, or that fit no layer of a model."""


def merge(model: Any, folder: Path) -> None:
    """Put the adapters in a folder into a model's weights, in place and in their precision.

    Args:
        model: of Transformers, a trunk or one with an output layer.
        folder: with adapters.

    Raises:
        UserError: where they are no change of weights, or do not fit the model.
    """
    kinds, usual = {name: p.dtype for name, p in model.named_parameters()}, model.dtype
    with _putting(folder):
        config, weights = _read(folder)
        shown = _shown(model, weights)
        weights = {k: v for k, v in weights.items() if _root(k) in dict(shown.named_children())}
        if _untie(shown, weights):
            model.config.tie_word_embeddings = False
        _put(shown, config, weights)
    _replace(model, shown)
    for name, p in model.named_parameters():
        p.data = p.data.to(kinds.get(name, usual))
    model.requires_grad_(True)


def check_adapters(folder: Path) -> None:
    """Refuse adapters that cannot be read, or are no change of weights; no model is looked at.

    Raises:
        UserError: for such adapters.
    """
    with _putting(folder):
        _read(folder)


@contextmanager
def _putting(folder: Path) -> Iterator[None]:
    """Make a sentence of what is wrong with adapters."""
    try:
        yield
    except FAULTS as e:
        raise UserError(
            f"The adapters in {folder} cannot be put into the weights of the model that they "
            f"stand on ({first_line(e).rstrip('.')}): merge them with the PEFT that made them, "
            "save the model to a folder, and give that folder."
        ) from e


def _read(folder: Path) -> tuple[Any, dict[str, Tensor]]:
    """The configuration of adapters, and their weights by the names of the layers."""
    from peft import PeftConfig
    from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING

    with warnings.catch_warnings():
        # A setting that is not known could change what the adapters do.
        warnings.filterwarnings("error", message="Unexpected keyword arguments")
        config = PeftConfig.from_pretrained(str(folder))
    if config.is_prompt_learning or config.peft_type not in PEFT_TYPE_TO_TUNER_MAPPING:
        raise ValueError(f"what {config.peft_type} learns is no change of weights")
    weights = load_file(folder / ADAPTERS)
    return config, {name.removeprefix(BEFORE): value for name, value in weights.items()}


def _root(name: str) -> str:
    return name.partition(".")[0]


def _shown(model: Any, weights: Mapping[str, Tensor]) -> nn.Module:
    """The model by the names that its adapters know: theirs may be those of a trunk, or of a model
    around it."""
    trunk, roots = model.base_model, {_root(name) for name in weights}
    shown = nn.Module()
    children = dict(trunk.named_children())
    if not roots <= children.keys():
        before = next((n for n in (model.base_model_prefix, "model") if n in roots), None)
        if before is None:
            raise ValueError(f"it has no layer {min(roots - children.keys())!r}")
        around = {} if trunk is model else dict(model.named_children())
        children = {**around, before: trunk}
    for name, child in children.items():
        shown.add_module(name, child)
    return shown


def _replace(model: Any, shown: nn.Module) -> None:
    """Put back what PEFT has put in place of a layer that stands right in what it was shown."""
    trunk = model.base_model
    children = dict(shown.named_children())
    owner = model if any(child is trunk for child in children.values()) else trunk
    for name, child in children.items():
        if child is not trunk:
            setattr(owner, name, child)


def _untie(shown: nn.Module, weights: Mapping[str, Tensor]) -> bool:
    """Give layers weights of their own that share them with others, and have adapters; whether
    there were any."""
    untied = False
    modules = dict(shown.named_modules())
    direct = [p for m in modules.values() for p in m.parameters(recurse=False)]
    times = Counter(id(p) for p in direct)
    for name, module in modules.items():
        if not any(key.startswith(f"{name}.") for key in weights):
            continue
        for own, p in module.named_parameters(recurse=False):
            if times[id(p)] > 1:
                setattr(module, own, nn.Parameter(p.detach().clone()))
                untied = True
    return untied


def _put(shown: nn.Module, config: Any, weights: Mapping[str, Tensor]) -> None:
    """Let PEFT put adapters on what it is shown, read their weights, and merge them."""
    from peft import set_peft_model_state_dict
    from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING

    config.inference_mode = False
    if getattr(config, "modules_to_save", None):
        parts = {part for name in weights for part in name.split(".")}
        config.modules_to_save = [n for n in config.modules_to_save if n in parts] or None
    # First weights of adapters are drawn, by the global generator.
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuner: Any = PEFT_TYPE_TO_TUNER_MAPPING[config.peft_type](shown, {NAME: config}, NAME)
        if hasattr(tuner, "_cast_adapter_dtype"):
            # In half precision products of adapters would be rounded, too.
            tuner._cast_adapter_dtype(adapter_name=NAME, autocast_adapter_dtype=True)
        trained = {name for name, p in shown.named_parameters() if p.requires_grad}
        found = set_peft_model_state_dict(shown, dict(weights), NAME)
        wrong = [*found.unexpected_keys, *sorted(trained & {*found.missing_keys})]
        if wrong:
            raise ValueError(f"{wrong[0]} is in one of the two only")
        tuner.merge_and_unload()
