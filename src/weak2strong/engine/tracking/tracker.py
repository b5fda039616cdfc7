"""What a tracker is, what it is told, and how a plugin adds one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from weak2strong.engine.tracking import TRACKERS
from weak2strong.ground.plugins import origin_of

PROJECT = "weak2strong"
"""The project, or experiment, of a tracker where the user's environment names no other."""

MEASURES = ("loss", "gradient_norm", "learning_rate", "head_rate", "validation")
"""The numbers of a row of a training, any of which may be None."""


@dataclass(frozen=True)
class TrackedRun:
    """A run, when it starts.

    Attributes:
        name: of its folder.
        folder: in which a tracker may keep files of its own.
        settings: of the study, by name, in values that JSON has.
    """

    name: str
    folder: Path
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class TrackedTraining:
    """One finetuning, when it is done, or was read from the store.

    Attributes:
        name: unique in the run, such as "atlas-asia student naive seed 0".
        task: its name.
        role: "supervisor", "student" or "ceiling".
        method: of a student; otherwise empty.
        seed: of the cell.
        rows: by step, each with ``step`` and `MEASURES` (see `weak2strong.engine.curves`).
    """

    name: str
    task: str
    role: str
    method: str
    seed: int
    rows: Sequence[Mapping[str, Any]]

    def numbers(self) -> list[tuple[int, dict[str, float]]]:
        """Each step with those of its measures that are known."""
        return [
            (row["step"], {name: row[name] for name in MEASURES if row[name] is not None})
            for row in self.rows
        ]


class Tracker(Protocol):
    """Follows one run. Whatever a method raises ends the tracker with a warning, not the run.

    Attributes:
        package: that must be installed, by the name that is imported; empty for none.
        extra: of weak2strong, which installs it; empty for none.
    """

    package: ClassVar[str]
    extra: ClassVar[str]

    def start(self, run: TrackedRun) -> str:
        """Begin to follow a run; returns where it can be looked at, for people."""
        ...

    def training(self, training: TrackedTraining) -> None:
        """Take in the curve of a finetuning."""
        ...

    def results(self, table: Sequence[Mapping[str, Any]], page: Path) -> None:
        """Take in what a finished run found.

        Args:
            table: its rows, one a task and method; none of an experiment without such a table.
            page: the report, one HTML file.
        """
        ...

    def end(self, failed: bool) -> None:
        """Follow the run no more; ``failed`` where it did not come to its end."""
        ...


Kind = TypeVar("Kind", bound=type)


def tracker(name: str) -> Callable[[Kind], Kind]:
    """Register a class of `Tracker`, which is made without arguments, as ``--track NAME``.

    Args:
        name: as in ``--track``.

    Raises:
        UserError: for a name that is taken.
    """

    def register(kind: Kind) -> Kind:
        TRACKERS.add(name, kind, origin_of(kind))
        return kind

    return register


def plain_numbers(row: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a row of results, by name."""
    return {
        name: float(value)
        for name, value in row.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
