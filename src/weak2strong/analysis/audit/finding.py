"""A finding of an audit: a level, a sentence, the numbers behind it, and examples."""

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

EXAMPLES = 3
"""Examples that a finding has at most."""

CUT = 120
"""Characters of an excerpt; of a longer text, half of them from each end."""


@dataclass(frozen=True)
class Excerpt:
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
        sentence: what the check noticed, and what follows from it.
        numbers: behind the sentence, for machines.
        examples: that a person can read to judge the finding.
    """

    check: str
    level: Level
    sentence: str
    numbers: Mapping[str, float | int | str | None] = field(default_factory=dict)
    examples: tuple[Excerpt, ...] = ()


def excerpts(entries: Iterable[Entry]) -> tuple[Excerpt, ...]:
    """The first few of some examples."""
    return tuple(Excerpt(e.id, e.split, _shortened(e.text)) for e in islice(entries, EXAMPLES))


def _shortened(text: str) -> str:
    if len(text) <= CUT:
        return text
    half = CUT // 2
    return f"{text[:half]} … {text[-half:]}"
