"""All checks of a task, one after another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from weak2strong.analysis.audit import CHECKS, MODEL_CHECKS, OF_CLASSES, OF_WORDS
from weak2strong.analysis.audit.finding import LEVELS, Finding, Level
from weak2strong.analysis.audit.subject import Entry, Subject
from weak2strong.config.data import DataOptions
from weak2strong.ground.disks import writing
from weak2strong.ground.errors import UserError
from weak2strong.ground.plain import plain
from weak2strong.ground.whole import write_whole
from weak2strong.tasks.files import FileTask, columns_of, reading_of
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.readers import row_name
from weak2strong.tasks.texts import read_only_texts

if TYPE_CHECKING:
    from weak2strong.analysis.audit.reader import Reader


@dataclass(frozen=True)
class Audited:
    """The findings of the checks in one task.

    Attributes:
        name: of the task.
        reference: what the user calls it.
        source: where the examples come from.
        cleaning: what a run leaves out of a user's data, in sentences.
        examples: of a run, in all splits.
        checks: that were made, by name.
        models: that some of them were made with.
        findings: the gravest first.
    """

    name: str
    reference: str
    source: str
    cleaning: tuple[str, ...]
    examples: int
    checks: tuple[str, ...]
    models: tuple[str, ...]
    findings: tuple[Finding, ...]

    def count(self, level: Level) -> int:
        """How many findings have this level."""
        return sum(f.level == level for f in self.findings)


def audit(subject: Subject, readers: Sequence[Reader] = ()) -> Audited:
    """Make every check of a task, and those with a model for each of some models.

    Those that read texts are made of tasks that consist of texts.

    Deterministic: samples depend on ids alone.

    Raises:
        UserError: where a model cannot be loaded.
    """
    task = subject.task
    has_words = SORTS[task.inputs].has_words
    readers = readers if has_words else ()
    left_out = (frozenset() if task.classes else OF_CLASSES) | (
        frozenset() if has_words else OF_WORDS
    )
    checks = [name for name in CHECKS if name not in left_out]
    findings = [finding for name in checks for finding in CHECKS.get(name)(subject)]
    for reader in readers:
        for name in MODEL_CHECKS:
            findings += MODEL_CHECKS.get(name)(subject, reader)
    findings.sort(key=lambda f: LEVELS.index(f.level))
    return Audited(
        name=task.name,
        reference=subject.reference,
        source=task.source,
        cleaning=task.cleaning.sentences() if isinstance(task, FileTask) else (),
        examples=len(subject.used),
        checks=(*checks, *(MODEL_CHECKS if readers else ())),
        models=tuple(reader.spec.name for reader in readers),
        findings=tuple(findings),
    )


def read_fresh(path: Path, options: DataOptions) -> tuple[Entry, ...]:
    """Texts that the user knows to be newer than a model; of the file, the text column alone.

    Raises:
        UserError: for a file that cannot be read or has a row without a text.
    """
    file = str(path)
    entries = [
        Entry(row_name(file, number), None, text, -1, None)
        for number, text in read_only_texts(path, columns_of(options), reading_of(options))
    ]
    if not entries:
        raise UserError(f"{path} has no rows: choose a file with texts for --fresh.")
    return tuple(entries)


def write_audits(path: Path, audits: Sequence[Audited]) -> None:
    """Write the findings as JSON, a list with an entry a task.

    Raises:
        UserError: where the file cannot be written.
    """
    text = json.dumps(plain([asdict(one) for one in audits]), indent=1, ensure_ascii=False)
    with writing(path, "choose another --json"):
        write_whole(path, text + "\n")
