"""What functions of plugins may not be, and may not give: told with the plugin's file.

Exceptions that come out of them are told in `weak2strong.ground.plugins.naming_plugins`; here is
what they return in place of what was asked for, which would fail elsewhere, or be taken for a
number.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import weak2strong.ground.plugins as plugins
from weak2strong.ground.errors import PluginError, UserError


def fault_in(function: Any, what: str) -> PluginError:
    """The error of a function that gave something else than was asked for.

    Args:
        function: of a plugin.
        what: it did, as a clause.
    """
    inner = inspect.unwrap(function)
    code = getattr(inner, "__code__", None)
    where = code.co_filename if code else getattr(inner, "__module__", "it")
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    return PluginError(f"The plugin {where} fails in {name} ({what}): mend it.")


def form_of(value: object) -> str:
    """What a value is, in a few words: its shape or kind, or itself where it is short."""
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape):
        return f"{type(value).__name__} of shape {tuple(shape)}"
    text = repr(value)
    return text if value is None or isinstance(value, bool | int | float) else type(value).__name__


def check_returns(what: str, name: str, function: Callable[..., Any], rows: bool = False) -> None:
    """Refuse a function whose call would give a promise and not what it makes.

    Args:
        what: the noun, such as "method".
        name: that it is registered under.
        function: that will be called.
        rows: whether it may give what it makes one by one (yield).

    Raises:
        UserError: for such a function.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise UserError(
            f"The {what} {name!r} is an async function ({function.__qualname__}), and nobody waits "
            "for it: write it with def."
        )
    if not rows and inspect.isgeneratorfunction(function):
        raise UserError(
            f"The {what} {name!r} yields ({function.__qualname__}), and is asked for all at once: "
            "let it return what it makes."
        )


def is_ours(thing: Any) -> bool:
    """Whether an object is one of a class of this package, which keeps its contract."""
    return plugins.is_ours(type(thing))
