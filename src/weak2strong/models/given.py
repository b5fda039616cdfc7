"""Models that are no more than a file of what they give of each item, as their name tells."""

from __future__ import annotations

from pathlib import PurePath

from weak2strong.config.model import ModelSpec

OF_VECTORS = (".safetensors", ".npy", ".parquet")
"""Endings of files that hold a vector by id."""


def is_given(spec: ModelSpec) -> bool:
    """Whether a model is no more than a file of what it gives of each item."""
    return PurePath(spec.name).suffix in OF_VECTORS
