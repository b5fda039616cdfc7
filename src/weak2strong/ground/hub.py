"""What the Hugging Face hub's refusals mean, for models and datasets alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from weak2strong.ground.errors import UserError, first_line

What = Literal["model", "dataset"]

TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Variables of the environment that may hold a token; the first one counts more."""

_INSTEAD = {"model": "a folder", "dataset": "a file or a folder"}


def refusal(what: What, name: str, revision: str | None, error: Exception) -> UserError:
    """What the hub's error means, in a sentence.

    Args:
        what: the user named.
        name: its id on the hub.
        revision: that the user named.
        error: of the hub's library, or of one beneath it.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    it, instead = f"{what.capitalize()} {name}", f"name {_INSTEAD[what]}"
    match error:
        case HFValidationError():
            return UserError(f"{name!r} is no id of a hub {what}: write owner/name, or {instead}.")
        case GatedRepoError():
            page = f"datasets/{name}" if what == "dataset" else name
            place = token_place()
            login = (
                f"by the account whose token is in {place}, which has no access yet"
                if place
                else "then log in by `hf auth login` with a token of that account that may read, "
                f"from {constants.ENDPOINT}/settings/tokens"
            )
            return UserError(
                f"{it} is gated: accept its terms on {constants.ENDPOINT}/{page}, {login}."
            )
        case RevisionNotFoundError():
            return UserError(
                f"{it} has no revision {revision!r}: write a branch, a tag or a commit behind "
                "the @."
            )
        case RepositoryNotFoundError():
            return UserError(
                f"There is no {what} {name} on the Hugging Face hub, or it is private: "
                "check the name, or log in with `hf auth login`."
            )
    # Of a dataset that is here in part, the error itself says what is missing.
    away = what == "model" and isinstance(error, LocalEntryNotFoundError)
    nowhere = f"{it} is no local folder and not in the hub's cache"
    if isinstance(error, OfflineModeIsEnabled) or (away and constants.HF_HUB_OFFLINE):
        return UserError(f"{nowhere}, and offline mode is set: unset HF_HUB_OFFLINE, or {instead}.")
    if away:
        return UserError(
            f"{nowhere}, and the Hugging Face hub cannot be reached: check the network, or "
            f"{instead}."
        )
    return UserError(
        f"{it} cannot be had from the Hugging Face hub ({first_line(error).rstrip('.:')}): "
        f"check the network, or {instead}."
    )


def token_place() -> str | None:
    """Where this machine has a token of the hub, which is never shown; None where it has none."""
    from huggingface_hub import constants

    for name in TOKEN_VARIABLES:
        if os.environ.get(name):
            return f"the variable {name}"
    file = Path(constants.HF_TOKEN_PATH)
    return f"the file {file}" if file.is_file() and file.stat().st_size else None


@contextmanager
def offline() -> Iterator[None]:
    """In here the hub is its local cache; Transformers and our own tasks keep to it too."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
