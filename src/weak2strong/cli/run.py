"""`w2s run`: a study from start to table; `w2s table`: the table of a finished run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from tyro.conf import FlagCreatePairsOff, Positional, arg

from weak2strong.cli.lists import MetricPlugins
from weak2strong.cli.printing import Printing
from weak2strong.cli.saturated import Saturated, cut
from weak2strong.cli.study import MethodFlags, StudyCommand
from weak2strong.ground.errors import UserError
from weak2strong.ground.lines import tell, width_of
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.runs import LATEST_RUN

if TYPE_CHECKING:
    from weak2strong.analysis.finished import Results
    from weak2strong.engine.contents import Contents
    from weak2strong.ground.table import Document


@dataclass(frozen=True, kw_only=True)
class Run(Printing, MethodFlags, StudyCommand):
    """Run a study and print its table.

    A supervisor labels, students learn its labels, and a ceiling learns ground truth. Without
    arguments it runs the default study on the embedded ladder. What the store has already is not
    computed again.
    """

    purpose: ClassVar[Purpose] = Purpose.RUN

    dry_run: FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]] = False
    """Train nothing and write nothing: print the cells, the stages they share, and what
    these take, without a network."""
    gpus: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """With --dry-run: simulate the study on so many GPUs, and on 1 to 1,024, each as fast as this
    device; a worker has as many as a fit takes, and does one step at a time."""
    assume_device: Annotated[str | None, arg(metavar="GPU", help_behavior_hint="")] = None
    """With --dry-run: also say what a GPU that is not here would hold of the study, such as
    a100-80gb, h100, l4, t4 or rtx-4090; an unknown name lists them all."""
    explain: FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]] = False
    """Train nothing and write nothing: say which stages the store does not have, and in what each
    differs from the nearest one that it has."""

    keep_models: Annotated[
        tuple[str, ...], arg(metavar="ROLE ...", help_behavior_hint="(default: none)")
    ] = ()
    """Keep the trained models of student, ceiling, supervisor, or all of them: a folder each below
    models/ in the run folder, for Transformers or PEFT, w2s predict, or a later study."""

    def __call__(self) -> None:
        """Run, then print the table and the paths of what was written; or print what would be."""
        if self.dry_run and self.explain:
            raise UserError("--dry-run and --explain answer two questions: give one of them.")
        if self.gpus is not None and not self.dry_run:
            raise UserError(
                "--gpus says on how many GPUs --dry-run simulates the study: give both of them."
            )
        if self.assume_device is not None and not self.dry_run:
            raise UserError(
                "--assume-device says for which GPU --dry-run plans the study: give both of them."
            )
        if self.dry_run:
            return self.show(*self._plan())
        if self.explain:
            from weak2strong.engine.explain import explain_study
            from weak2strong.report.stored import explained_document

            explained = explain_study(self.config(), self.store, self.engine_options)
            return self.show(explained_document(explained))
        from weak2strong.analysis.finished import Results
        from weak2strong.analysis.printed import run_document
        from weak2strong.analysis.shares import note_brief
        from weak2strong.engine.run import run_study
        from weak2strong.ground.progress import Progress

        with Progress(quiet=self.quiet) as progress:
            show = (lambda tasks: None) if self.json else self._show_contents
            folder = run_study(
                self.config(),
                self.out,
                self.store,
                progress,
                show=show,
                engine=self.engine_options,
                keep=self.keep_models,
            )
        results = Results(folder)
        note_brief(results)
        self.show(run_document(results))
        tell(f"\nWritten to {folder}")
        if not (self.json or self.quiet):
            from weak2strong.report.ending import ending

            tell(*ending(results, self.store, width_of(sys.stderr)))

    def _plan(self) -> list[Document]:
        """What the study would do, and how long that takes on the GPUs that were asked for."""
        from weak2strong.engine.forecast import forecast
        from weak2strong.engine.plan import plan_study
        from weak2strong.report.forecast import forecast_document
        from weak2strong.report.plan import plan_document

        plan = plan_study(self.config(), self.store, self.assume_device)
        documents = [plan_document(plan)]
        if self.gpus is not None:
            documents.append(forecast_document(forecast(plan, self.gpus)))
        return documents

    def _show_contents(self, tasks: Sequence[Contents]) -> None:
        """Show what a user's own data hold; the atlas is known."""
        from weak2strong.report.contents import contents_document

        self.show(*(contents_document(task) for task in tasks if task.cleaning))


@dataclass(frozen=True)
class Table(Printing):
    """Print the tables of finished runs, or write them as Markdown.

    Runs of the same tasks that differ in a setting are also compared with the first one.
    """

    purpose: ClassVar[Purpose] = Purpose.RUN
    runs: ClassVar[tuple[str, ...]] = ("folders",)

    folders: Positional[tuple[Path, ...]] = (LATEST_RUN,)
    """The run folders."""
    metric: str | None = None
    """Another metric than the study's."""
    saturated: Saturated = None
    markdown: Path | None = None
    """A file to write one page with all of the runs to, instead of printing."""
    plugin: MetricPlugins = ()

    def __call__(self) -> None:
        """Print, or write the page."""
        from weak2strong.analysis.finished import Results
        from weak2strong.analysis.shares import note_brief
        from weak2strong.ground.plugins import load_plugins

        load_plugins(self.plugin)
        runs = [Results(folder, saturated=cut(self.saturated)) for folder in self.folders]
        if self.metric is None and self.saturated is None:
            for run in runs:
                note_brief(run)
        if self.markdown is None:
            return self.show(*_documents(runs, self.metric))
        from weak2strong.analysis.settings_table import settings_beside
        from weak2strong.report.markdown import Section, results_page

        metric = ("--metric", self.metric) if self.metric else ()
        plugins = ("--plugin", *map(str, self.plugin)) if self.plugin else ()
        at = ("--saturated", f"{self.saturated:g}") if self.saturated is not None else ()
        more = (*metric, *at, *plugins)
        flags = (*map(str, self.folders), *more, "--markdown", str(self.markdown))
        lines = [run.lines(self.metric) for run in runs]
        sections = [
            Section(run.config, of, run.over_tasks(of)) for run, of in zip(runs, lines, strict=True)
        ]
        command = shlex.join(("w2s", "table", *flags))
        between = settings_beside(runs, self.metric)
        self.write_page(self.markdown, results_page(sections, command, between))


def _documents(runs: Sequence[Results], metric: str | None) -> list[Document]:
    """The tables of every run; of runs that differ in a setting, also each against the first."""
    from weak2strong.analysis.printed import run_document
    from weak2strong.analysis.settings_table import letter, settings_beside

    documents = [run_document(run, metric) for run in runs]
    between = settings_beside(runs, metric)
    if between is None:
        return documents
    for i, of in enumerate(documents):
        first, *more = of.tables
        tables = [replace(first, title=f"{letter(i)}: {first.title}"), *more]
        documents[i] = replace(of, tables=tables)
    return [*documents, between]
