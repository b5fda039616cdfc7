"""`w2s audit`: what is wrong with tasks before anything is trained on them, or with a run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from tyro.conf import FlagCreatePairsOff, Positional, arg

from weak2strong.cli.paths import folder_named
from weak2strong.cli.printing import Printing
from weak2strong.cli.study import DataFlags, data_options
from weak2strong.ground.lines import tell
from weak2strong.ground.rooms import Purpose

if TYPE_CHECKING:
    from weak2strong.analysis.audit.audit import Audited
    from weak2strong.analysis.audit.reader import Reader
    from weak2strong.analysis.audit.subject import Subject
    from weak2strong.config.data import DataOptions
    from weak2strong.config.model import ModelSpec

STUDY = "study"
"""As a model, both of a run's own."""


@dataclass(frozen=True, kw_only=True)
class Audit(Printing):
    """Look for leaks, shortcuts and contamination in tasks.

    Your own tasks, or those there are.

    Duplicates and near-duplicates across splits, groups in two splits, uneven classes;
    length, form and n-grams that tell the label; right and wrong answers in different
    forms; with --model also texts that are cut, and texts that the model may have read.
    Of a run folder: its tasks as the run used them, written to audit.json there, whose errors
    and warnings `w2s report` shows.
    """

    purpose: ClassVar[Purpose] = Purpose.DATA

    tasks: Positional[
        Annotated[tuple[str, ...], arg(metavar="TASK|RUN ...", help_behavior_hint="")]
    ]
    """Tasks by name, or your own files or datasets; or run folders, such as runs/latest."""
    model: Annotated[tuple[str, ...], arg(metavar="MODEL ...", help_behavior_hint="")] = ()
    """Models whose context and memory of the texts to look at; of a run folder, `study` stands for
    the models of its study."""
    fresh: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """With --model and one task: texts of its form that are newer than the model, for the
    question whether it has read the test (a file with the same text column)."""
    cutoff: Annotated[tuple[str, ...], arg(metavar="MODEL=DATE ...", help_behavior_hint="")] = ()
    """Up to when a model of --model knows texts, such as MODEL=2023-03, where its maker's date is
    not known here or is another."""
    published: Annotated[str | None, arg(metavar="DATE", help_behavior_hint="")] = None
    """When the data were published, such as 2023-12."""
    date_column: Annotated[str | None, arg(metavar="COLUMN", help_behavior_hint="")] = None
    """A column of one file with the date of each text: those that a model may have read are
    counted, and compared with those that are newer than it."""
    strict: FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]] = False
    """Exit with 1 where an error was found."""
    json: Annotated[  # pyright: ignore[reportIncompatibleVariableOverride]
        tuple[Path, ...] | None, arg(metavar="[FILE]", help_behavior_hint="")
    ] = None
    """Print one JSON document (docs/json.md), and all else to standard error; or write what was
    found, with all numbers, to a file."""
    data: DataFlags = field(default_factory=DataFlags)

    @property
    def as_json(self) -> bool:
        """Whether tables are printed as JSON: where no file is named for it."""
        return self.json == ()

    def __call__(self) -> int:
        """Print a table a task; 1 for errors where that is asked for, else 0."""
        from weak2strong.analysis.audit.audit import write_audits
        from weak2strong.analysis.audit.run import is_run
        from weak2strong.report.audit import audit_document, sum_document

        runs = [folder for folder in map(folder_named, self.tasks) if is_run(folder)]
        self._check(runs)
        audits = [one for run in runs for one in self._run(run)] if runs else self._tasks()
        documents = map(audit_document, audits) if self.as_json else ()
        self.show(*documents, sum_document(audits))
        for path in self.json or ():
            write_audits(path, audits)
        return int(self.strict and any(one.count("error") for one in audits))

    def _tasks(self) -> list[Audited]:
        """Audit tasks."""
        from weak2strong.analysis.audit.audit import read_fresh
        from weak2strong.analysis.audit.subject import Subject
        from weak2strong.config.model import ModelSpec
        from weak2strong.tasks import expand
        from weak2strong.tasks.find import find_tasks

        references, options = expand(self.tasks), data_options(self.data)
        self._check_fresh(references)
        readers = _readers([ModelSpec.parse(name) for name in self.model])
        fresh = read_fresh(self.fresh, options) if self.fresh else ()
        tasks = zip(references, find_tasks(references, options), strict=True)
        dates = self._dates(references, options)
        return self._audited(
            [replace(Subject.of(name, task, fresh), dates=dates) for name, task in tasks], readers
        )

    def _run(self, folder: Path) -> list[Audited]:
        """Audit the tasks of a run, and write what was found into its folder."""
        from weak2strong.analysis.audit.run import run_models, run_subjects, write_run_audit
        from weak2strong.config.model import ModelSpec
        from weak2strong.engine.recorded import read_config
        from weak2strong.ground.folder import FolderFiles

        config = read_config(FolderFiles(folder, "run"))
        models = [
            model
            for name in self.model
            for model in (run_models(config) if name == STUDY else [ModelSpec.parse(name)])
        ]
        readers = _readers(models)
        audits = self._audited(run_subjects(folder, config), readers)
        path = write_run_audit(folder, audits)
        tell(f"Written to {path}: `w2s report {folder}` shows the errors and warnings.")
        return audits

    def _audited(self, subjects: Sequence[Subject], readers: Sequence[Reader]) -> list[Audited]:
        """Audit, and print a table each as soon as it is there."""
        from weak2strong.analysis.audit.audit import audit
        from weak2strong.analysis.audit.dates import check_date, read_cutoffs
        from weak2strong.report.audit import audit_document

        cutoffs = read_cutoffs(self.cutoff, [reader.spec.name for reader in readers])
        published = self.published and check_date(self.published, "--published")
        audits = []
        for subject in subjects:
            subject = replace(subject, cutoffs=cutoffs, published=published)
            audits.append(audit(subject, readers))
            if not self.as_json:
                self.show(audit_document(audits[-1]))
        return audits

    def _check(self, runs: Sequence[Path]) -> None:
        """Refuse what makes no sense together."""
        from weak2strong.ground.errors import UserError

        if (self.cutoff or self.published or self.date_column) and not self.model:
            raise UserError(
                "--cutoff, --published and --date-column are compared with what models know: name "
                "these with --model."
            )

        if not self.tasks:
            raise UserError(
                "Name a task, or several, to audit (`w2s tasks` lists them all), or a run folder."
            )
        if not runs:
            if STUDY in self.model:
                raise UserError(f"--model {STUDY} is for run folders: name a model.")
            return
        if len(runs) < len(self.tasks):
            raise UserError("Audit tasks or run folders, not both at once.")
        if self.fresh or self.date_column or self.data != DataFlags():
            raise UserError(
                "The data of a run are told by its study: leave --fresh, --date-column, columns "
                "and sizes out, or name the task itself."
            )

    def _dates(self, references: Sequence[str], options: DataOptions) -> Mapping[str, str]:
        """The dates of single texts, where a column has them."""
        from weak2strong.analysis.audit.dates import dates_of
        from weak2strong.ground.errors import UserError

        if self.date_column is None:
            return {}
        path = Path(references[0]).expanduser()
        if len(references) > 1 or not path.is_file():
            raise UserError(
                "--date-column is a column of one file of texts: name that file alone, or give one "
                "date for all data with --published."
            )
        return dates_of(path, self.date_column, options)

    def _check_fresh(self, references: Sequence[str]) -> None:
        from weak2strong.ground.errors import UserError

        if self.fresh and not (self.model and len(references) == 1):
            raise UserError(
                "--fresh is compared with one task's texts by a model: "
                "name one task, and models with --model."
            )


def _readers(models: Sequence[ModelSpec]) -> list[Reader]:
    """The models, once their names are known to be right."""
    from weak2strong.analysis.audit.reader import Reader
    from weak2strong.ground.processes import set_threads
    from weak2strong.models.folders import is_tiny
    from weak2strong.models.resolve import fingerprint

    for model in models:
        fingerprint(model)
    if models and all(is_tiny(model) for model in models):
        set_threads(1)
    return [Reader(model) for model in models]
