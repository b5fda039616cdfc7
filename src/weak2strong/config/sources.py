"""Options of data that single sources of tasks bring along, by their name in a study file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from weak2strong.ground.errors import UserError
from weak2strong.ground.rooms import OPTIONS

Class = TypeVar("Class", bound=type)


class SourceOptions(Mapping[str, Any]):
    """The options of every source that has some, as `OPTIONS` lists them.

    Two are equal if they say the same, whether a user has written a default or left it out.

    Args:
        given: an object or a mapping by name; the other options have their defaults.

    Raises:
        UserError: for options that no source has, or that cannot be right.
    """

    def __init__(self, given: Mapping[str, Any] | None = None):
        made = {name: _made(name, options) for name, options in (given or {}).items()}
        self._changed = {name: o for name, o in made.items() if o != OPTIONS.get(name)()}

    def __getitem__(self, name: str) -> Any:
        if name in self._changed:
            return self._changed[name]
        if name not in OPTIONS:
            raise KeyError(name)
        return OPTIONS.get(name)()

    def __iter__(self) -> Iterator[str]:
        return iter(OPTIONS)

    def __len__(self) -> int:
        return len(list(OPTIONS))

    def __hash__(self) -> int:
        return hash(frozenset(self._changed.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SourceOptions) and self._changed == other._changed

    def __repr__(self) -> str:
        return repr(self._changed)

    @property
    def plain(self) -> dict[str, dict[str, Any]]:
        """The fields of all of them, as a study file has them."""
        return {name: asdict(options) for name, options in self.items()}


def with_sources(kind: Class) -> Class:
    """Let options of sources be given and read by name, beside the fields of a dataclass.

    So ``DataOptions(puzzles=...).puzzles`` is ``DataOptions(sources={"puzzles": ...})``, whose
    field ``sources`` holds them.
    """
    initialise: Callable[..., None] = kind.__init__

    def initialise_both(self: Any, *values: Any, **fields: Any) -> None:
        own = {name: fields.pop(name) for name in [*fields] if name in OPTIONS}
        initialise(self, *values, **fields)
        object.__setattr__(self, "sources", SourceOptions({**self.sources, **own}))

    def options_of(self: Any, name: str) -> Any:
        if name != "sources" and name in OPTIONS:
            return self.sources[name]
        raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")

    kind.__init__, kind.__getattr__ = initialise_both, options_of
    return kind


def _made(name: str, options: Any) -> Any:
    kind = OPTIONS.get(name)
    if isinstance(options, Mapping):
        return OPTIONS.build(name, options)
    if not isinstance(options, kind):
        raise UserError(f"Data: {name} must be a mapping, not {options!r}.")
    return options
