"""Activations of a model for examples, by id, in a file whose rows are read when they are used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from weak2strong.ground.ids import check_ids, positions


@dataclass(frozen=True)
class Activations:
    """One vector an example, of one layer.

    Attributes:
        ids: of the examples, unique.
        values: float32 of shape (number of ids, width); from a file, mapped and read-only.
    """

    ids: tuple[str, ...]
    values: np.ndarray

    def __post_init__(self) -> None:
        check_ids(self.ids, self.values)

    def at(self, ids: Sequence[str]) -> np.ndarray:
        """A copy of the rows for these ids, in their order, of shape (len(ids), width).

        Raises:
            UserError: where an id has no activations.
        """
        return self.values[positions(self.ids, ids, "activations")]


def save_activations(path: Path, layers: Mapping[int, Mapping[str, Activations]]) -> None:
    """Write activations by layer and split as one safetensors file, float32.

    Tensors are named ``layer.split``; the ids, which every layer shares, are JSON
    in the file's header.

    Raises:
        ValueError: where layers differ in their splits or ids.
    """
    from safetensors.numpy import save_file

    ids = [{split: a.ids for split, a in splits.items()} for splits in layers.values()]
    if any(other != ids[0] for other in ids):
        raise ValueError("layers must have the same splits and ids")
    tensors = {
        f"{layer}.{split}": np.ascontiguousarray(a.values, dtype=np.float32)
        for layer, splits in layers.items()
        for split, a in splits.items()
    }
    notes = {"layers": list(layers), "ids": ids[0] if ids else {}}
    save_file(tensors, path, metadata={key: json.dumps(note) for key, note in notes.items()})


def load_activations(path: Path) -> dict[int, dict[str, Activations]]:
    """Map what `save_activations` wrote, by layer and split: rows are read when they are used.

    The arrays are read-only, and hold the file open.
    """
    # The library's own reader copies into memory.
    file = np.memmap(path, mode="r")
    begin = 8 + int(file[:8].view("<u8")[0])
    header = json.loads(bytes(file[8:begin]))
    notes = {key: json.loads(note) for key, note in header["__metadata__"].items()}

    def values(layer: int, split: str) -> np.ndarray:
        tensor = header[f"{layer}.{split}"]
        start, end = (begin + offset for offset in tensor["data_offsets"])
        return np.asarray(file[start:end]).view("<f4").reshape(tensor["shape"])

    return {
        layer: {
            split: Activations(tuple(ids), values(layer, split))
            for split, ids in notes["ids"].items()
        }
        for layer in notes["layers"]
    }
