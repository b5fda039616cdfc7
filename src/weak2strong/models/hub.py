"""What the hub and its local cache have of a model, and what the hub's refusals mean."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.hub import refusal
from weak2strong.models.catalogue import listed
from weak2strong.models.folders import shipped


def cached_file(spec: ModelSpec, name: str) -> Path | None:
    """A file of a hub id in the local cache, or None; without the network."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(spec.name, name, revision=spec.revision)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def commit(spec: ModelSpec) -> str:
    """The commit of a hub id, whose configuration is then in the cache.

    Raises:
        UserError: where it cannot be had.
    """
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(spec.name, "config.json", revision=spec.revision)).parent.name
    # The errors of a missing network are those of the HTTP library beneath, which has changed
    # more than once: so anything is taken for one that is not known.
    except Exception as e:
        raise _refusal(spec, e) from e


@cache
def commit_once(spec: ModelSpec) -> str:
    """The same, looked up once a process."""
    return commit(spec)


def _refusal(spec: ModelSpec, error: Exception) -> UserError:
    """What the hub's error means, in a sentence."""
    from huggingface_hub.errors import (
        GatedRepoError,
        RemoteEntryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, RemoteEntryNotFoundError):
        return UserError(
            f"Model {spec.name} has no config.json, so Transformers cannot load it: look for "
            "another of its forms on the hub, or, where it holds adapters of PEFT, run `w2s fetch "
            f"{spec.name}`, which tells the folder to name."
        )
    if "/" not in spec.name and not isinstance(error, GatedRepoError | RevisionNotFoundError):
        # Hub ids without an owner are few and old: a slip is likelier.
        return unknown_name("model", spec.name, (*shipped(), *listed()), "See: w2s models.")
    return refusal("model", spec.name, spec.revision, error)
