"""Names to objects, of our own and of plugins.

Our own are imported when a name is first looked up, so that a table costs nothing until then:
single objects by lines such as ``"name": "module:object"``, or all modules of some packages,
which put their objects in by decorators, as plugins do (see `weak2strong.ground.plugins`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from importlib import import_module
from pkgutil import iter_modules
from typing import Any
from weakref import WeakSet

from weak2strong.ground.errors import UserError, unknown_name


class Registry:
    """A table of objects of one sort by name.

    Args:
        what: the noun for errors, such as ``"task"``.
        entries: name to ``"module:object"``.
        hint: closing sentence of the error for an unknown name.
        packages: whose modules add our other objects, or lines for these, when they are imported.
        first: names in the order in which they are listed; other names of ours follow by
            alphabet, since modules may be imported in any order, and those of plugins come last.
        underscores: whether names of plugins may have underscores, as names of ours have.
    """

    def __init__(
        self,
        what: str,
        entries: Mapping[str, str] | None = None,
        hint: str = "",
        packages: Sequence[str] = (),
        first: Sequence[str] = (),
        underscores: bool = False,
    ):
        self._what, self._entries, self._hint = what, dict(entries or {}), hint
        self._packages, self._first = tuple(packages), tuple(first)
        self._underscores = underscores
        self._own: dict[str, Any] = {}
        self._kept = frozenset[str]()
        self._added: dict[str, tuple[Any, str]] = {}
        _EVERY.add(self)

    def __iter__(self) -> Iterator[str]:
        self._import_packages()
        yield from self._entries
        yield from (name for name in self._first if name in self._own)
        yield from sorted(self._own.keys() - set(self._first))
        yield from self._added

    def __contains__(self, name: object) -> bool:
        self._import_packages()
        return name in self._entries or name in self._own or name in self._added

    def enter(self, lines: Mapping[str, str]) -> None:
        """Put lines of our own into the table, ``"module:object"`` by name."""
        self._entries |= lines

    def keep(self, names: Iterable[str]) -> None:
        """Names of ours for what is found elsewhere, which no plugin can take."""
        self._kept |= frozenset(names)

    def get(self, name: str) -> Any:
        """The object of that name.

        Raises:
            UserError: for an unknown name, with the nearest known ones.
        """
        self._import_packages()
        if name in self._own:
            return self._own[name]
        if name in self._added:
            return self._added[name][0]
        if name not in self._entries:
            raise unknown_name(self._what, name, list(self), self._hint)
        module, _, attribute = self._entries[name].partition(":")
        return getattr(import_module(module), attribute)

    def add(self, name: str, entry: Any, origin: str | None, what: str = "") -> None:
        """Put an object into the table.

        Args:
            name: that nothing has yet, but for an earlier state of the same plugin.
            entry: the object.
            origin: the file or package of the plugin that it comes from; None for our own.
            what: the noun for errors, where it is another one than that of the table.

        Raises:
            UserError: where a plugin takes a name that is taken, or that could not be written on
                a command line.
        """
        if origin is None:
            self._own[name] = entry
            return
        what = what or self._what
        signs, told = {"-"}, "digits and hyphens"
        if self._underscores:
            signs, told = {"-", "_"}, "digits, hyphens and underscores"
        if not name or not set(name) <= _LETTERS | signs:
            raise UserError(f"{origin} names a {what} {name!r}: take lower-case letters, {told}.")
        self._import_packages()
        _, owner = self._added.get(name, (None, origin))
        ours = name in self._entries or name in self._own or name in self._kept
        if ours or owner != origin:
            raise UserError(
                f"{origin} names a {what} {name!r}, and "
                f"{'weak2strong itself' if ours else owner} has one of that name: choose another."
            )
        self._added[name] = (entry, origin)

    def _import_packages(self) -> None:
        """Import all modules of the packages, once."""
        packages, self._packages = self._packages, ()
        for package in packages:
            for module in iter_modules(import_module(package).__path__):
                import_module(f"{package}.{module.name}")

    def line(self, name: str) -> str | None:
        """The line ``"module:object"`` of an entry of ours that has one."""
        return self._entries.get(name)

    @property
    def of_plugins(self) -> Iterable[str]:
        """The names of what comes from plugins."""
        return tuple(self._added)

    def origin(self, name: str) -> str | None:
        """The file or package that an entry comes from; None for our own."""
        return self._added[name][1] if name in self._added else None

    def drop(self, origin: str) -> None:
        """Take out what comes from one plugin."""
        self._added = {name: entry for name, entry in self._added.items() if entry[1] != origin}

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
        for field in fields(kind):
            lacks = field.default is MISSING and field.default_factory is MISSING
            if field.init and lacks and field.name not in settings:
                raise UserError(
                    f"The {self._what} {name!r} has no usual value of {field.name!r}: give it one, "
                    f"as in {name}:{field.name}=VALUE, or give the field a default."
                )
        return kind(**settings)


def forget(origin: str) -> None:
    """Take what comes from one plugin out of all registries."""
    for registry in _EVERY:
        registry.drop(origin)


_EVERY: WeakSet[Registry] = WeakSet()

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
