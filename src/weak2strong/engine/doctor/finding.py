"""One line of what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["fine", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """What is so on this machine.

    Attributes:
        about: the thing.
        found: how it is.
        level: whether that is as it should be, costs time or room, or keeps something from working.
        todo: what to do; empty where nothing is to do.
    """

    about: str
    found: str
    level: Level = "fine"
    todo: str = ""


def gib(count: float) -> str:
    """A number of bytes, such as ``15.6 GiB``."""
    return f"{count / 2**30:,.1f} GiB"
