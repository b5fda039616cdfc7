"""Checks that losses make of their settings."""

from __future__ import annotations

import math
from typing import Any

from weak2strong.ground.errors import UserError


def check_shares(loss: Any, *names: str) -> None:
    """Refuse fields of a loss that are no number from 0 to 1.

    Raises:
        UserError: naming the loss and the field.
    """
    for name in names:
        value = getattr(loss, name)
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            raise UserError(f"{_of(loss)} takes a {name} between 0 and 1, not {value!r}.")


def check_positive(loss: Any, *names: str, zero: bool = False) -> None:
    """Refuse fields of a loss that are no finite number above 0, or from 0 on.

    Raises:
        UserError: naming the loss and the field.
    """
    for name in names:
        value = getattr(loss, name)
        fine = isinstance(value, int | float) and math.isfinite(value) and value >= 0
        if not fine or (value == 0 and not zero):
            bound = "from 0 on" if zero else "above 0"
            raise UserError(f"{_of(loss)} takes a finite {name} {bound}, not {value!r}.")


def _of(loss: Any) -> str:
    """Such as "The adaptive confidence loss" of ``AdaptiveConfidence``."""
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in type(loss).__name__)
    return f"The{words} loss"
