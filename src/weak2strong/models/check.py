"""Whether a model is here, loads, and can be trained on this machine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import nn

from weak2strong.errors import UserError
from weak2strong.models.batches import LONGEST
from weak2strong.models.catalogue import listed
from weak2strong.models.hub import cached_file
from weak2strong.models.load import LoadedModel, best_device, is_decoder, load_model
from weak2strong.models.needs import (
    LORA_RANK,
    activation_bytes,
    adapter_parameters,
    count,
    device_bytes,
    resting_bytes,
)
from weak2strong.models.spec import ModelSpec, fingerprint, rungs

Adaptation = Literal["full", "lora", "head"]


@dataclass(frozen=True)
class Need:
    """Memory of a training with one adaptation, in bytes; activations are None if not measured."""

    adaptation: Adaptation
    resting: int
    activations: int | None

    @property
    def together(self) -> int:
        """All that is known to be needed."""
        return self.resting + (self.activations or 0)


@dataclass(frozen=True)
class Checked:
    """What was found out about a model.

    Attributes:
        place: where its files are, and where they were before it was loaded.
        architecture: class of its trunk.
        longest: tokens of the longest text it takes; None where it does not say.
        licence: as far as its card, or the catalogue, says.
        loaded: whether its weights were read; not where they are more than the memory.
        tokens: of the micro-batch whose activations are measured.
        device: where it runs.
        memory: of the device, in bytes.
        frozen: what weights are kept in that are not trained.
        needs: for each adaptation.
    """

    place: str
    architecture: str
    decoder: bool
    parameters: int
    width: int
    layers: int
    longest: int | None
    licence: str
    loaded: bool
    tokens: int
    device: str
    memory: int
    frozen: str
    needs: tuple[Need, ...]


def check(spec: ModelSpec, tokens: int | None = None) -> Checked:
    """Load a model as a run would, fetching it where it is not here yet, and measure it.

    Args:
        spec: the model.
        tokens: of a micro-batch; by default one text as long as the model takes.

    Raises:
        UserError: where the model cannot be had or loaded, or tokens are below 1.
    """
    if tokens is not None and tokens < 1:
        raise UserError(f"A micro-batch has at least 1 token, not {tokens}.")
    place = _place(spec)
    fingerprint(spec)
    trunk = _skeleton(spec)
    config = trunk.config
    device = best_device()
    memory = device_bytes(device)
    parameters = count(trunk)
    # In float32, and through the machine's memory also where that is not the device's.
    loaded = 4 * parameters <= min(memory, device_bytes(torch.device("cpu")))
    model = load_model(spec, "classification", 2, seed=0) if loaded else None
    longest = getattr(config, "max_position_embeddings", None)
    if model and model.tokenizer.model_max_length < 10**9:
        longest = model.tokenizer.model_max_length
    length = min(longest or LONGEST, LONGEST)
    micro_batch = tokens or length
    frozen = _frozen_dtype(device)
    activations: dict[str, int] = {}
    if model:
        activations = {
            a: activation_bytes(m, micro_batch, length) for a, m in _adapted(model, frozen)
        }
    adapters = adapter_parameters(trunk)
    needs = tuple(
        Need(a, resting_bytes(a, parameters, adapters, frozen.itemsize), activations.get(a))
        for a in get_args(Adaptation)
    )
    text = config.get_text_config()
    return Checked(
        place=place,
        architecture=type(trunk).__name__,
        decoder=is_decoder(config),
        parameters=parameters,
        width=text.hidden_size,
        layers=text.num_hidden_layers,
        longest=longest,
        licence=_licence(spec),
        loaded=loaded,
        tokens=micro_batch,
        device=device.type,
        memory=memory,
        frozen=str(frozen).removeprefix("torch."),
        needs=needs,
    )


def _place(spec: ModelSpec) -> str:
    if spec.name in rungs():
        return "a rung of the embedded ladder"
    if spec.folder:
        return f"the folder {spec.folder}"
    config = cached_file(spec, "config.json")
    if config is None:
        return "the Hugging Face hub; it was not in the local cache"
    weights = sum(f.stat().st_size for f in config.parent.glob("*.safetensors"))
    what = f"{weights / 2**20:,.1f} MiB of weights" if weights else "without weights so far"
    return f"the hub's local cache, commit {config.parent.name[:12]}, {what}"


def _skeleton(spec: ModelSpec) -> Any:
    """The trunk without weights: it tells shapes and takes no memory."""
    from transformers import AutoConfig, AutoModel

    try:
        config = AutoConfig.from_pretrained(spec.location, revision=spec.revision)
        with torch.device("meta"):
            return AutoModel.from_config(config)
    except (OSError, ValueError, KeyError) as e:
        reason = str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
        raise UserError(f"Model {spec.name!r} cannot be loaded: {reason}") from e


def _frozen_dtype(device: torch.device) -> torch.dtype:
    """What frozen weights are kept in: bfloat16 where the device is fast at it."""
    fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if fast else torch.float32


def _adapted(model: LoadedModel, frozen: torch.dtype) -> Iterator[tuple[Adaptation, nn.Module]]:
    """The network ready for each adaptation in turn; it is changed in place."""
    from peft import LoraConfig, inject_adapter_in_model

    network = model.network
    with model.autocast():
        yield "full", network
        network.trunk.requires_grad_(False).to(frozen)
        yield "head", network
        lora = LoraConfig(r=LORA_RANK, target_modules="all-linear", lora_dropout=0.0)
        with warnings.catch_warnings():
            # The library notices by itself that GPT-2's weights lie the other way round.
            warnings.simplefilter("ignore")
            inject_adapter_in_model(lora, network.trunk)
        for parameter in network.trunk.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
        yield "lora", network.eval()


def _licence(spec: ModelSpec) -> str:
    """The licence in the model's own card, else in the catalogue."""
    from huggingface_hub.repocard import metadata_load
    from yaml import YAMLError

    card = spec.folder / "README.md" if spec.folder else cached_file(spec, "README.md")
    if card and card.is_file():
        try:
            said = (metadata_load(card) or {}).get("license")
        except (OSError, ValueError, YAMLError):
            said = None
        if said:
            return f"{said} (its card)"
    if spec.name in listed():
        return f"{listed()[spec.name][1].licence} (w2s models)"
    return "not stated in its files"
