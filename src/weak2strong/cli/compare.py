"""`w2s compare`: methods against a baseline over tasks, or runs that differ in a setting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from tyro.conf import Positional, arg

from weak2strong.cli.lists import Plugins
from weak2strong.cli.printing import Printing
from weak2strong.cli.saturated import Saturated, cut
from weak2strong.cli.study import Place
from weak2strong.config.study import PrimaryTest
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.runs import LATEST_RUN
from weak2strong.methods import BASELINE


@dataclass(frozen=True)
class Compare(Printing):
    """Compare methods with a baseline, or runs with each other.

    Over tasks: wins, tests, effect sizes, and Holm's correction. The primary test is the one that
    the study named before it was run. Runs of the same tasks that differ in a setting are compared
    with the first one instead, paired by seed and test example.
    """

    purpose: ClassVar[Purpose] = Purpose.ASK
    runs: ClassVar[tuple[str, ...]] = ("folders",)

    folders: Positional[
        Annotated[tuple[Path, ...], arg(metavar="[RUN ...]", help_behavior_hint="")]
    ] = ()
    """The run folders (default: runs/latest). Of methods, a task that is in several counts once."""
    baseline: str = BASELINE
    """The method that the others are compared with; or floor or ceiling: the supervisors, or the
    ceilings, with which all methods are compared."""
    csv: Place = None
    """Scores from elsewhere, more being better: a file with columns task, method, score[, seed]."""
    score: Literal["student", "pgr"] = "student"
    """What is compared: the student's score (on every task), or PGR (on tasks with a gap)."""
    metric: Annotated[str | None, arg(metavar="METRIC", help_behavior_hint="")] = None
    """Another metric than the study's."""
    test: Annotated[PrimaryTest | None, arg(metavar="TEST", help_behavior_hint="")] = None
    """Another primary test than the study's, which makes the comparison exploratory; or the
    primary test of a CSV file (default: wilcoxon-one-sided)."""
    between: Annotated[
        Literal["methods", "settings"] | None, arg(metavar="WHAT", help_behavior_hint="")
    ] = None
    """Compare methods, each within its run, or settings, each run with the first (default: settings
    where all runs differ from the first in one, and share a task and a method with it)."""
    saturated: Saturated = None
    level: float = 0.05
    """Of the tests together, after Holm."""
    plugin: Plugins = ()
    """Python files with methods of your own, whose properties the comparison heeds."""

    def __call__(self) -> None:
        """Compare and print."""
        from weak2strong.analysis.comparison import compare_runs
        from weak2strong.analysis.finished import Results
        from weak2strong.cli.power import share
        from weak2strong.ground.errors import UserError
        from weak2strong.ground.plugins import load_plugins

        load_plugins(self.plugin)
        share(self.level, "--level")
        folders = self.folders or (() if self.csv else (LATEST_RUN,))
        runs = [Results(folder, saturated=cut(self.saturated)) for folder in folders]
        if self.csv and not runs and self.saturated is not None:
            raise UserError("A file of scores has no floor and ceiling: leave out --saturated.")
        self.show(
            compare_runs(
                runs,
                self.csv,
                self.baseline,
                self.score,
                self.metric,
                self.test,
                self.level,
                self.between,
            )
        )
