"""The flag `--saturated` of commands that read finished runs."""

from __future__ import annotations

from typing import Annotated

from tyro.conf import arg

HELP = (
    "Leave tasks out of means over tasks and of comparisons whose floor and ceiling are both above "
    "this score; 1 leaves out none (default: as the study says, 0.99 if it says nothing)."
)

Saturated = Annotated[float | None, arg(metavar="NUMBER", help=HELP, help_behavior_hint="")]


def cut(value: float | None) -> float | None:
    """The value of the flag.

    Raises:
        UserError: for a number that no score can be.
    """
    from weak2strong.ground.errors import UserError

    if value is not None and not 0 <= value <= 1:
        raise UserError(f"--saturated is a number from 0 to 1, not {value:g}.")
    return value
