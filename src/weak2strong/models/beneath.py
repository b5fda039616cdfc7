"""What a model of adapters stands on: whose configuration and weights are read for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from weak2strong.config.model import ModelSpec
from weak2strong.models.folders import ADAPTER_CONFIG, folder_of, location_of, stack_of
from weak2strong.models.hub import commit_once

TOKENIZER = "tokenizer_config.json"


def beneath(spec: ModelSpec) -> ModelSpec:
    """The model whose configuration and weights are read: of adapters the one beneath, at a commit
    where it is of the hub, and otherwise the model itself.

    Raises:
        UserError: where that cannot be told.
    """
    whole, folders = stack_of(spec)
    if folders and folder_of(whole) is None:
        return replace(whole, revision=commit_once(whole))
    return whole


def adapters_of(spec: ModelSpec) -> tuple[Path, ...]:
    """The folders of adapters that stand on the model beneath, the lowest first."""
    return tuple(f for f in stack_of(spec)[1] if (f / ADAPTER_CONFIG).is_file())


def tokenizer_location(spec: ModelSpec) -> tuple[str, str | None]:
    """Where a model's tokenizer is, and its revision: in the last folder that has one.

    Raises:
        UserError: where the model beneath adapters cannot be told.
    """
    for folder in reversed(stack_of(spec)[1]):
        if (folder / TOKENIZER).is_file():
            return str(folder), None
    whole = beneath(spec)
    return location_of(whole), whole.revision
