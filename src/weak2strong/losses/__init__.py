"""Losses for the student: one file each, listed by name in `LOSSES`.

`cross-entropy` imitates the supervisor. `confidence` also rewards the student
for being sure of its own answer, which helps where the gap between supervisor
and student is large (Burns et al. 2023).
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from weak2strong.errors import UserError, unknown_name

# Before the function `loss` below: the first import of a submodule binds its name here.
from weak2strong.losses.loss import Loss
from weak2strong.registry import Registry

__all__ = ["LOSSES", "Loss", "loss"]

LOSSES = Registry(
    "loss",
    {
        "cross-entropy": "weak2strong.losses.cross_entropy:CrossEntropy",
        "confidence": "weak2strong.losses.confidence:Confidence",
    },
)


def loss(name: str, **settings: Any) -> Loss:
    """The loss of that name, such as ``loss("confidence", maximum=0.75)``.

    Raises:
        UserError: no such loss, no such setting, or a setting out of range.
    """
    kind = LOSSES.get(name)
    known = [field.name for field in fields(kind)]
    for setting in settings:
        if setting not in known:
            if not known:
                raise UserError(f"The loss {name!r} has no settings: leave out {setting!r}.")
            raise unknown_name(f"setting of the loss {name!r}", setting, known)
    return kind(**settings)
