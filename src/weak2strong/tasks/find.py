"""What a user names is a task: a registered one, a file, or a dataset repository.

A reference is what stands behind ``--task``: ``atlas-asia``, ``path/to/file.csv``,
a folder, ``owner/name`` of the hub, ``owner/name@revision``, or three files whose
splits are given (see `weak2strong.tasks.parts`). A dataset of the literature is
``boolq``, ``boolq@revision``, or ``boolq=folder`` for local files; chess puzzles
are ``chess-puzzles=file``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from weak2strong.config.data import DataOptions
from weak2strong.config.puzzles import PuzzleOptions
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.subjects.chess.puzzle_task import PUZZLES, puzzle_task
from weak2strong.subjects.literature import DATASETS
from weak2strong.subjects.literature.load import nlp_task
from weak2strong.tasks import GROUPS, HINT, TASKS
from weak2strong.tasks.files import FileTask, file_task
from weak2strong.tasks.hub import hub_task
from weak2strong.tasks.parts import parted_task, three_files
from weak2strong.tasks.readers import READERS, ending
from weak2strong.tasks.task import Task
from weak2strong.tasks.tested_on import tested_on

_AT_COMMIT: dict[tuple[str, str, DataOptions], FileTask] = {}
"""Tasks of the hub by repository or dataset, commit and options: these three never give
another task."""

_KNOWN_ELSEWHERE = (
    "text_column",
    "label_column",
    "group_column",
    "id_column",
    "subset",
    "split",
)
"""Options that a dataset of the literature answers itself."""

_ANY_SIZE: dict[str, Any] = {"n_train": None, "n_validation": None, "n_test": None, "shrink": False}


def find_task(reference: str, data: DataOptions) -> Task:
    """The task that a reference stands for; a user's data are read and checked now.

    What was found once is not read again in this process, unless a file has changed.

    Raises:
        UserError: where there is no such task, or something is wrong with its data.
    """
    name = dataset_name(reference)
    if name is not None and DATASETS.get(name).only_test:
        raise UserError(
            f"{name} is made to test on and never to train on: name another task, "
            f"and --test-on {reference}."
        )
    if data.test_on is None:
        return _found(reference, data)
    task = _found(reference, replace(data, test_on=None, **_ANY_SIZE))
    if not isinstance(task, FileTask):
        raise UserError(
            f"{reference} is an embedded task, which is tested on its own examples: leave "
            "--test-on out, or name data of your own with --task."
        )
    return _tested_on(task, _tests(data), data)


def tests_pinned(data: DataOptions) -> DataOptions:
    """The options, with the commit where tests are a dataset of the hub."""
    if data.test_on is None:
        return data
    return replace(data, test_on=pinned(data.test_on, _tests(data)))


def _tests(data: DataOptions) -> FileTask:
    """What a study is tested on, read with its options."""
    assert data.test_on is not None
    task = _found(data.test_on, replace(data, test_on=None, **_ANY_SIZE))
    if not isinstance(task, FileTask):
        raise UserError(f"--test-on {data.test_on} is an embedded task: name a file or a dataset.")
    return task


@cache
def _tested_on(task: FileTask, tests: FileTask, data: DataOptions) -> FileTask:
    return tested_on(task, tests, data)


def _found(reference: str, data: DataOptions) -> Task:
    """The task of a reference on its own."""
    path = Path(reference).expanduser()
    if reference in TASKS or not reference:
        return TASKS.get(reference)
    if (name := dataset_name(reference)) is not None:
        return _dataset_task(name, reference.removeprefix(name), data)
    name, _, file = reference.partition("=")
    if name == PUZZLES:
        read = (file, data.puzzles.games or "")
        stamps = tuple(_stamp(Path(f).expanduser()) for f in read if f)
        return _puzzle_task(file, data, stamps)
    if files := three_files(reference):
        return _parted_task(files, data, tuple(map(_stamp, files)))
    if path.is_dir():
        return _folder_task(reference, data, _stamp(path))
    if path.is_file() or ending(reference) in READERS:
        return _file_task(reference, data, _stamp(path))
    repo, _, revision = reference.partition("@")
    if "/" in repo or Path(repo).expanduser().is_dir():
        return _at_commit(repo, data, revision or None, partial(hub_task, repo, data))
    raise unknown_name("task", reference, (*TASKS, PUZZLES, *DATASETS, *GROUPS), HINT)


def dataset_name(reference: str) -> str | None:
    """The dataset of the literature that a reference names, if it names one."""
    name = re.split("[@=]", reference, maxsplit=1)[0]
    return name if name in DATASETS else None


def find_tasks(references: Sequence[str], data: DataOptions) -> tuple[Task, ...]:
    """The tasks of one study, in the order of their references.

    Raises:
        UserError: as `find_task`; also where two tasks have one name, or options
            would do nothing.
    """
    tasks = tuple(find_task(reference, data) for reference in references)
    named: dict[str, str] = {}
    for reference, task in zip(references, tasks, strict=True):
        if isinstance(task, FileTask) and (task.name in TASKS or task.name in GROUPS):
            raise UserError(
                f"The task of {reference} would be called {task.name}, "
                "which is a task of our own: rename the file."
            )
        if (other := named.setdefault(task.name, reference)) is not reference:
            raise UserError(
                f"The tasks of {other} and {reference} would both be called {task.name}: "
                "rename one of them, or give each a study of its own."
            )
    _check_use(references, tasks, data)
    return tasks


def pinned(reference: str, task: Task) -> str:
    """The reference, with the commit where it names a dataset of the hub."""
    if isinstance(task, FileTask) and task.revision is not None:
        return f"{reference.partition('@')[0]}@{task.revision}"
    return reference


def _check_use(references: Sequence[str], tasks: Sequence[Task], data: DataOptions) -> None:
    """Refuse options that no task heeds."""
    if data.puzzles != PuzzleOptions() and not any(task.name == PUZZLES for task in tasks):
        raise UserError(
            "Filters and forms of chess puzzles (--puzzle-most and so on, --games) are for such "
            f"puzzles: leave them out, or name a file of them as --task {PUZZLES}=FILE.csv."
        )
    cleaned = [r for r, task in zip(references, tasks, strict=True) if isinstance(task, FileTask)]
    if not cleaned and data != DataOptions():
        raise UserError(
            "Columns, sizes and cleaning (--text-column, --n-train, --balance and so on) are for "
            "your own data, and the embedded tasks have none of these: leave them out, "
            "or name a file with --task."
        )
    own = [r for r in cleaned if dataset_name(r) is None and r.partition("=")[0] != PUZZLES]
    if not own:
        for option in _KNOWN_ELSEWHERE:
            if getattr(data, option) != getattr(DataOptions, option):
                raise UserError(
                    f"{cleaned[0]} knows its columns, subset and splits: "
                    f"leave --{option.replace('_', '-')} out."
                )
        return
    single = [r for r in own if Path(r).expanduser().is_file() or three_files(r)]
    if single == own and (data.subset, data.split) != (DataOptions.subset, DataOptions.split):
        kind = "three files" if three_files(own[0]) else "a single file"
        raise UserError(
            f"{own[0]} is {kind}: --subset and --split choose from a dataset of the hub "
            "or a folder laid out like one, so leave them out."
        )


@cache
def _file_task(reference: str, data: DataOptions, stamp: tuple) -> FileTask:
    return file_task(Path(reference), data)


@cache
def _parted_task(files: tuple[Path, ...], data: DataOptions, stamp: tuple) -> FileTask:
    return parted_task(files, data)


@cache
def _folder_task(reference: str, data: DataOptions, stamp: tuple) -> FileTask:
    return hub_task(reference, data)


@cache
def _puzzle_task(file: str, data: DataOptions, stamps: tuple) -> FileTask:
    return puzzle_task(file, data)


@cache
def _local_dataset(name: str, folder: str, data: DataOptions, stamp: tuple) -> FileTask:
    return nlp_task(name, data, folder=folder)


def _dataset_task(name: str, rest: str, data: DataOptions) -> FileTask:
    """A dataset of the literature; behind its name ``@`` and a revision, ``=`` and a folder, or
    nothing."""
    if rest.startswith("="):
        folder = rest[1:]
        if not folder or not Path(folder).expanduser().is_dir():
            raise UserError(f"There is no folder {folder!r} for {name}: check the path.")
        return _local_dataset(name, folder, data, _stamp(Path(folder).expanduser()))
    return _at_commit(name, data, rest[1:] or None, partial(nlp_task, name, data))


def _at_commit(
    name: str, data: DataOptions, revision: str | None, make: Callable[[str | None], FileTask]
) -> FileTask:
    """A branch or a tag is looked up every time, since it moves; a commit does not."""
    if revision is not None and (known := _AT_COMMIT.get((name, revision, data))):
        return known
    task = make(revision)
    if task.revision is None:
        return task
    return _AT_COMMIT.setdefault((name, task.revision, data), task)


def _stamp(path: Path) -> tuple:
    """Sizes and times of a file, or of all below a folder: they say that one may have changed."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file())
