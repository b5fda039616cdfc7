"""`w2s power`: how many tasks and seeds it takes to see a difference between two methods."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from weak2strong.cli.lists import MetricPlugins
from weak2strong.cli.printing import Printing
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.runs import LATEST_RUN
from weak2strong.methods import BASELINE

if TYPE_CHECKING:
    from weak2strong.analysis.power import Components


def share(value: float, flag: str) -> None:
    """Refuse what is no number between 0 and 1."""
    from weak2strong.ground.errors import UserError

    if not 0 < value < 1:
        raise UserError(f"{flag} is a number between 0 and 1, not {value:g}.")


@dataclass(frozen=True)
class Power(Printing):
    """Tell how many tasks and seeds it takes to see a difference.

    It is one between a method and a baseline, and the answer follows from the variance between
    tasks and between seeds that a run shows, or that you give.
    """

    purpose: ClassVar[Purpose] = Purpose.ASK
    runs: ClassVar[tuple[str, ...]] = ("folder",)

    folder: Positional[Path] = LATEST_RUN
    """The run folder that shows the variance."""
    difference: Annotated[float, arg(help_behavior_hint="")] = 0.1
    """The true mean difference that is to be seen (default: 0.1)."""
    score: Literal["pgr", "student"] = "pgr"
    """What the difference is in: PGR (on tasks with a gap), or the student's score."""
    baseline: str = BASELINE
    """The method that another one is compared with."""
    method: Annotated[str | None, arg(metavar="METHOD", help_behavior_hint="")] = None
    """That other one, where the run has several."""
    metric: Annotated[str | None, arg(metavar="METRIC", help_behavior_hint="")] = None
    """Another metric than the study's."""
    variance: Annotated[
        tuple[float, float] | None, arg(metavar="BETWEEN WITHIN", help_behavior_hint="")
    ] = None
    """In place of a run: the variance of the difference between tasks, and within a task between
    seeds."""
    power: float = 0.8
    """The chance wanted to see the difference."""
    level: float = 0.05
    """Of the test."""
    two_sided: FlagCreatePairsOff[bool] = False
    """Test two-sided."""
    family: int = 1
    """How many methods are tested against the baseline: the level is divided by it (a bound on
    what Holm needs)."""
    plugin: MetricPlugins = ()

    def __call__(self) -> None:
        """Print the table of designs and the smallest one."""
        from weak2strong.analysis.designs import Question, power_document
        from weak2strong.ground.errors import UserError
        from weak2strong.ground.plugins import load_plugins

        load_plugins(self.plugin)
        share(self.level, "--level")
        share(self.power, "--power")
        if not 0 < self.difference < float("inf") or self.family < 1:
            raise UserError("--difference is a number above 0, and --family is 1 or more.")
        variance, what = self._variance()
        level = self.level / self.family
        question = Question(self.difference, what, self.power, level, self.two_sided, variance)
        self.show(power_document(question))

    def _variance(self) -> tuple[Components, str]:
        """The variances, and what they are of."""
        from weak2strong.analysis.designs import variance_seen
        from weak2strong.analysis.finished import Results
        from weak2strong.analysis.power import Components
        from weak2strong.ground.errors import UserError

        if self.variance:
            if not all(0 <= part < inf for part in self.variance) or max(self.variance) == 0:
                raise UserError("--variance takes two numbers of 0 or more, not both 0.")
            return Components(*self.variance), "the score"
        run = Results(self.folder)
        return variance_seen(run, self.baseline, self.method, self.score, self.metric)
