"""Results by key: computed once, verified when read, shared by studies and processes."""

from weak2strong.ground.store.folder import Store, StoreWarning
from weak2strong.ground.store.key import (
    canonical,
    digest,
    file_fingerprint,
    folder_fingerprint,
    stage_key,
    stage_request,
)
from weak2strong.ground.store.manifest import Entry

__all__ = [
    "Entry",
    "Store",
    "StoreWarning",
    "canonical",
    "digest",
    "file_fingerprint",
    "folder_fingerprint",
    "stage_key",
    "stage_request",
]
