"""Sizes and times as texts."""

from __future__ import annotations

from typing import Any

from weak2strong.ground.table import DASH, Column


def size(count: float) -> str:
    """A number of bytes, such as ``1.5 GiB``."""
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else f"{count / 2**20:,.1f} MiB"


def size_column(name: str, title: str | None = None, **more: Any) -> Column:
    """A column of bytes; a dash where they are not known.

    Args:
        name: of the field.
        title: for people; the name if None.
        **more: other attributes of the column.
    """
    text = lambda row: DASH if row[name] is None else size(row[name])  # noqa: E731
    return Column(name, name if title is None else title, text, **more)


def duration(seconds: float) -> str:
    """A time in the unit that suits it, such as ``12 s``, ``35 min`` or ``1.8 h``."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    if minutes < 100:
        return f"{minutes:.0f} min"
    hours = minutes / 60
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:,.1f} days"


def hours(seconds: float) -> str:
    """A time in hours, such as ``0.015`` or ``1,250``."""
    spent = seconds / 3600
    if spent < 0.001:
        return "under 0.001"
    return f"{spent:.2g}" if spent < 10 else f"{spent:,.0f}"
