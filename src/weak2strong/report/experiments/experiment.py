"""What a page says of an experiment, whatever command made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.errors import UserError
from weak2strong.report.figures.kind import FigureWithData
from weak2strong.report.table import TextTable

if TYPE_CHECKING:
    from weak2strong.config.study import StudyConfig
    from weak2strong.engine.work import Work


@dataclass(frozen=True)
class Experiment:
    """A finished folder of an experiment.

    Attributes:
        folder: the folder.
        title: which experiment, and of what.
        about: what was done, in a sentence or two.
        tables: those of the terminal, and what to say beneath each.
        notes: how to read all of them.
        warnings: what to know before quoting them.
        figures: with their data.
        config: the study; that of the first run where the folder holds several.
        environment: versions, device and commit, likewise.
        work: what all of it spent, as far as it was written down.
        runs: finished runs in the folder that are to be compared.
    """

    folder: Path
    title: str
    about: str
    tables: Sequence[tuple[TextTable, str]]
    notes: Sequence[str]
    warnings: Sequence[str]
    figures: Sequence[FigureWithData]
    config: StudyConfig
    environment: Mapping[str, Any]
    work: Sequence[Work] = ()
    runs: Sequence[FinishedRun] = field(default=())


def incomplete(folder: Path, run: str) -> UserError:
    """What to say of a folder whose table tells of a run that is not in it."""
    return UserError(
        f"{folder} lacks the run {run}, of which its table tells: copy the folder as a whole, or "
        "run the same command again."
    )


def counted(number: int, what: str) -> str:
    """A number of things, such as ``2 seeds``."""
    return f"{number} {what}{'' if number == 1 else 's'}"
