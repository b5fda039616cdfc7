"""`w2s verify`: with a few trusted labels, is the student better than its supervisor?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import Positional, arg

from weak2strong.cli.printing import Printing
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.runs import LATEST_RUN

Names = Annotated[tuple[str, ...], arg(metavar="NAME ...", help_behavior_hint="")]


@dataclass(frozen=True)
class Verify(Printing):
    """Tell by a few trusted labels whether students are better.

    Each is compared with its supervisor. The labels are drawn from the test set, at most one of a
    group.
    """

    purpose: ClassVar[Purpose] = Purpose.ASK
    runs: ClassVar[tuple[str, ...]] = ("folder",)

    folder: Positional[Path] = LATEST_RUN
    """The run folder."""
    trusted: Annotated[int, arg(metavar="N", help_behavior_hint="")] = 100
    """How many ground-truth labels of each task to trust (default: 100)."""
    task: Names = ()
    """Only these tasks."""
    methods: Names = ()
    """Only these methods."""
    student_seed: int = 0
    """Which student and supervisor: those of this seed."""
    seed: int = 0
    """Of the draw of labels."""

    def __call__(self) -> None:
        """Print a row a task and method."""
        from weak2strong.analysis.finished import Results
        from weak2strong.analysis.trusted import verified_document, verify_students

        run = Results(self.folder)
        found = verify_students(
            run.config,
            run.predictions,
            run.agreement,
            self.trusted,
            tasks=self.task,
            methods=self.methods,
            student_seed=self.student_seed,
            seed=self.seed,
        )
        self.show(verified_document(found, self.student_seed))
