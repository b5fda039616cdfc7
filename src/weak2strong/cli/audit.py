"""`w2s audit`: what is wrong with tasks before anything is trained on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from weak2strong.cli.data import Data


@dataclass(frozen=True)
class Audit:
    """Look for leaks, shortcuts and contamination in tasks, your own or those there are.

    Duplicates and near-duplicates across splits, groups in two splits, uneven classes;
    length, form and n-grams that tell the label; right and wrong answers in different
    forms; with --model also texts that are cut, and texts that the model may have read.
    """

    tasks: Positional[Annotated[tuple[str, ...], arg(metavar="TASK ...", help_behavior_hint="")]]
    """Tasks by name, or your own files or datasets."""
    model: Annotated[tuple[str, ...], arg(metavar="MODEL ...", help_behavior_hint="")] = ()
    """Models whose context and memory of the texts to look at."""
    fresh: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """With --model and one task: texts of its form that are newer than the model, for the
    question whether it has read the test (a file with the same text column)."""
    strict: FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]] = False
    """Exit with 1 where an error was found."""
    json: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Write what was found, with all numbers, as JSON."""
    data: Data = field(default_factory=Data)

    def __call__(self) -> int:
        """Print a table a task; 1 for errors where that is asked for, else 0."""
        from weak2strong.analysis.audit.audit import audit, read_fresh, write_audits
        from weak2strong.analysis.audit.reader import Reader
        from weak2strong.analysis.audit.subject import Subject
        from weak2strong.models.spec import ModelSpec, fingerprint
        from weak2strong.processes import set_threads
        from weak2strong.report.audit import print_audit, print_sum
        from weak2strong.report.table import table_console
        from weak2strong.tasks import expand
        from weak2strong.tasks.find import find_tasks

        references, options = expand(self.tasks), self.data.options()
        self._check(references)
        readers = [Reader(ModelSpec.parse(name)) for name in self.model]
        for reader in readers:
            fingerprint(reader.spec)
        if readers and all(reader.spec.is_tiny for reader in readers):
            set_threads(1)
        fresh = read_fresh(self.fresh, options) if self.fresh else ()
        audits, console = [], table_console()
        tasks = find_tasks(references, options)
        for reference, task in zip(references, tasks, strict=True):
            audits.append(audit(Subject.of(reference, task, fresh), readers))
            print_audit(audits[-1], console)
        print_sum(audits, console)
        if self.json:
            write_audits(self.json, audits)
        return int(self.strict and any(one.count("error") for one in audits))

    def _check(self, references: tuple[str, ...]) -> None:
        """Refuse what makes no sense together."""
        from weak2strong.errors import UserError

        if not references:
            raise UserError("Name a task, or several, to audit: `w2s tasks` lists them all.")
        if self.fresh and not (self.model and len(references) == 1):
            raise UserError(
                "--fresh is compared with one task's texts by a model: "
                "name one task, and models with --model."
            )
