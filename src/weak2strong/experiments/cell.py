"""A study as a notebook shows it: its settings, and not those that are as usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from weak2strong.ground.table import Table, words

ALWAYS = ("tasks", "weak", "strong", "methods", "seeds")
"""Settings that are shown also where they are as usual."""


def settings_table(study: Any) -> Table:
    """A row a setting of a study or an experiment.

    Args:
        study: the dataclass. Of models, trainings and data only what is not usual is told.
    """
    shown = {*ALWAYS, *unusual(study)}
    rows = [
        {"setting": f.name, "value": _text(getattr(study, f.name))}
        for f in fields(study)
        if f.name in shown
    ]
    title = f"{type(study).__name__}, not yet run: run() runs it"
    notes = ["Other settings are as usual."]
    return Table("settings", title, [words("setting"), words("value", wraps=True)], rows, notes)


def unusual(settings: Any) -> list[str]:
    """The names of the settings of a dataclass that are not as usual."""
    return [f.name for f in fields(settings) if getattr(settings, f.name) != _usual(f)]


def _usual(field: Any) -> Any:
    """The usual value of a field; `MISSING` where it has none."""
    return field.default if field.default_factory is MISSING else field.default_factory()


def _text(value: Any) -> str:
    """A value as a study file would have it, in a line."""
    if is_dataclass(value):
        name = getattr(value, "name", None)
        changed = (n for n in unusual(value) if n != "name")
        told = [f"{n}={_text(getattr(value, n))}" for n in changed]
        return ", ".join(told if name is None else [name, *told])
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_text(of)}" for name, of in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(_text, value))
    return str(value)
