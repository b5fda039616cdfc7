"""The audit of a run: its tasks as its study used them, kept in its folder for the report."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import weak2strong
from weak2strong.analysis.audit.audit import Audited
from weak2strong.analysis.audit.subject import Subject
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine.recorded import PREDICTIONS, STUDY
from weak2strong.ground.disks import writing
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.index import INDEX, put
from weak2strong.ground.plain import plain
from weak2strong.protocol.resolve import checked, splits_of
from weak2strong.tasks.find import find_tasks

FILE = "audit.json"

FORM = {
    "made": str,
    "version": str,
    "tasks": [
        {
            "name": str,
            "checks": [str],
            "models": [str],
            "findings": [{"check": str, "level": str, "sentence": str}],
        }
    ],
}


def is_run(path: Path) -> bool:
    """Whether a path is the folder of a run, and not a folder of data."""
    return any((path / name).is_file() for name in (STUDY, INDEX))


def run_subjects(folder: Path, config: StudyConfig) -> list[Subject]:
    """The tasks of a run, finished or not, with the splits of its study.

    Args:
        folder: of the run.
        config: its study.

    Raises:
        UserError: where a task has no classes, cannot be read, or holds other test examples now
            than those that the run was scored on.
    """
    references, scored = checked(config), _scored(folder)
    subjects = []
    for reference, task in zip(references, find_tasks(references, config.data), strict=True):
        task = task.about(config.entities)
        subjects.append(Subject.of(reference, task, splits=splits_of(config, task)))
        if scored is not None:
            _check_same(folder, subjects[-1], scored)
    return subjects


def _scored(folder: Path) -> Mapping[str, set[str]] | None:
    """Ids of the test examples that a run was scored on, by task; None before it is finished."""
    files = FolderFiles(folder, "run")
    predictions = files.table(PREDICTIONS, {"task": "text", "id": "text"})
    if predictions is None:
        return None
    by_task = predictions.select("task", "id").unique().group_by("task").agg("id")
    return {task: set(ids) for task, ids in by_task.iter_rows()}


def _check_same(folder: Path, subject: Subject, scored: Mapping[str, set[str]]) -> None:
    """Refuse data that have changed since a run was finished."""
    name = subject.task.name
    if scored.get(name, set()) != {e.item.id for e in subject.splits.test}:
        raise UserError(
            f"Task {name} has other test examples now than those that {folder} was scored on: "
            "run its study again, or audit the task by its name."
        )


def run_models(config: StudyConfig) -> tuple[ModelSpec, ...]:
    """The models of a study that read its texts: the supervisor's, where labels are no file, and
    the strong one; once if they are one."""
    models = (config.strong,) if config.given_labels else (config.weak, config.strong)
    return tuple({(model.name, model.revision): model for model in models}.values())


@dataclass(frozen=True)
class RunAudit:
    """The findings of an audit of a run's tasks, and when it was made.

    Attributes:
        made: when, in UTC.
        version: of this package.
        tasks: each with the fields of `Audited`, as JSON has them.
    """

    made: datetime
    version: str
    tasks: tuple[Mapping[str, Any], ...]

    def of(self, names: Collection[str]) -> RunAudit | None:
        """The part about tasks of these names; None where there is nothing about any."""
        tasks = tuple(task for task in self.tasks if task["name"] in names)
        return replace(self, tasks=tasks) if tasks else None


def write_run_audit(folder: Path, audits: Sequence[Audited]) -> Path:
    """Write ``audit.json`` into a run's folder, in place of an older one.

    Raises:
        UserError: where it cannot be written.
    """
    path = folder / FILE
    made = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": weak2strong.__version__,
        "tasks": plain([asdict(one) for one in audits]),
    }
    with writing(path, "see to the folder's rights, or audit the tasks by their names"):
        put(folder, {FILE: (json.dumps(made, indent=1, ensure_ascii=False) + "\n").encode()})
    return path


def read_run_audit(files: FolderFiles) -> RunAudit | None:
    """What ``audit.json`` of a run says; None where nobody has audited it.

    Raises:
        UserError: where the file is damaged.
    """
    again = f"`w2s audit {files.folder}`"
    content = files.json(FILE, FORM, again)
    if content is None:
        return None
    try:
        made = datetime.fromisoformat(content["made"])
    except ValueError as e:
        raise files.fault(FILE, f"{FILE} does not say when it was made", again) from e
    return RunAudit(made, content["version"], tuple(content["tasks"]))
