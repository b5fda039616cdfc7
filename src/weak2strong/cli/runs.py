"""`w2s runs`: the runs and experiments that there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import Positional, arg

from weak2strong.cli.printing import Printing
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.runs import RUNS


@dataclass(frozen=True)
class Runs(Printing):
    """List runs and experiments, with their state and PGR.

    The newest comes first. Only indices, studies and a note of the PGR are read; a folder that is
    damaged is listed with what is wrong. A listed run can be named by the beginning of its name.
    """

    purpose: ClassVar[Purpose] = Purpose.RUN

    folders: Positional[
        Annotated[tuple[Path, ...], arg(metavar="[FOLDER ...]", help_behavior_hint="")]
    ] = ()
    """Folders of runs, or folders that hold some (default: runs)."""

    def __call__(self) -> None:
        """Print the list."""
        from weak2strong.analysis.listed import listed, listed_document

        roots = self.folders or ((RUNS,) if RUNS.is_dir() else ())
        self.show(listed_document(listed(roots)))
