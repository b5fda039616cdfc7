"""In what two results differ: which of the inputs of their keys are not the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from weak2strong.ground.store.manifest import Entry

Known = Mapping[str, str]
"""Digests of pieces of source by name; empty where they are not known."""


@dataclass(frozen=True)
class Difference:
    """An input that differs.

    Attributes:
        input: its place in the spec of an entry, such as ``fields.training.learning_rate`` or
            ``code.training.loop: train``.
        one: its value in the first result; None where that does not have it.
        other: its value in the second one.
    """

    input: str
    one: Any
    other: Any


def differences(
    one: Mapping[str, Any], other: Mapping[str, Any], codes: tuple[Known, Known] = ({}, {})
) -> list[Difference]:
    """The inputs that differ between two specs, in the order of their names, code at the end.

    Args:
        one: a spec: what is in the key of an entry.
        other: another one, of the same stage.
        codes: what the digests of code of the two stand for. A piece of source that only stands
            in another module is the same.
    """
    flat = [dict(_leaves(spec)) for spec in (one, other)]
    if flat[0].get("code") != flat[1].get("code") and all(codes):
        told = [_not_in(*codes), _not_in(*reversed(codes))]
        for values, pieces in zip(flat, told, strict=True):
            values |= {f"code.{name}": digest for name, digest in pieces.items()}
            # Pieces tell no difference where one has a piece twice that the other has once.
            if any(told):
                del values["code"]
    names = sorted(flat[0].keys() | flat[1].keys(), key=lambda n: (n.startswith("code"), n))
    return [
        Difference(name, flat[0].get(name), flat[1].get(name))
        for name in names
        if flat[0].get(name) != flat[1].get(name) or (name in flat[0]) != (name in flat[1])
    ]


def _not_in(code: Known, other: Known) -> Known:
    """The pieces of some code that another has neither under the same name nor elsewhere."""
    there = set(other.values())
    return {n: d for n, d in code.items() if other.get(n) != d and d not in there}


def nearest(spec: Mapping[str, Any], entries: Iterable[Entry]) -> Entry | None:
    """The entry with the fewest other inputs than a spec, the newest of equal ones."""
    flat = dict(_leaves(spec))

    def far(entry: Entry) -> int:
        theirs = dict(_leaves(entry.manifest["spec"]))
        names = flat.keys() | theirs.keys()
        return sum(flat.get(name) != theirs.get(name) for name in names)

    newest_first = sorted(entries, key=lambda e: e.manifest["written"], reverse=True)
    return min(newest_first, key=far, default=None)


def _leaves(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """All plain values in nested objects by their places; a list counts as one value."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _leaves(each, f"{where}.{name}" if where else name)
    else:
        yield where, list(value) if isinstance(value, tuple) else value
