"""A text that is written from several columns of a row.

A template such as ``"{premise} Question: {hypothesis} True or false?"`` has names of columns in
braces, and nothing else of Python's formats; ``{{`` and ``}}`` stand for braces.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from weak2strong.ground.errors import UserError


def fields(template: str) -> tuple[str, ...]:
    """The columns that a template names, in its order, each once.

    Raises:
        UserError: for a template without one, or with anything but names in its braces.
    """
    advice = "write names of columns in braces and nothing else, such as {premise}"
    try:
        parts = list(Formatter().parse(template))
    except ValueError as e:
        raise UserError(f"The template {template!r} cannot be read ({e}): {advice}.") from e
    named = []
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if not name or name.isdecimal() or form or conversion or set(name) & set(".[]{}"):
            raise UserError(f"The template {template!r} has more than names in braces: {advice}.")
        named.append(name)
    if not named:
        raise UserError(f"The template {template!r} names no column: {advice}.")
    return tuple(dict.fromkeys(named))


def filled(template: str, values: Mapping[str, str]) -> str:
    """The text of a template; what a value has in braces is left as it is."""
    return "".join(
        before + ("" if name is None else values[name])
        for before, name, _, _ in Formatter().parse(template)
    )
