"""Which files of the user's a study reads, and the same study where they lie elsewhere.

They are its data, its file of weak labels, models in local folders, and plugins. Keys hold what is
in them, and tasks are called by their names alone, so that a study whose files lie elsewhere has
the same keys. What a plugin reads besides is not known here, nor are caches of the hub.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.file_names import real_path
from weak2strong.ground.plugins import load_plugins
from weak2strong.ground.rooms import OPTIONS
from weak2strong.models.folders import folder_of, shipped
from weak2strong.protocol.resolve import intermediates_of
from weak2strong.tasks import TASKS
from weak2strong.tasks.find import path_of, source_of
from weak2strong.tasks.parts import three_files


def own_files(config: StudyConfig) -> tuple[str, ...]:
    """Files and folders of this machine that a resolved study reads, as it writes them, sorted."""
    load_plugins(config.plugins)
    found = set[str]()
    for reference in (*config.tasks, *([config.data.test_on] if config.data.test_on else [])):
        found.update(_paths_in(reference, config.data))
    if config.weak_labels:
        found.add(str(config.weak_labels))
    found.update(str(path) for path in config.plugins)
    for model in (config.weak, config.strong, *intermediates_of(config), *config.supervisors):
        if model.name not in shipped() and folder_of(model):
            found.add(model.name)
    return tuple(sorted(found))


def moved(config: StudyConfig, where: Mapping[str, str]) -> StudyConfig:
    """The same study, with its files elsewhere.

    Args:
        config: a resolved study.
        where: the new path of each of `own_files`.
    """

    def of(model: ModelSpec) -> ModelSpec:
        return replace(model, name=where.get(model.name, model.name))

    labels, between = config.weak_labels, config.intermediates
    return replace(
        config,
        tasks=tuple(moved_reference(reference, config.data, where) for reference in config.tasks),
        data=_moved_data(config.data, where),
        weak=of(config.weak),
        strong=of(config.strong),
        intermediates=None if between is None else tuple(map(of, between)),
        supervisors=tuple(map(of, config.supervisors)),
        weak_labels=Path(where.get(str(labels), labels)) if labels else None,
        plugins=tuple(Path(where.get(str(path), path)) for path in config.plugins),
    )


def moved_reference(reference: str, data: DataOptions, where: Mapping[str, str]) -> str:
    """The reference of a task, with its files elsewhere.

    Args:
        reference: of the study as it was.
        data: likewise.
        where: the new paths.
    """
    if not _paths_in(reference, data):
        return reference
    if source := source_of(reference):
        path = path_of(source, reference) or ""
        return f"{source.name}={where.get(path, path)}"
    if reference in where:
        return where[reference]
    return ",".join(where.get(part, part) for part in _parts(reference))


def _paths_in(reference: str, data: DataOptions) -> tuple[str, ...]:
    """The paths of files and folders that a reference to a task leads to, as they are written."""
    if reference in TASKS:
        return ()
    if source := source_of(reference):
        path = path_of(source, reference)
        return source.files(path, data) if path else ()
    if real_path(reference).exists():
        return (reference,)
    return _parts(reference) if three_files(reference) else ()


def _parts(reference: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in reference.split(","))


def _moved_data(data: DataOptions, where: Mapping[str, str]) -> DataOptions:
    """The options, with the file to test on and those that options of sources name elsewhere."""
    test_on = data.test_on and moved_reference(data.test_on, data, where)
    return replace(data, test_on=test_on, **dict(_moved_options(data, where)))


def _moved_options(data: DataOptions, where: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name in OPTIONS:
        options = getattr(data, name)
        if not is_dataclass(options):
            continue
        values = {f.name: getattr(options, f.name) for f in fields(options)}
        paths = {n: where[v] for n, v in values.items() if isinstance(v, str) and v in where}
        yield name, replace(options, **paths)  # pyright: ignore[reportArgumentType]
