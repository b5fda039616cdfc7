"""Names to objects that are imported when first asked for.

A registry line is ``"name": "module:object"``, so listing names costs no
import, and adding the twentieth entry is one line like the other nineteen.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from weak2strong.errors import unknown_name


class Registry:
    """A table of lazily imported objects of one sort.

    Args:
        what: the noun for errors, such as ``"task"``.
        entries: name to ``"module:object"``.
        hint: closing sentence of the error for an unknown name.
    """

    def __init__(self, what: str, entries: dict[str, str], hint: str = ""):
        self._what, self._entries, self._hint = what, dict(entries), hint

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def get(self, name: str) -> Any:
        """The object of that name.

        Raises:
            UserError: for an unknown name, with the nearest known ones.
        """
        if name not in self._entries:
            raise unknown_name(self._what, name, self._entries, self._hint)
        module, _, attribute = self._entries[name].partition(":")
        return getattr(import_module(module), attribute)
