"""Names to objects that are imported when first asked for.

A registry line is ``"name": "module:object"``, so listing names costs no
import, and adding the twentieth entry is one line like the other nineteen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any

from weak2strong.errors import UserError, unknown_name


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
