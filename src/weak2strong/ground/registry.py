"""Names to objects that are imported when first asked for.

A registry line is ``"name": "module:object"``, so listing names costs no
import, and adding the twentieth entry is one line like the other nineteen.
Plugins add objects of their own (see `weak2strong.ground.plugins`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any
from weakref import WeakSet

from weak2strong.ground.errors import UserError, unknown_name


class Registry:
    """A table of lazily imported objects of one sort.

    Args:
        what: the noun for errors, such as ``"task"``.
        entries: name to ``"module:object"``.
        hint: closing sentence of the error for an unknown name.
    """

    def __init__(self, what: str, entries: dict[str, str], hint: str = ""):
        self._what, self._entries, self._hint = what, dict(entries), hint
        self._added: dict[str, tuple[Any, str]] = {}
        _EVERY.add(self)

    def __iter__(self) -> Iterator[str]:
        yield from self._entries
        yield from self._added

    def get(self, name: str) -> Any:
        """The object of that name.

        Raises:
            UserError: for an unknown name, with the nearest known ones.
        """
        if name in self._added:
            return self._added[name][0]
        if name not in self._entries:
            raise unknown_name(self._what, name, list(self), self._hint)
        module, _, attribute = self._entries[name].partition(":")
        return getattr(import_module(module), attribute)

    def add(self, name: str, entry: Any, origin: str) -> None:
        """Put an object of a plugin into the table.

        Args:
            name: that nothing has yet, but for an earlier state of the same plugin.
            entry: the object.
            origin: the file or package that it comes from.

        Raises:
            UserError: where the name is taken, or could not be written on a command line.
        """
        if not name or not set(name) <= _LETTERS:
            raise UserError(
                f"{origin} names a {self._what} {name!r}: take lower-case letters, digits and "
                "hyphens."
            )
        _, owner = self._added.get(name, (None, origin))
        if name in self._entries or owner != origin:
            by = "weak2strong itself" if name in self._entries else owner
            raise UserError(
                f"{origin} names a {self._what} {name!r}, and {by} has one of that name: "
                "choose another."
            )
        self._added[name] = (entry, origin)

    def origin(self, name: str) -> str | None:
        """The file or package that an entry comes from; None for our own."""
        return self._added[name][1] if name in self._added else None

    def drop(self, origin: str) -> None:
        """Take out what comes from one plugin."""
        self._added = {name: one for name, one in self._added.items() if one[1] != origin}

    def build(self, name: str, settings: Mapping[str, Any]) -> Any:
        """The dataclass of that name with its fields set.

        Raises:
            UserError: for an unknown name or setting, with the nearest known ones.
        """
        kind = self.get(name)
        known = [field.name for field in fields(kind)]
        for setting in settings:
            if setting not in known:
                of = f"the {self._what} {name!r}"
                if not known:
                    raise UserError(f"T{of[1:]} has no settings: leave out {setting!r}.")
                raise unknown_name(f"setting of {of}", setting, known)
        return kind(**settings)


def forget(origin: str) -> None:
    """Take what comes from one plugin out of all registries."""
    for registry in _EVERY:
        registry.drop(origin)


_EVERY: WeakSet[Registry] = WeakSet()

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
