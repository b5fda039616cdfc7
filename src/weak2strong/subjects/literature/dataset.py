"""A dataset of the literature: what is known of it, and how its files become a task."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.subjects.literature.fields import Form, Formatted, MisfitError
from weak2strong.tasks.files import FileTask, cleaned_task, reading_of, version_of
from weak2strong.tasks.hub import hub_files
from weak2strong.tasks.opening import Reading, read_file
from weak2strong.tasks.prompt import PLACE, Prompt
from weak2strong.tasks.readers import SUBSET, check_all_read, listed, row_name
from weak2strong.tasks.reading import read_table
from weak2strong.tasks.rows import Row
from weak2strong.tasks.several import spread
from weak2strong.tasks.source import Part, Source
from weak2strong.tasks.splits import union
from weak2strong.tasks.task import stable_id

YES_OR_NO = Prompt(((" no",), (" yes",)), f"{PLACE}\nAnswer:")
"""How a language model is asked: texts end in a question, and yes stands for the second class."""


@dataclass(frozen=True, kw_only=True)
class Dataset(Source):
    """A dataset, and how its rows become items; its name is that of EleutherAI's code.

    Attributes:
        subset: which subset of the repository; None where it has one only.
        splits: the splits of the repository whose labels are public; they are pooled, and parted
            again into ours.
        fields: columns that must be there; a form sees no others.
        own_files: the same splits as the files that the authors publish, where these are laid out
            in another way; a folder may have them. Their first line names columns, or there are
            those of ``fields`` in this order.
        also: columns that are read where they are there, and that a form does not see.
        form: makes the item of a row.
        paper: address of the publication; None where we know of none.
        revision: branch that is read where the user names none; None for the default branch.
        prompt: how a language model is asked.
        pooled: whether all subsets are meant where the repository has several.
    """

    splits: tuple[str, ...]
    fields: tuple[str, ...]
    form: Form
    paper: str | None
    own_files: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    subset: str | None = None
    revision: str | None = None
    prompt: Prompt = YES_OR_NO
    pooled: bool = False

    sort: ClassVar[str] = "a dataset of the literature"

    def read(
        self, options: DataOptions, revision: str | None = None, path: str | None = None
    ) -> FileTask:
        """The dataset as a task; it knows its columns, subset and splits.

        Raises:
            UserError: where the files cannot be had, or are not what the dataset should have.
        """
        files, commit = self._files(revision, path)
        contents = {name: read_file(file) for name, file in files.items()}
        rows = _rows(self, contents, reading_of(options))
        used = _drawn(rows, self.most)
        part = f"{self.subset}, " if self.subset else ""
        own = path is not None and self._has_own_files(path)
        splits = " + ".join(self.own_files if own else self.splits)
        some = f"{len(used):,} of {len(rows):,} rows, " if len(used) < len(rows) else ""
        version = f"commit {commit}" if commit else version_of(contents.values())
        return cleaned_task(
            used,
            self.classes,
            options,
            about=self.name,
            name=self.name,
            summary=self.question,
            source=f"{path or self.repo}, {part}{splits}, {some}{version}",
            licence=self.licence,
            revision=commit,
            prompt=self.prompt,
        )

    def parts(self, revision: str | None = None) -> tuple[Part, ...]:
        """All splits whose labels are public."""
        at = revision or self.revision
        return tuple(Part(self.repo, at, self.subset, split, self.pooled) for split in self.splits)

    def _files(
        self, revision: str | None, folder: str | None
    ) -> tuple[Mapping[str, Path], str | None]:
        """The files of all splits by name, and their commit, which is None for a folder.

        All splits are read at the commit of the first one.
        """
        if folder and self._has_own_files(folder):
            own = Path(folder).expanduser()
            return {f"{folder}/{name}": own / name for name in self.own_files}, None
        at, commit, files = None if folder else revision or self.revision, None, {}
        for split in self.splits:
            try:
                part_files = hub_files(folder or self.repo, at, self.subset, split, self.pooled)
            except UserError as e:
                if folder is None:
                    raise
                example = "/".join(filter(None, (self.subset, f"{split}.parquet")))
                own = f", or its authors' {listed(self.own_files)}" if self.own_files else ""
                raise UserError(
                    f"{self.name} needs split {split!r} of {self.repo}, which {folder} does not "
                    f"have: put it there as in the repository, or as {example}{own}."
                ) from e
            at = commit = part_files.commit
            files |= {
                f"{folder or self.repo}/{name}": file for name, file in part_files.files.items()
            }
        return files, commit

    def _has_own_files(self, folder: str) -> bool:
        """Whether a folder has the files that the authors publish."""
        place = Path(folder).expanduser()
        return bool(self.own_files) and all((place / name).is_file() for name in self.own_files)

    @property
    def published(self) -> str | None:
        """Year, and month where it is known, of the paper, as its address tells."""
        if found := re.search(r"arxiv\.org/abs/(\d\d)(\d\d)\.", self.paper or ""):
            return f"20{found[1]}-{found[2]}"
        # Addresses of the ACL Anthology before 2020: a letter for the meeting, and the year.
        if found := re.search(r"aclanthology\.org/[A-Z]([01]\d)-", self.paper or ""):
            return f"20{found[1]}"
        return None


def _rows(dataset: Dataset, contents: Mapping[str, bytes], reading: Reading) -> list[Row]:
    """The items of all files as rows; items with a key in common have one group."""
    rows, links = [], []
    for file, content in contents.items():
        for number, item, question, subset in _items(dataset, file, content, reading):
            keys = [stable_id("key", key) for key in item.keys if key.strip()]
            links += [(keys[0], key) for key in keys[1:]]
            group = keys[0] if keys else None
            id = stable_id(item.text, *item.completions)
            more = (item.completions, item.dialogues)
            row = Row(file, number, item.text, item.label, group, id, *more)
            rows.append(replace(row, question=question, subset=subset))
    if not rows:
        raise UserError(f"{dataset.name} has no rows in {listed(tuple(contents))}.")
    root = union(links)
    return [replace(row, group=root(row.group)) if row.group else row for row in rows]


def _items(
    dataset: Dataset, file: str, content: bytes, reading: Reading
) -> Iterator[tuple[int, Formatted, str | None, str | None]]:
    """The items of one file, each with the number of its row, its question and its subset."""

    def check(present: Sequence[str]) -> list[str]:
        for field in dataset.fields:
            if field not in present:
                raise UserError(
                    f"{dataset.name} needs the field {field!r}, but {file} has "
                    f"{listed(present)}: take a revision of {dataset.repo} that has it."
                )
        return [*dataset.fields, *(field for field in dataset.also if field in present)]

    if dataset.own_files and file.endswith(dataset.own_files):
        content = _with_header(dataset.fields, content)
    table = read_table(file, content, reading, check)
    check_all_read(table)
    if not table.columns:
        return
    check(list(table.columns))
    for number, row in table.rows:
        for values, question in spread(row, row_name(file, number)):
            try:
                item = dataset.form({field: values.get(field) for field in dataset.fields})
            except MisfitError as e:
                raise UserError(
                    f"{row_name(file, number)} has {e}, as {dataset.name} has it: "
                    f"take another revision of {dataset.repo}."
                ) from e
            if item is not None:
                subset = values.get(SUBSET) if SUBSET in dataset.fields else None
                yield number, item, question, subset


def _with_header(fields: Sequence[str], content: bytes) -> bytes:
    """A file of commas, with a first line that names the columns."""
    first = content.lstrip(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8", "replace")
    named = {name.strip() for name in first.split(",")}
    return content if named >= {*fields} else f"{','.join(fields)}\n".encode() + content


def _drawn(rows: list[Row], most: int | None) -> list[Row]:
    """At most ``most`` rows, drawn by their texts alone."""
    if most is None or len(rows) <= most:
        return rows
    return sorted(rows, key=lambda row: stable_id("drawn", row.text, *row.completions))[:most]
