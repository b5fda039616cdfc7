"""From the name of a dataset of the literature to a task: files, rows, items, cleaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.subjects.literature import DATASETS
from weak2strong.subjects.literature.dataset import Dataset, Formatted
from weak2strong.subjects.literature.fields import MisfitError
from weak2strong.tasks.cleaning import clean
from weak2strong.tasks.files import FileTask, sizes_of, version_of
from weak2strong.tasks.hub import hub_files
from weak2strong.tasks.readers import READERS, ending, listed, place_of
from weak2strong.tasks.rows import Row
from weak2strong.tasks.splits import union
from weak2strong.tasks.task import stable_id


@dataclass(frozen=True)
class _Files:
    """Files by what errors call them; the commit that they are of, or None for a folder."""

    paths: Mapping[str, Path]
    commit: str | None


def nlp_task(
    name: str, options: DataOptions, revision: str | None = None, folder: str | None = None
) -> FileTask:
    """A dataset of the literature as a task.

    Args:
        name: of the dataset.
        options: sizes and cleaning; a dataset knows its columns, subset and splits.
        revision: branch, tag or commit of its repository; the task has the commit that it is.
        folder: where its files are, laid out as in its repository, in place of the hub.

    Raises:
        UserError: where the files cannot be had, or are not what the dataset should have.
    """
    dataset: Dataset = DATASETS.get(name)
    files = _in_folder(dataset, folder) if folder else _on_hub(dataset, revision)
    rows, whence = _rows(dataset, files)
    used = _drawn(rows, dataset.most)
    examples, shares, cleaning = clean(
        used,
        dataset.classes,
        about=dataset.name,
        sizes=sizes_of(options),
        balance=options.balance,
        join=options.near_duplicates,
        shrink=options.shrink,
    )
    part = f"{dataset.subset}, " if dataset.subset else ""
    some = f"{len(used):,} of {len(rows):,} rows, " if len(used) < len(rows) else ""
    source = f"{folder or dataset.repo}, {part}{' + '.join(dataset.splits)}, {some}{whence}"
    return FileTask(
        name=dataset.name,
        kind=dataset.kind,
        classes=dataset.classes,
        summary=dataset.question,
        source=source,
        licence=dataset.licence,
        load=lambda: examples,
        shares=shares,
        cleaning=cleaning,
        revision=files.commit,
        prompt=dataset.prompt,
        rows=tuple(used),
    )


def _on_hub(dataset: Dataset, revision: str | None) -> _Files:
    """All splits of one commit: the one that the first split was found at."""
    at, commit, paths = revision or dataset.revision, None, {}
    for split in dataset.splits:
        found = hub_files(dataset.repo, at, dataset.subset, split)
        at = commit = found.commit
        paths |= {f"{dataset.repo}/{name}": path for name, path in found.files.items()}
    return _Files(paths, commit)


def _in_folder(dataset: Dataset, folder: str) -> _Files:
    paths = {}
    for split in dataset.splits:
        try:
            found = hub_files(folder, None, dataset.subset, split)
        except UserError as e:
            example = "/".join(filter(None, (dataset.subset, f"{split}.parquet")))
            raise UserError(
                f"{dataset.name} needs split {split!r} of {dataset.repo}, which {folder} does not "
                f"have: put it there as in the repository, or as {example}."
            ) from e
        paths |= {f"{folder}/{name}": path for name, path in found.files.items()}
    return _Files(paths, None)


def _rows(dataset: Dataset, files: _Files) -> tuple[list[Row], str]:
    """The items of all files as rows, and which version of the files they are from."""
    rows, links = [], []
    contents = {file: path.read_bytes() for file, path in files.paths.items()}
    for file, content in contents.items():
        for number, item in _items(dataset, file, content):
            keys = [stable_id("key", key) for key in item.keys if key.strip()]
            links += [(keys[0], key) for key in keys[1:]]
            group = keys[0] if keys else None
            id = stable_id(item.text, *item.completions)
            more = (item.completions, item.dialogues)
            rows.append(Row(file, number, item.text, item.label, group, id, *more))
    if not rows:
        raise UserError(f"{dataset.name} has no rows in {listed(tuple(files.paths))}.")
    root = union(links)
    rows = [replace(row, group=root(row.group)) if row.group else row for row in rows]
    whence = f"commit {files.commit}" if files.commit else version_of(contents.values())
    return rows, whence


def _items(dataset: Dataset, file: str, content: bytes) -> Iterator[tuple[int, Formatted]]:
    """The items of one file, each with the number of its row."""

    def check(present: Sequence[str]) -> list[str]:
        for field in dataset.fields:
            if field not in present:
                raise UserError(
                    f"{dataset.name} needs the field {field!r}, but {file} has "
                    f"{listed(present)}: take a revision of {dataset.repo} that has it."
                )
        return list(dataset.fields)

    if not content.strip():
        return
    for number, row in READERS[ending(file)](file, content, check):
        try:
            item = dataset.form(row)
        except MisfitError as e:
            raise UserError(
                f"{place_of(file, number)} has {e}, as {dataset.name} has it: "
                f"take another revision of {dataset.repo}."
            ) from e
        if item is not None:
            yield number, item


def _drawn(rows: list[Row], most: int | None) -> list[Row]:
    """At most so many rows, drawn by their texts alone."""
    if most is None or len(rows) <= most:
        return rows
    return sorted(rows, key=lambda row: stable_id("drawn", row.text, *row.completions))[:most]
