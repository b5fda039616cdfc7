"""Whether a model is here, loads, and can be trained on this machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.capacity import device_bytes
from weak2strong.models.catalogue import listed
from weak2strong.models.configuration import is_decoder, load_config, load_tokenizer
from weak2strong.models.folders import base_of, folder_of, rungs, shipped, weight_bytes
from weak2strong.models.hub import cached_file
from weak2strong.models.lengths import longest_read
from weak2strong.models.load import load_model
from weak2strong.models.loaded import best_device
from weak2strong.models.needs import (
    SPARE,
    activation_bytes,
    adapter_parameters,
    count,
    frozen_bytes,
    resting_bytes,
    roundable,
    skeleton,
    usable_bytes,
)
from weak2strong.models.precision import precision_of
from weak2strong.models.reads import reads_words
from weak2strong.models.resolve import fingerprint
from weak2strong.models.states import width_of
from weak2strong.models.text_part import text_config

LONGEST = 8192
"""Tokens of a text that is measured and tried, at most: 12 layers of 768 numbers read no more, and
fewer may have no limit."""

Adapted = Literal["full", "lora", "head"]
"""An adaptation that is decided."""

ADAPTATIONS: tuple[Adapted, ...] = ("full", "lora", "head")


@dataclass(frozen=True)
class Need:
    """Memory of a training with one adaptation, in bytes.

    Attributes:
        resting: weights, gradients and optimiser.
        activations: of the micro-batch; None if not measured.
        fault: why the model cannot be adapted so, as a sentence; empty where it can.
    """

    adaptation: Adapted
    resting: int
    activations: int | None
    fault: str = ""

    @property
    def together(self) -> float:
        """All that is known to be needed, with work space."""
        return self.resting + SPARE * (self.activations or 0)


@dataclass(frozen=True)
class Checked:
    """The facts about a model, and the memory that trainings of it need.

    Attributes:
        location: where its files are, and where they were before it was loaded.
        architecture: class of its trunk.
        decoder: whether it reads from left to right.
        parameters: of the trunk.
        width: numbers that it gives for a token.
        layers: how many; None where its configuration does not say.
        longest: tokens of the longest text it takes; None where it does not say.
        read: tokens of the longest text that was measured.
        licence: as far as its card, or the catalogue, says.
        loaded: whether its weights were read; not where they are more than the memory.
        tokens: of the micro-batch whose activations are measured.
        device: where it runs.
        memory: of the device, in bytes.
        usable: the part of it that a training may fill.
        frozen: what weights are kept in that are not trained.
        needs: for each adaptation.
    """

    location: str
    architecture: str
    decoder: bool
    parameters: int
    width: int
    layers: int | None
    longest: int | None
    read: int
    licence: str
    loaded: bool
    tokens: int
    device: str
    memory: int
    usable: float
    frozen: str
    needs: tuple[Need, ...]

    def fits(self, need: Need) -> bool:
        """Whether memory has room for such a training."""
        return need.together <= self.usable


def check(spec: ModelSpec, tokens: int | None = None) -> Checked:
    """Load a model as a run would, fetching it where it is not here yet, and measure it.

    Args:
        spec: the model.
        tokens: of a micro-batch; by default one text as long as the model reads.

    Raises:
        UserError: where the model cannot be had, or be loaded for any adaptation, or tokens are
            below 1.
    """
    if tokens is not None and tokens < 1:
        raise UserError(f"A micro-batch has at least 1 token, not {tokens}.")
    location = _location(spec)
    fingerprint(spec)
    if not reads_words(spec):
        raise UserError(
            f"Model {spec.name} reads no texts, and this command measures models that do: see "
            "what a study of it takes by `w2s run --dry-run`."
        )
    trunk = skeleton(spec)
    config = load_config(spec)
    device = best_device()
    memory = device_bytes(device)
    parameters = count(trunk)
    # In float32, and through the machine's memory also where that is not the device's.
    loaded = 4 * parameters <= min(memory, device_bytes(torch.device("cpu")))
    tokenizer = load_tokenizer(spec)
    longest = tokenizer.model_max_length if tokenizer.model_max_length < 10**9 else None
    length = min(longest_read(tokenizer), LONGEST)
    micro_batch = tokens or length
    frozen = precision_of(spec, device)
    adapters = adapter_parameters(trunk, spec.lora_rank)

    def need(adaptation: Adapted) -> Need:
        weights, states = spec.trained_weights, spec.optimizer_states
        kept = frozen_bytes(spec, parameters, roundable(trunk), frozen.itemsize)
        sizes = (parameters, adapters, kept)
        resting = resting_bytes(adaptation, *sizes, weights, states)
        if not loaded:
            return Need(adaptation, resting, None)
        try:
            adapted = replace(spec, adaptation=adaptation)
            return Need(adaptation, resting, _activations(adapted, micro_batch, length))
        except UserError as e:
            return Need(adaptation, resting, None, str(e))
        # What a model cannot do is told where it is tried.
        except Exception:
            return Need(adaptation, resting, None)

    needs = tuple(map(need, ADAPTATIONS))
    if all(of.fault for of in needs):
        raise UserError(needs[-1].fault)
    text = text_config(trunk.config)
    return Checked(
        location=location,
        architecture=type(trunk).__name__,
        decoder=is_decoder(config, spec.trust_remote_code),
        parameters=parameters,
        width=width_of(config, spec.trust_remote_code),
        layers=getattr(text, "num_hidden_layers", None),
        longest=longest,
        read=length,
        licence=_licence(spec),
        loaded=loaded,
        tokens=micro_batch,
        device=device.type,
        memory=memory,
        usable=usable_bytes(device),
        frozen=str(frozen).removeprefix("torch."),
        needs=needs,
    )


def _location(spec: ModelSpec) -> str:
    if spec.name in shipped():
        return "a rung of the embedded ladder" if spec.name in rungs() else "a shipped network"
    if base := base_of(spec):
        return f"the folder {folder_of(spec)}, which stands on {base.name}"
    if folder := folder_of(spec):
        return f"the folder {folder}"
    config = cached_file(spec, "config.json")
    if config is None:
        return "the Hugging Face hub; it was not in the local cache"
    weights = weight_bytes(config.parent)
    what = f"{weights / 2**20:,.1f} MiB of weights" if weights else "without weights so far"
    return f"the hub's local cache, commit {config.parent.name[:12]}, {what}"


def _activations(spec: ModelSpec, tokens: int, longest: int) -> int:
    model = load_model(spec, "classification", 2, seed=0)
    with model.autocast():
        return activation_bytes(model.network, tokens, longest)


def _licence(spec: ModelSpec) -> str:
    """The licence in the model's own card, else in the catalogue."""
    from huggingface_hub.repocard import metadata_load
    from yaml import YAMLError

    folder = folder_of(spec)
    card = folder / "README.md" if folder else cached_file(spec, "README.md")
    if card and card.is_file():
        try:
            licence = (metadata_load(card) or {}).get("license")
        except (OSError, ValueError, YAMLError):
            licence = None
        if licence:
            return f"{licence} (its card)"
    if spec.name in listed():
        return f"{listed()[spec.name][1].licence} (w2s models)"
    return "not stated in its files"
