"""`w2s compare`: methods against a baseline, over the tasks of one or more runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from weak2strong.cli.asked import Place
from weak2strong.cli.lists import Plugins
from weak2strong.cli.printing import Printing
from weak2strong.cli.run import PrimaryTest
from weak2strong.methods import BASELINE

if TYPE_CHECKING:
    from weak2strong.analysis.differences import Score
    from weak2strong.api import Results


@dataclass(frozen=True)
class Compare(Printing):
    """Compare methods with a baseline over tasks: wins, tests, effect sizes, Holm's correction.

    The primary test is the one that the study named before it was run.
    """

    folders: Positional[
        Annotated[tuple[Path, ...], arg(metavar="RUN ...", help_behavior_hint="")]
    ] = ()
    """The run folders (default: runs/latest). A task that is in several counts once."""
    baseline: str = BASELINE
    """The method that the others are compared with."""
    csv: Place = None
    """Scores from elsewhere, more being better: a file with columns task, method, score[, seed]."""
    score: Literal["student", "pgr"] = "student"
    """What is compared: the student's score (on every task), or PGR (on tasks with a gap)."""
    metric: Annotated[str | None, arg(metavar="METRIC", help_behavior_hint="")] = None
    """Another metric than the study's."""
    test: Annotated[PrimaryTest | None, arg(metavar="TEST", help_behavior_hint="")] = None
    """Another primary test than the study's, which makes the comparison exploratory; or the
    primary test of a CSV file (default: wilcoxon-one-sided)."""
    level: float = 0.05
    """Of the tests together, after Holm."""
    plugin: Plugins = ()
    """Python files with methods of your own, whose properties the comparison heeds."""

    def __call__(self) -> None:
        """Compare and print."""
        from weak2strong.analysis.compare import compare
        from weak2strong.analysis.comparison import comparison_document
        from weak2strong.analysis.oracles import oracles
        from weak2strong.analysis.over_tasks import on_these_tasks
        from weak2strong.api import Results
        from weak2strong.cli.power import share
        from weak2strong.ground.metrics import metric_title
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.methods.reference import is_oracle

        load_plugins(self.plugin)
        share(self.level, "--level")
        places = self.folders or (() if self.csv else (Path("runs/latest"),))
        runs = [Results(folder) for folder in places]
        metric = self.metric or _one(
            [r.config.metric or "accuracy" for r in runs], "metric", "score"
        )
        test, warnings = self._test(runs)
        scores, left_out = self._scores(runs, metric)
        methods = {s.method for s in scores} - {self.baseline}
        told = frozenset[str]().union(*(oracles(run.predictions) for run in runs))
        if left := sorted(m for m in methods if m in told or is_oracle(m)):
            scores = [s for s in scores if s.method not in left]
            left_out.append(f"Left out since they saw ground truth (oracle): {', '.join(left)}.")
        found = compare(scores, self.baseline, test, self.level)
        what = metric_title(metric)
        if runs:
            what = f"PGR on {what}" if self.score == "pgr" else f"{what} of the student"
        on_these = None
        if len(runs) == 1 and not self.csv and self.score == "student" and found.unit == "task":
            run = runs[0]
            on_these = on_these_tasks(run.config, run.predictions, self.baseline, metric)
        common = {m: on_these[m].common for m in found.family} if on_these else {}
        more = (*warnings, *left_out, *_concerns(runs, scores, common))
        found = replace(found, warnings=(*found.warnings, *more))
        self.show(comparison_document(found, what, on_these))

    def _test(self, runs: Sequence[Results]) -> tuple[str, list[str]]:
        """The primary test, and a warning where it is not the one that a study had named."""
        named = [r.config.primary_test for r in runs]
        if self.test is None:
            return _one(named, "primary_test", "wilcoxon-one-sided", "--test"), []
        if all(name == self.test for name in named):
            return self.test, []
        return self.test, [
            f"The study had named {' and '.join(dict.fromkeys(named))} as its primary test: "
            "with another one this comparison is exploratory."
        ]

    def _scores(self, runs: Sequence[Results], metric: str) -> tuple[list[Score], list[str]]:
        """All scores, and which tasks were left out."""
        from weak2strong.analysis.scores import pgr_scores, read_scores, student_scores
        from weak2strong.ground.errors import UserError

        if self.csv and self.score == "pgr":
            raise UserError("A file of scores has no floor and ceiling: leave out --score pgr.")
        scores: list[Score] = read_scores(self.csv) if self.csv else []
        flat: list[str] = []
        for run in runs:
            if self.score == "student":
                scores += student_scores(run.config, run.cells, metric)
                continue
            found, without = pgr_scores(run.config, run.cells, run.lines(metric))
            scores += found
            flat += without
        if not scores:
            raise UserError("No task has a gap: compare the students' scores, without --score pgr.")
        if not flat:
            return scores, []
        return scores, [
            "Left out since the interval of the gap reaches 0: "
            f"{', '.join(dict.fromkeys(flat))}; the comparison speaks of tasks with a gap."
        ]


def _one(names: list[str], what: str, default: str, flag: str = "--metric") -> str:
    """The one name that all studies have."""
    from weak2strong.ground.errors import UserError

    found = list(dict.fromkeys(names))
    if len(found) > 1:
        raise UserError(f"The runs differ in {what} ({', '.join(found)}): choose with {flag}.")
    return found[0] if found else default


def _concerns(
    runs: Sequence[Results], scores: Sequence[Score], common: Mapping[str, float]
) -> list[str]:
    """What must be known of the runs: tasks that are not independent, students that saw truth."""
    import polars as pl

    from weak2strong.analysis.over_tasks import sharing_tasks

    if not runs:
        return []
    used = sorted({s.task for s in scores})
    held = [r.predictions.select("task", "group").filter(pl.col("task").is_in(used)) for r in runs]
    tasks = sharing_tasks(pl.concat(held))
    said = []
    if tasks:
        shares = ", ".join(f"{method} {share:.0%}" for method, share in common.items())
        here = f" Share of such luck in a difference's variance, roughly: {shares}."
        said.append(
            f"{len(tasks)} tasks share test entities with another one. The tests, and the interval "
            "over tasks, take tasks for independent: luck with an entity that helps a method on "
            "several tasks makes them too sure (docs/statistics.md says by how much)."
            + (here if common else "")
        )
    if any(run.config.strong_training.stopping == "oracle" for run in runs):
        said.append("Students stopped on ground truth (oracle): these are no fair results.")
    return said
