"""Weights that are published as pickles alone, written anew as safetensors, once for each model.

A pickle can run code when it is read. PyTorch reads those of weights by a loader that makes tensors
and nothing else (``weights_only``), and a process of its own does so, which ends with it. The
result lies beside the store, by what identifies the model, and holds the same numbers.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError, first_line
from weak2strong.ground.processes import without_main
from weak2strong.ground.store.paths import CONVERTED, default_root
from weak2strong.models.file_faults import AGAIN, INDEX, WEIGHTS, listed_files
from weak2strong.models.folders import folder_of, shipped
from weak2strong.models.hub import cached_file
from weak2strong.models.resolve import fingerprint

PICKLED, PICKLED_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
"""The file of a model's weights as pickles, or the list of several."""


def readable(spec: ModelSpec) -> ModelSpec:
    """The model, or a folder with its configuration and the same weights as safetensors.

    Args:
        spec: the model; its pickles are fetched where it is of the hub and has nothing else.

    Raises:
        UserError: where the pickles cannot be read, or hold something else than weights.
    """
    if spec.name in shipped() or not (sources := _pickles(spec)):
        return spec
    digest = hashlib.sha256(fingerprint(spec).encode()).hexdigest()
    folder = default_root().expanduser() / CONVERTED / digest
    if not folder.is_dir():
        _convert(spec, sources, folder)
    return replace(spec, name=str(folder), revision=None)


def _pickles(spec: ModelSpec) -> list[Path]:
    """The files with the weights of a model that has them as pickles alone; none of any other."""
    folder = folder_of(spec)
    if folder is None:
        return _pickles_of_hub(spec)
    if (folder / WEIGHTS).exists() or (folder / INDEX).exists():
        return []
    if (folder / PICKLED).exists():
        return [folder / PICKLED]
    index = folder / PICKLED_INDEX
    return [folder / name for name in _listed(spec, index)] if index.exists() else []


def _pickles_of_hub(spec: ModelSpec) -> list[Path]:
    """Those of a model of the hub, which are fetched where they are not here."""
    from huggingface_hub import HfApi, constants, hf_hub_download

    if any(cached_file(spec, name) for name in (WEIGHTS, INDEX)):
        return []
    if constants.HF_HUB_OFFLINE:
        there = lambda name: cached_file(spec, name) is not None  # noqa: E731
    else:
        hub = HfApi(endpoint=constants.ENDPOINT)
        there = lambda name: hub.file_exists(spec.name, name, revision=spec.revision)  # noqa: E731
    # What cannot be reached or fetched is told where the model is loaded.
    with suppress(Exception):
        if there(WEIGHTS) or there(INDEX):
            return []

        def fetched(name: str) -> Path:
            return Path(hf_hub_download(spec.name, name, revision=spec.revision))

        if there(PICKLED):
            return [fetched(PICKLED)]
        if there(PICKLED_INDEX):
            return [fetched(name) for name in _listed(spec, fetched(PICKLED_INDEX))]
    return []


def _listed(spec: ModelSpec, index: Path) -> list[str]:
    """The files that a list of weights names, sorted."""
    try:
        return listed_files(index)
    except ValueError as e:
        raise UserError(f"Model {spec.name!r} cannot be loaded: {e}: {AGAIN}.") from e


def _convert(spec: ModelSpec, sources: Sequence[Path], folder: Path) -> None:
    """Write a folder with the weights as safetensors, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".partial-") as working:
        made = Path(working) / "model"
        made.mkdir()
        shutil.copyfile(sources[0].parent / "config.json", made / "config.json")
        if said := _in_a_process(sources, made):
            raise UserError(f"Model {spec.name!r} cannot be loaded: {said}")
        # Another process may have been quicker.
        with suppress(OSError):
            os.rename(made, folder)


def _in_a_process(sources: Sequence[Path], folder: Path) -> str:
    """Let a process of its own write the weights; what kept it from that, or nothing."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_write, args=(theirs, sources, folder), name="w2s weights")
    with without_main():
        process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        return (
            "the process that reads its pickles was ended by the system, as where the machine has "
            "no memory left: give it more."
        )
    finally:
        process.join()


def _write(pipe: Connection, sources: Sequence[Path], folder: Path) -> None:
    """Write each file of pickles as one of safetensors, and the list of several."""
    where, current = dict[str, str](), ""
    try:
        for number, source in enumerate(sources, start=1):
            current, several = source.name, len(sources) > 1
            name = f"model-{number:05}-of-{len(sources):05}.safetensors" if several else WEIGHTS
            where |= dict.fromkeys(_write_one(source, folder / name), name)
        if len(sources) > 1:
            (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": where}))
        pipe.send("")
    # Whatever the file holds, and whatever the disk says, is told by the other process.
    except Exception as e:
        pipe.send(
            f"its file {current} cannot be read as weights alone ({first_line(e)}): look for "
            "another form of the model, with safetensors."
        )


def _write_one(source: Path, target: Path) -> list[str]:
    """Write one file; the names of its weights."""
    from safetensors.torch import save_file
    from torch import Tensor

    held = _loaded(source)
    weights = {k: v for k, v in held.items() if isinstance(v, Tensor)} if held else {}
    if not weights or len(weights) < len(held):
        raise ValueError("it is no table of weights by their names")
    # What several names share is written for each of them, as the format wants it.
    save_file({k: v.contiguous().clone() for k, v in weights.items()}, target, {"format": "pt"})
    with target.open("rb+") as file:
        os.fsync(file.fileno())
    return list(weights)


def _loaded(source: Path) -> Any:
    """What a file holds, its numbers mapped from the disk where its form allows that."""
    import torch

    options: dict[str, Any] = {"map_location": "cpu", "weights_only": True}
    try:
        return torch.load(source, mmap=True, **options)
    except RuntimeError as e:
        # Files of before PyTorch 1.6 cannot be mapped.
        if "mmap" not in str(e):
            raise
        return torch.load(source, **options)
