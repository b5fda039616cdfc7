"""What an audit finds: a level, a sentence, the numbers behind it, and examples to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from weak2strong.analysis.audit.subject import Entry

Level = Literal["error", "warning", "note"]

LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""The gravest first. Error: scores on these data would mean something else than they seem to.
Warning: a number to know before one reads a score. Note: what was looked at, or could not be."""

SHOWN = 3
"""Examples that a finding has at most."""

CUT = 120
"""Characters that are shown of a text; of a longer one, as many from each end."""


@dataclass(frozen=True)
class Shown:
    """An example as a finding shows it; long texts without their middle."""

    id: str
    split: str | None
    text: str


@dataclass(frozen=True)
class Finding:
    """One thing that a check has to say about a task.

    Attributes:
        check: its name.
        level: how grave it is.
        sentence: what was found, and what follows from it.
        numbers: behind the sentence, for machines.
        examples: to look at.
    """

    check: str
    level: Level
    sentence: str
    numbers: Mapping[str, float | int | str | None] = field(default_factory=dict)
    examples: tuple[Shown, ...] = ()


def shown(entries: Iterable[Entry]) -> tuple[Shown, ...]:
    """The first few of some examples."""
    return tuple(Shown(e.id, e.split, _shortened(e.text)) for e in islice(entries, SHOWN))


def _shortened(text: str) -> str:
    if len(text) <= CUT:
        return text
    half = CUT // 2
    return f"{text[:half]} … {text[-half:]}"
