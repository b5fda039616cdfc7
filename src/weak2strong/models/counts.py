"""Whether a model's files have as many layers, blocks or experts as its configuration says.

Transformers leaves out what a model has no place for: heads, and whole layers, too. Heads may be
left out; a model without its upper layers is another one, which nobody meant.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.file_faults import CONFIG, file_of_weight
from weak2strong.models.needs import skeleton

Series = Mapping[str, Mapping[int, frozenset[str]]]
"""Modules with numbers in place of names: before the number, by number, what stands below."""


def check_counts(spec: ModelSpec, folder: Path, files: Sequence[str]) -> None:
    """Refuse weights that go on where the layers of the configuration end, found by their names.

    A number that the model lacks counts where all that stands below it stands below numbers that
    the model has. So what Transformers leaves out on purpose passes: other parts, heads, the layers
    that some models were only trained with, and whatever its classes declare.

    Args:
        spec: the model, as it is beneath adapters.
        folder: of its files.
        files: of its weights, which are whole.

    Raises:
        UserError: with the file and both numbers.
    """
    from safetensors import safe_open
    from transformers import AutoModel

    names = list[str]()
    for file in files:
        with safe_open(folder / file, "pt") as read:  # pyright: ignore[reportOptionalOperand]
            names += read.keys()
    try:
        model = skeleton(spec, AutoModel)
    except UserError:
        # What cannot be made says so where it is loaded.
        return
    ignored = getattr(model, "_keys_to_ignore_on_load_unexpected", None) or ()
    told = [name for name in names if not any(re.search(one, name) for one in ignored)]
    check_left_out(spec, model, told)


def check_left_out(spec: ModelSpec, model: Any, told: Iterable[str]) -> None:
    """Refuse weights that a model of Transformers has left out, where these are further layers.

    Args:
        spec: the model.
        model: it, or the same without weights.
        told: the names of weights in its files, or of those alone that were left out.

    Raises:
        UserError: with the file and both numbers.
    """
    prefix = f"{getattr(model, 'base_model_prefix', '')}."
    by_name = {name.removeprefix(prefix): name for name in told}
    known = _series(name.removeprefix(prefix) for name in model.state_dict())
    for stem, (has, says) in beyond(known, _series(by_name)).items():
        first = next(name for name in by_name if name.startswith(f"{stem}.{says}."))
        file = file_of_weight(spec, by_name[first]) or "one of its files"
        raise UserError(
            f"Model {spec.name!r} cannot be loaded: {file} has weights of {has:,} times {stem}, "
            f"and {CONFIG} says {says:,}, so that the others would be left out: take files that "
            "belong together."
        )


def beyond(model: Series, files: Series) -> dict[str, tuple[int, int]]:
    """The series that go on in files where those of a model end: how many there, and how many here.

    Args:
        model: the series of the model.
        files: those of its files.
    """
    found = {}
    for stem, numbers in files.items():
        known = model.get(stem, {})
        more = sorted(set(numbers) - set(known))
        if not known or not more or more[0] != len(known) or max(known) >= more[0]:
            continue
        below = frozenset[str]().union(*known.values())
        if all(numbers[number] <= below for number in more):
            found[stem] = (more[-1] + 1, len(known))
    return found


def _series(names: Iterable[str]) -> Series:
    """The numbered modules of weights by their names."""
    found = defaultdict[str, dict[int, frozenset[str]]](dict)
    for name in names:
        for stem, number, below in _numbered(name):
            found[stem][number] = found[stem].get(number, frozenset()) | {below}
    return found


def _numbered(name: str) -> Iterator[tuple[str, int, str]]:
    parts = name.split(".")
    for i, part in enumerate(parts[:-1]):
        if i and part.isdigit():
            yield ".".join(parts[:i]), int(part), ".".join(parts[i + 1 :])
