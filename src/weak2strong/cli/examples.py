"""`w2s examples`: single test examples of a finished run, and all that was answered to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import Positional, arg

from weak2strong.cli.lists import MetricPlugins
from weak2strong.cli.printing import Printing
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.runs import LATEST_RUN

WHERE = (
    "Which examples, such as 'weak wrong, student right' or 'student disagrees and not label 1': "
    "weak, student or ceiling with right, wrong or says ANSWER; student or ceiling disagrees (with "
    "the supervisor); seeds disagree; label CLASS; change, confidence or difficulty with < or > "
    "and a number; joined by commas, and, or, not and brackets."
)


@dataclass(frozen=True)
class Examples(Printing):
    """Look at single test examples of a run.

    Texts, truth, the supervisor's label, students and ceiling. Over several seeds an answer is the
    class of the highest mean probability; of texts, the one that most seeds gave.
    """

    purpose: ClassVar[Purpose] = Purpose.ASK
    runs: ClassVar[tuple[str, ...]] = ("folder",)

    folder: Positional[Annotated[Path, arg(metavar="[RUN]", help_behavior_hint="")]] = LATEST_RUN
    """The run folder (default: runs/latest), or that of an experiment with one run."""
    where: Annotated[str, arg(metavar="CONDITION", help=WHERE, help_behavior_hint="")] = ""
    method: Annotated[str, arg(metavar="METHOD", help_behavior_hint="")] = ""
    """Whose students the condition and the order mean (default: the first method of the run)."""
    task: Annotated[tuple[str, ...], arg(metavar="TASK ...", help_behavior_hint="")] = ()
    """Tasks of the run (default: all)."""
    search: Annotated[tuple[str, ...], arg(metavar="WORD ...", help_behavior_hint="")] = ()
    """Words that all have to be in the texts."""
    sort: Annotated[str, arg(metavar="{change,confidence,difficulty}")] = "change"
    """By how far students moved from their supervisors, how sure they are of their answer, or how
    hard the example is; the largest first."""
    seed: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """One seed in place of all of them."""
    limit: Annotated[int, arg(metavar="N")] = 10
    """The most examples."""
    plugin: MetricPlugins = ()

    def __call__(self) -> None:
        """Find, and print."""
        from weak2strong.analysis.looking import Wish, look
        from weak2strong.ground.errors import UserError
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.report.folders import read_finished, runs_in
        from weak2strong.report.looked import looked_document
        from weak2strong.report.names import folder_word

        load_plugins(self.plugin)
        runs = runs_in(read_finished(self.folder))
        if len(runs) != 1:
            inside = f"name one of them, such as {folder_word(runs[0].folder)}" if runs else ""
            raise UserError(
                f"{self.folder} holds {len(runs)} runs with test examples: "
                f"{inside or 'name the folder of a run'}."
            )
        wish = Wish(
            where=self.where,
            method=self.method,
            tasks=self.task,
            search=self.search,
            sort=self.sort,
            seed=self.seed,
            limit=self.limit,
        )
        self.show(looked_document(look(runs[0], wish), self.sort))
