"""What the task of a reference needs of the hub."""

from __future__ import annotations

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.file_names import real_path
from weak2strong.tasks import GROUPS, HINT, SOURCES, TASKS
from weak2strong.tasks.find import path_of, source_of
from weak2strong.tasks.parts import three_files
from weak2strong.tasks.reading import names_data
from weak2strong.tasks.source import Part


def parts_of(reference: str, data: DataOptions) -> tuple[Part, ...]:
    """The parts of datasets of the hub that a task is made of; none where all of it is here.

    References are read as by `weak2strong.tasks.find.find_task`; no data are read.

    Args:
        reference: of a task, or of what it is tested on.
        data: subset and split of a dataset of the hub.

    Raises:
        UserError: for a reference that no task can have.
    """
    path = real_path(reference)
    if reference in TASKS:
        return ()
    if source := source_of(reference):
        named = path_of(source, reference) is not None
        return () if named else source.parts(reference.partition("@")[2] or None)
    if path.is_dir() or path.is_file() or three_files(reference):
        return ()
    if names_data(reference):
        raise UserError(f"There is no file {reference}: check the path.")
    repo, _, revision = reference.partition("@")
    if "/" not in repo:
        raise unknown_name("task", reference, (*TASKS, *SOURCES, *GROUPS), HINT)
    if real_path(repo).is_dir():
        return ()
    if repo.startswith((".", "/", "~")) or repo.count("/") > 1:
        raise UserError(f"There is no folder {repo}: check the path, or give an id of the hub.")
    return (Part(repo, revision or None, data.subset, data.split),)
