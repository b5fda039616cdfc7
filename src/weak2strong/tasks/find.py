"""From what a user names to a task: registered, of a source, in a file, or in a repository.

A reference is what stands behind ``--task``: ``atlas-asia``, ``path/to/file.csv``,
a folder, ``owner/name`` of the hub, ``owner/name@revision``, or three files whose
splits are given (see `weak2strong.tasks.parts`). A registered source is named as ``boolq``,
``boolq@revision``, or ``boolq=path`` for local files (see `weak2strong.tasks.source`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from weak2strong.config.data import NONE, DataOptions
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.file_names import no_path, real_path
from weak2strong.ground.garbage import kept_objects
from weak2strong.ground.rooms import OPTIONS
from weak2strong.tasks import GROUPS, HINT, SOURCES, TASKS
from weak2strong.tasks.features import features_task, labels_at
from weak2strong.tasks.files import FileTask, file_task
from weak2strong.tasks.hub import hub_task
from weak2strong.tasks.images import image_task, names_images_at, stamped_files
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.opening import files_below
from weak2strong.tasks.parts import parted_task, three_files
from weak2strong.tasks.reading import names_data
from weak2strong.tasks.source import Source
from weak2strong.tasks.task import Task
from weak2strong.tasks.tested_on import tested_on

_AT_COMMIT: dict[tuple[str, str, DataOptions], FileTask] = {}
"""Tasks of the hub by repository or source, commit and options: these three never give
another task."""

_KNOWN_ELSEWHERE = (
    "text_column",
    "label_column",
    "prompt_column",
    "chosen_column",
    "rejected_column",
    "preference_column",
    "target_column",
    "template",
    "group_column",
    "split_column",
    "id_column",
    "subset",
    "split",
)
"""Options that a source answers itself."""

_ANY_SIZE: dict[str, Any] = {"n_train": None, "n_validation": None, "n_test": None, "shrink": False}
_ANY_SIZE |= {"split_column": NONE}
"""Options by which data are read that are cut to size, and whose splits are made, later."""


@kept_objects()
def find_task(reference: str, data: DataOptions) -> Task:
    """The task that a reference stands for. A user's data are read and checked now.

    The same data are not read again in this process, unless a file has changed.

    Raises:
        UserError: where there is no such task, or something is wrong with its data.
    """
    for part in re.split("[,=]", reference):
        if wrong := no_path(part):
            raise UserError(f"There is no such task: {wrong}.")
    source = source_of(reference)
    if source is not None and source.only_test:
        raise UserError(
            f"{source.name} is made to test on and never to train on: name another task, "
            f"and --test-on {reference}."
        )
    if data.test_on is None:
        return _read(reference, data)
    task = _read(reference, replace(data, test_on=None, **_ANY_SIZE))
    if not SORTS[task.inputs].has_words:
        raise UserError(
            f"{reference} is a task of {SORTS[task.inputs].title}, which is tested on a part of "
            "itself: leave --test-on out, or say the split of each row in a column split."
        )
    if not isinstance(task, FileTask):
        raise UserError(
            f"{reference} is an embedded task, which is tested on its own examples: leave "
            "--test-on out, or name data of your own with --task."
        )
    return _once(tested_on, (task, _tests(data), data))


def tests_pinned(data: DataOptions) -> DataOptions:
    """The options, with the commit where tests are a dataset of the hub."""
    if data.test_on is None:
        return data
    return replace(data, test_on=pinned(data.test_on, _tests(data)))


def _tests(data: DataOptions) -> FileTask:
    """What a study is tested on, read with its options."""
    assert data.test_on is not None
    task = _read(data.test_on, replace(data, test_on=None, **_ANY_SIZE))
    if not isinstance(task, FileTask):
        raise UserError(f"--test-on {data.test_on} is an embedded task: name a file or a dataset.")
    return task


def _read(reference: str, data: DataOptions) -> Task:
    """The task of a reference, without the data of `--test-on`."""
    path = real_path(reference)
    if reference in TASKS or not reference:
        return TASKS.get(reference)
    if source := source_of(reference):
        return _of_source(source, reference, data)
    if files := three_files(reference):
        return _once(parted_task, (files, data), files)
    if labels := labels_at(path, data):
        return _once(features_task, (path, labels, data), (labels,))
    if names_images_at(path):
        return _once(image_task, (path, data), stamped_files(path))
    if path.is_dir():
        return _once(hub_task, (reference, data), (path,))
    if path.exists() or path.is_symlink() or names_data(reference):
        return _once(file_task, (Path(reference), data), (path,))
    repo, _, revision = reference.partition("@")
    if "/" in repo or real_path(repo).is_dir():
        return _at_commit(repo, data, revision or None, partial(hub_task, repo, data))
    raise unknown_name("task", reference, (*TASKS, *SOURCES, *GROUPS), HINT)


def source_of(reference: str) -> Source | None:
    """The registered source that a reference names, if it names one."""
    name = re.split("[@=]", reference, maxsplit=1)[0]
    return SOURCES.get(name) if name in SOURCES else None


def path_of(source: Source, reference: str) -> str | None:
    """The path in a reference such as ``name=path`` to a source; None if there is none."""
    rest = reference.removeprefix(source.name)
    return rest[1:] if rest.startswith("=") else None


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
    heeded = {source.options for r in references if (source := source_of(r))}
    for name in OPTIONS:
        kind = OPTIONS.get(name)
        if name not in heeded and getattr(data, name) != kind():
            raise UserError(kind.unheeded)
    cleaned = [r for r, task in zip(references, tasks, strict=True) if isinstance(task, FileTask)]
    if not cleaned and data != DataOptions():
        raise UserError(
            "Columns, sizes and cleaning (--text-column, --n-train, --balance and so on) are for "
            "your own data, and the embedded tasks have none of these: leave them out, "
            "or name a file with --task."
        )
    own = [reference for reference in cleaned if source_of(reference) is None]
    if not own:
        for option in _KNOWN_ELSEWHERE:
            if getattr(data, option) != getattr(DataOptions, option):
                raise UserError(
                    f"{cleaned[0]} knows its columns, subset and splits: "
                    f"leave --{option.replace('_', '-')} out."
                )
        return
    single = [r for r in own if real_path(r).is_file() or three_files(r)]
    if single == own and (data.subset, data.split) != (DataOptions.subset, DataOptions.split):
        kind = "three files" if three_files(own[0]) else "a single file"
        raise UserError(
            f"{own[0]} is {kind}: --subset and --split choose from a dataset of the hub "
            "or a folder laid out like one, so leave them out."
        )


def _of_source(source: Source, reference: str, data: DataOptions) -> FileTask:
    """The task of a source; behind its name ``@`` and a revision, ``=`` and a path, or nothing."""
    path = path_of(source, reference)
    if path is None and source.repo:
        revision = reference.partition("@")[2] or None
        return _at_commit(source.name, data, revision, partial(source.read, data))
    if path is not None and source.repo and not source.is_local(path):
        raise UserError(f"There is no folder {path!r} for {source.name}: check the path.")
    files = source.files(path, data) if path else ()
    return _once(source.read, (data, None, path), [Path(file).expanduser() for file in files])


def _once(read: Callable[..., FileTask], about: tuple, files: Iterable[Path] = ()) -> FileTask:
    """The result of a function, which is called again only where one of the files has changed."""
    return _unchanged(read, about, tuple(map(_stamp, files)))


@cache
def _unchanged(read: Callable[..., FileTask], about: tuple, stamps: tuple) -> FileTask:
    return read(*about)


def _at_commit(
    name: str, data: DataOptions, revision: str | None, make: Callable[[str | None], FileTask]
) -> FileTask:
    """The task at a revision. A branch or a tag is looked up every time, since it may move."""
    if revision is not None and (known := _AT_COMMIT.get((name, revision, data))):
        return known
    task = make(revision)
    if task.revision is None:
        return task
    return _AT_COMMIT.setdefault((name, task.revision, data), task)


def _stamp(path: Path) -> tuple:
    """Sizes and times of a file, or of all files below a folder, which differ after a change."""
    files = files_below(path) if path.is_dir() else [path]
    return tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file())
