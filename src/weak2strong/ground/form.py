"""Which form a value of a JSON file has, and in what another value differs from it."""

from __future__ import annotations

from typing import Any

Form = Any
"""What JSON may hold: a type or several, ``[form]`` for a list, ``{key: form}`` for an object with
these keys at least, ``{str: form}`` for one with any keys."""


def misfit(value: Any, form: Form, where: str) -> str:
    """What is wrong with a value in a few words; nothing for a value that fits.

    Args:
        value: the value.
        form: that it must have.
        where: what the value is called in these words.
    """
    if isinstance(form, list):
        if not isinstance(value, list):
            return f"{where} is no list"
        entries = (misfit(v, form[0], f"entry {i}") for i, v in enumerate(value, start=1))
        return next(filter(None, entries), "")
    if isinstance(form, dict):
        if not isinstance(value, dict):
            return f"{where} is no object"
        if str in form:
            form = dict.fromkeys(value, form[str])
        for key, of in form.items():
            if key not in value:
                return f"{where} has no {key!r}"
            if said := misfit(value[key], of, f"{key!r} of {where}"):
                return said
        return ""
    # In Python True is a whole number, in JSON it is none.
    allowed = form if isinstance(form, tuple) else (form,)
    fits = isinstance(value, allowed) and (not isinstance(value, bool) or bool in allowed)
    return "" if fits else f"{where} has another kind of value"
