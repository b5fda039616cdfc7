"""What the hub and its local cache have of a model, and what the hub's refusals mean."""

from __future__ import annotations

from pathlib import Path

from weak2strong.errors import UserError, first_line, unknown_name
from weak2strong.models.catalogue import listed
from weak2strong.models.spec import ModelSpec, rungs


def cached_file(spec: ModelSpec, name: str) -> Path | None:
    """A file of a hub id in the local cache, or None; the network is not asked."""
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


def _refusal(spec: ModelSpec, error: Exception) -> UserError:
    """What the hub's error means, in a sentence."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    name = spec.name
    match error:
        case GatedRepoError():
            return UserError(
                f"Model {name} is gated: accept its terms on https://huggingface.co/{name}, "
                "then log in with `hf auth login`."
            )
        case RevisionNotFoundError():
            return UserError(
                f"Model {name} has no revision {spec.revision!r}: name a branch, a tag or a commit."
            )
        case RemoteEntryNotFoundError():
            return UserError(
                f"Model {name} has no config.json, so Transformers cannot load it: "
                "look for another of its forms on the hub."
            )
    if "/" not in name:
        # Hub ids without an owner are few and old: a slip is likelier.
        return unknown_name("model", name, (*rungs(), *listed()), "See: w2s models.")
    match error:
        case HFValidationError():
            return UserError(f"{name!r} is no id of a hub model: write owner/name, or a folder.")
        case RepositoryNotFoundError():
            return UserError(
                f"There is no model {name} on the Hugging Face hub, or it is private: "
                "check the name, or log in with `hf auth login`."
            )
        case LocalEntryNotFoundError() | OfflineModeIsEnabled() if constants.HF_HUB_OFFLINE:
            return UserError(
                f"Model {name} is no local folder and not in the hub's cache, and offline mode is "
                "set: unset HF_HUB_OFFLINE, or name a folder."
            )
        case LocalEntryNotFoundError():
            return UserError(
                f"Model {name} is no local folder and not in the hub's cache, and the Hugging Face "
                "hub cannot be reached: check the network, or name a folder."
            )
    return UserError(
        f"Model {name} cannot be had from the Hugging Face hub "
        f"({first_line(error).rstrip('.:')}): check the network, or name a folder."
    )
