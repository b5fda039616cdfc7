"""What a model needs of the hub: the files that Transformers reads, and no others.

A repository may hold the same weights in several forms, and much besides. Of these the weights in
the form safetensors are wanted, or pickles of them where there is nothing else, with configuration,
tokenizer, chat templates, the model's card, and code that comes with it (which runs only where a
study trusts it).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.ground.download import Download, Listing, content, listing, planned
from weak2strong.ground.errors import UserError
from weak2strong.models.folders import base_of, folder_of
from weak2strong.models.resolve import check_name

BESIDE = (".json", ".jinja", ".md", ".model", ".tiktoken", ".txt", ".bpe")
"""Endings of what is wanted beside weights, where it stands at the top of the repository."""

TEMPLATES = "additional_chat_templates"
"""The folder of chat templates that have a name."""

WHOLE, PARTS = "model.safetensors", "model.safetensors.index.json"
"""Weights in one file, or the list of the files that they are in."""

PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
"""The same as pickles (see `weak2strong.models.pickled`)."""

CONFIG, ADAPTER = "config.json", "adapter_config.json"

Read = Callable[[str], bytes]
"""Gives a file of a repository by its name."""


def downloads_of(spec: ModelSpec) -> tuple[Download, ...]:
    """What a model needs of the hub, with the model beneath it, if it is made of adapters.

    Nothing for a rung of the ladder, or a folder of which nothing stands on a model of the hub.

    Args:
        spec: a rung, a folder, or a hub id.

    Raises:
        UserError: where there is no such model, this machine may not have it, the hub cannot be
            reached, or the weights are in no form that is read here.
    """
    if folder_of(spec):
        base = base_of(spec)
        return downloads_of(base) if base else ()
    check_name(spec)
    of = listing("model", spec.name, spec.revision)

    def read(name: str) -> bytes:
        return content(of, name)

    found = [planned(of, wanted(spec.name, of.names, read))]
    if CONFIG in of.names:
        found += _code(spec, json.loads(read(CONFIG)))
    elif beneath := _beneath(json.loads(read(ADAPTER))):
        found += downloads_of(beneath)
    return tuple(found)


def wanted(name: str, names: Collection[str], read: Read) -> list[str]:
    """The names of the files of a model that are needed, sorted.

    Args:
        name: of the model, for errors.
        names: of all files of the repository.
        read: gives a small one of these.

    Raises:
        UserError: where it is no model of Transformers, or has no weights in a form that is read.
    """
    if CONFIG not in names and ADAPTER not in names:
        raise UserError(
            f"Model {name} has no config.json, so Transformers cannot load it: "
            "look for another of its forms on the hub."
        )
    return sorted({*_weights(name, names, read), *filter(_is_beside, names)})


def _is_beside(name: str) -> bool:
    path = PurePosixPath(name)
    if path.suffix == ".py" or path.parts[0] == TEMPLATES:
        return True
    return len(path.parts) == 1 and (path.suffix in BESIDE or path.name.startswith("LICENSE"))


def _weights(name: str, names: Collection[str], read: Read) -> Iterator[str]:
    """The files with the weights, as Transformers chooses them."""
    if CONFIG not in names:
        candidates = ["adapter_model.safetensors"]
    else:
        explicit = json.loads(read(CONFIG)).get("transformers_weights")
        candidates = [explicit] if explicit else [WHOLE, PARTS, *PICKLES]
    for candidate in candidates:
        if candidate in names:
            yield candidate
            if candidate.endswith(".index.json"):
                yield from json.loads(read(candidate))["weight_map"].values()
            return
    raise UserError(
        f"Model {name} has no weights in the form safetensors, nor in pytorch_model.bin, and other "
        "forms are not read: look for another of its forms on the hub."
    )


def _code(spec: ModelSpec, config: Mapping[str, Any]) -> list[Download]:
    """Code in other repositories that the configuration of a model asks for, if it is trusted."""
    if not spec.trust_remote_code:
        return []
    lines = [line for line in config.get("auto_map", {}).values() if isinstance(line, str)]
    others = {line.partition("--")[0] for line in lines if "--" in line}
    found = []
    for other in sorted(others):
        of: Listing = listing("model", other)
        found.append(planned(of, [name for name in of.names if name.endswith(".py")]))
    return found


def _beneath(config: Mapping[str, Any]) -> ModelSpec | None:
    """The model that adapters stand on, by their configuration."""
    name = config.get("base_model_name_or_path")
    return ModelSpec(name, config.get("revision")) if name else None
