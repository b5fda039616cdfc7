"""The code of live objects: a digest of all source of ours that decides what they compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from importlib import import_module
from inspect import isclass, isfunction, ismethod
from pathlib import Path
from typing import Any

from weak2strong.ground.code.reach import Place, Reached, Roots, reached
from weak2strong.ground.code.source import Rules, Source
from weak2strong.ground.plugins import PACKAGE, is_ours, sources_of
from weak2strong.ground.store.key import canonical, digest


@dataclass(frozen=True)
class Code:
    """The source that decides a result.

    Attributes:
        digest: of all pieces, wherever they stand: a function that only moves changes nothing.
        pieces: their digests by a readable name, such as ``training.loop: fit_loop``.
    """

    digest: str
    pieces: Mapping[str, str]


def ours(rules: Rules) -> Source:
    """The source of this package as it is on the disk."""
    return Source(PACKAGE, Path(__file__).parents[2], rules)


def code_of(
    source: Source, made_by: Any, named: Sequence[Any] = (), words: Iterable[str] = ()
) -> Code:
    """The code that decides what a function makes.

    Args:
        source: of this package.
        made_by: the function. Data and settings that it was given are not its code; functions
            are, and the classes of the data, whose members it may call.
        named: what it finds by a name: functions, classes, and objects of a registry.
        words: of the settings at hand, which may name further entries of registries.

    Raises:
        UserError: where the source of something that is not ours cannot be read.
    """
    roots = _at(made_by)
    for value in _given(made_by):
        roots |= roots_of(value) if _is_code(value) else _class_of(value)
    for thing in named:
        roots |= roots_of(thing)
    return _code(source, roots, frozenset(words))


Entries = frozenset[tuple[Place, str, Roots]]
"""Entries of registries: of which one, by what name, and where their code begins."""

_KNOWN: dict[tuple[Source, Roots], list[tuple[Reached, Entries, Code]]] = {}
"""What was reached from the same roots, by the entries that it depends on."""


def _code(source: Source, roots: Roots, words: frozenset[str]) -> Code:
    """The code of some roots; most words of settings name no entry, and change nothing."""
    known = _KNOWN.setdefault((source, roots), [])
    for found, entries, code in known:
        if _entries(found, words) == entries:
            return code
    found = reached(source, roots, words, registered_here)
    # Not their places: what only moves to another module computes what it did.
    code = Code(digest(sorted(found.digests.values())), found.digests)
    known.append((found, _entries(found, words), code))
    return code


def _entries(found: Reached, words: frozenset[str]) -> Entries:
    """The entries that settings name, and those of plugins, which come and go, that all else does.

    Those of ours that all else names are the same as long as this process runs.
    """
    entries = set[tuple[Place, str, Roots]]()
    for module, name in found.registries:
        registry = getattr(import_module(module), name)
        for entry in words.union(found.words.intersection(registry.of_plugins)):
            if entry in registry:
                entries.add(((module, name), entry, roots_of(registry.get(entry))))
    return frozenset(entries)


def registered_here(module: str, name: str, entry: str) -> Roots | None:
    """Where the code of an entry of a registry begins, by the registry's module and name."""
    registry = getattr(import_module(module), name)
    if entry not in registry:
        return None
    return roots_of(registry.get(entry))


def roots_of(thing: Any) -> Roots:
    """Where the code of an object begins: itself, and the functions that it holds.

    Plain values that a function was given when it was made, such as settings of a loss, are part
    of it.
    """
    roots, todo, seen = Roots(), [thing], set[int]()
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, list | tuple):
            todo += thing
        elif isinstance(thing, partial) or isfunction(thing) or ismethod(thing):
            roots |= _at(thing)
            values = _given(thing)
            todo += [value for value in values if _holds_code(value)]
            plain = [canonical(value) for value in values if not _holds_code(value)]
            roots |= Roots(values=frozenset((_name(thing), text) for text in plain))
        elif isclass(thing):
            roots |= _at(thing)
        elif is_dataclass(thing):
            todo.append(type(thing))
            todo += [each for f in fields(thing) if _is_code(each := getattr(thing, f.name))]
    return roots


def _given(function: Any) -> tuple[Any, ...]:
    """What a function of ours was given when it was made."""
    if isinstance(function, partial):
        return (function.func, *function.args, *function.keywords.values())
    if ismethod(function):
        return (function.__func__, function.__self__)
    if not is_ours(function):
        return ()
    return tuple(cell.cell_contents for cell in function.__closure__ or ())


def _class_of(value: Any) -> Roots:
    """The class of a value, or the classes of what a container holds, if they are ours."""
    if not isinstance(value, Mapping | list | tuple):
        return _at(type(value)) if is_ours(type(value)) else Roots()
    values = value.values() if isinstance(value, Mapping) else value
    roots = Roots()
    # One value of each type tells what the others are.
    for one in {type(each): each for each in values}.values():
        roots |= _class_of(one)
    return roots


def _is_code(value: Any) -> bool:
    return isclass(value) or isfunction(value) or ismethod(value) or isinstance(value, partial)


def _holds_code(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_code, value))
    return _is_code(value) or is_dataclass(value)


def _at(thing: Any) -> Roots:
    """A function or class of ours by its place, any other by its source."""
    if isinstance(thing, partial) or ismethod(thing):
        return Roots()
    if is_ours(thing):
        return Roots(functions=frozenset({(thing.__module__, thing.__qualname__)}))
    return Roots(sources=frozenset(sources_of(thing)))


def _name(function: Any) -> str:
    return function.func.__qualname__ if isinstance(function, partial) else function.__qualname__
