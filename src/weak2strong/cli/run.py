"""`w2s run`: a study from start to table; `w2s table`: the table of a finished run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from weak2strong.cli.data import Data
from weak2strong.cli.finetuning import Finetuning

if TYPE_CHECKING:
    from weak2strong.api import Results
    from weak2strong.study.config import StudyConfig
    from weak2strong.study.contents import Contents


Model = Annotated[str | None, arg(metavar="MODEL", help_behavior_hint="")]
Names = Annotated[tuple[str, ...] | None, arg(metavar="NAME ...", help_behavior_hint="")]
Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Models = Annotated[tuple[str, ...] | None, arg(metavar="MODEL ...", help_behavior_hint="")]
Places = Annotated[tuple[Path, ...] | None, arg(metavar="PATH ...", help_behavior_hint="")]
Place = Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="")]
PrimaryTest = Literal["wilcoxon-one-sided", "wilcoxon-two-sided", "t-one-sided", "t-two-sided"]


@dataclass(frozen=True)
class Run:
    """Run a study: supervisor, weak labels, students, ceiling; then print the table.

    Without arguments it runs the default study on the embedded ladder. What the
    store has already is not computed again.
    """

    study: Positional[Place] = None
    """A study as YAML, such as the study.yaml of an earlier run; flags override it."""
    task: Names = None
    """Tasks or groups by name, such as atlas-suite (default: atlas-asia; see: w2s tasks), your
    own files (.jsonl, .csv, .parquet), or datasets of the hub (owner/name)."""
    parts: Annotated[
        tuple[Path, ...] | None, arg(name="data", metavar="PATH ...", help_behavior_hint="")
    ] = None
    """In place of --task, data that are split already: folders with train_label.jsonl (for the
    supervisor), train_unlabel.jsonl (for the student) and test.jsonl, or three such files."""
    weak: Model = None
    """Supervisor model: a ladder rung, a folder, or a hub id[@revision] (default: atlas-s)."""
    strong: Model = None
    """Student and ceiling model, likewise (default: atlas-l)."""
    intermediates: Models = None
    """Models between the two, the smallest first, for bootstrapping (default: the rungs between
    two rungs of the ladder)."""
    supervisors: Models = None
    """Further supervisors, for ensembles (default: --weak from other seeds)."""
    methods: Names = None
    """Methods by name, or all that the study can provide for, but for oracles (default: naive
    confidence; see: w2s methods). NAME:SETTING=VALUE changes a setting, STEP+NAME puts a step
    before a method."""
    plugin: Places = None
    """Python files that add methods, losses, probes or tasks of your own."""
    seeds: Number = None
    """How many seeds (default: 5); each varies initialisation, order and supervisor."""
    metric: Annotated[str | None, arg(metavar="METRIC", help_behavior_hint="")] = None
    """What PGR is computed on: accuracy (default) or roc_auc."""
    primary_test: Annotated[
        PrimaryTest | None,
        arg(metavar="TEST", help_behavior_hint=""),
    ] = None
    """By which w2s compare will judge methods, fixed before there are results: wilcoxon-one-sided
    (default), wilcoxon-two-sided, t-one-sided or t-two-sided."""
    weak_labels: Place = None
    """A csv, jsonl or parquet file of your own weak labels, in place of a supervisor."""
    entities: Annotated[
        Literal["seen", "unseen"] | None, arg(metavar="{seen,unseen}", help_behavior_hint="")
    ] = None
    """Ask about what the ladder has read about (default), or about what no rung can know."""
    train_difficulty: Annotated[str | None, arg(metavar="RANGE", help_behavior_hint="")] = None
    """Train and validate on such examples alone, where a task says how hard they are: below:1200,
    above:1600, between:1200:1600, easiest:0.5 or hardest:0.25 (a share of the task)."""
    test_difficulty: Annotated[str | None, arg(metavar="RANGE", help_behavior_hint="")] = None
    """Test on such examples alone, likewise: easy to hard, for instance."""
    dry_run: FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]] = False
    """Train nothing and write nothing: print the cells, the stages they share, and a rough guess
    of what they take, without a network."""
    out: Place = None
    """The run folder; a new one below runs/ by default."""
    store: Place = None
    """Where stages are kept; ~/.cache/weak2strong by default, or $W2S_STORE."""
    quiet: Annotated[bool, arg(help_behavior_hint="")] = False
    """Show no progress."""
    finetuning: Finetuning = field(default_factory=Finetuning)
    data: Data = field(default_factory=Data)

    def __call__(self) -> None:
        """Run, then print the table and the paths of what was written; or print the plan."""
        if self.dry_run:
            _print_plan(self.config())
            return
        from weak2strong.api import Results
        from weak2strong.progress import Progress
        from weak2strong.study.run import run_study

        with Progress(quiet=self.quiet) as progress:
            folder = run_study(self.config(), self.out, self.store, progress, show=_show)
        _print(Results(folder))
        print("\nWritten to")
        for name, what in WRITTEN.items():
            print(f"  {folder / name}  {what}")

    def config(self) -> StudyConfig:
        """The study that the flags describe."""
        from weak2strong.study.config import StudyConfig, read_study

        config = read_study(self.study) if self.study else StudyConfig()
        given: dict[str, Any] = {
            "tasks": _parted(self.parts, self.task) if self.parts else self.task,
            "methods": self.methods,
            "seeds": self.seeds,
            "metric": self.metric,
            "primary_test": self.primary_test,
            "weak_labels": self.weak_labels,
            "entities": self.entities,
            "train_difficulty": self.train_difficulty,
            "test_difficulty": self.test_difficulty,
            "data": self.data.options(config.data),
            "plugins": self.plugin,
        }
        config = replace(config, **{k: v for k, v in given.items() if v is not None})
        return self.finetuning.changed(
            config, self.weak, self.strong, self.intermediates, self.supervisors
        )


def _parted(paths: tuple[Path, ...], tasks: tuple[str, ...] | None) -> tuple[str, ...]:
    """References of tasks that are split already: one a folder, or one of three files."""
    from weak2strong.errors import UserError
    from weak2strong.tasks.parts import NAMES, three_files

    if tasks:
        raise UserError("--task and --data both name tasks: leave one of them out.")
    if len(paths) == 3 and not any(path.is_dir() for path in paths):
        return (",".join(map(str, paths)),)
    for path in paths:
        if not path.is_dir() or three_files(str(path)) is None:
            raise UserError(
                f"--data takes folders with {', '.join(NAMES)}, or three such files, "
                f"and {path} is no such folder."
            )
    return tuple(map(str, paths))


WRITTEN = {
    "results.parquet": "a row a cell and metric",
    "predictions.parquet": "test predictions of every role, by id",
    "agreement.parquet": "how often students answer as their supervisors, by split",
    "examples.parquet": "difficulty of test examples, and texts of some",
    "tasks.json": "what the tasks hold",
    "study.yaml": "the study, to run it again",
    "environment.json": "versions and device",
    "work.json": "what each step took, and what it reused",
    "events.jsonl": "what happened, stage by stage",
}


@dataclass(frozen=True)
class Table:
    """Print the tables of finished runs, or write them as a page of Markdown."""

    folders: Positional[tuple[Path, ...]] = (Path("runs/latest"),)
    """The run folders."""
    metric: str | None = None
    """Another metric than the study's."""
    markdown: Path | None = None
    """A file to write one page with all of the runs to, instead of printing."""

    def __call__(self) -> None:
        """Print, or write the page."""
        from weak2strong.api import Results

        runs = [Results(folder) for folder in self.folders]
        if self.markdown is None:
            for run in runs:
                _print(run, self.metric)
            return
        self._write(runs, self.markdown)

    def _write(self, runs: list[Results], path: Path) -> None:
        from weak2strong.errors import UserError
        from weak2strong.report.markdown import Shown, results_page

        metric = ("--metric", self.metric) if self.metric else ()
        command = ("w2s", "table", *map(str, self.folders), *metric, "--markdown", str(path))
        lines = [run.lines(self.metric) for run in runs]
        shown = [
            Shown(run.config, of, run.over_tasks(of)) for run, of in zip(runs, lines, strict=True)
        ]
        try:
            path.write_text(results_page(shown, shlex.join(command)))
        except OSError as e:
            raise UserError(f"Cannot write {path} ({e.strerror}): choose another file.") from e
        print(f"Written to {path}")


def _show(tasks: Sequence[Contents]) -> None:
    """Show what a user's own data hold; the atlas is known."""
    from weak2strong.report.contents import print_contents
    from weak2strong.report.table import table_console

    for task in tasks:
        if task.cleaning:
            print_contents(task, table_console())


def _print_plan(config: StudyConfig) -> None:
    from weak2strong.report.plan import print_plan
    from weak2strong.report.table import table_console
    from weak2strong.study.plan import plan_study

    print_plan(plan_study(config), table_console())


def _print(results: Results, metric: str | None = None) -> None:
    from weak2strong.report.table import print_table, table_console

    lines = results.lines(metric)
    print_table(lines, table_console(), results.over_tasks(lines))
