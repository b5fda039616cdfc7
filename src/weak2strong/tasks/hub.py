"""Tasks from a dataset repository on the Hugging Face hub, or a folder laid out like one.

Files are read as they are, and no code of the repository runs. Where neither the card nor the names
of files say their split (`weak2strong.tasks.layout`), the copy is read that the hub itself makes of
most datasets, in parquet, in the branch ``refs/convert/parquet``.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UnknownNameError, UserError
from weak2strong.ground.file_names import real_path, shown_name
from weak2strong.ground.hub import refusal
from weak2strong.tasks.card import NAME, Card, read_card
from weak2strong.tasks.files import FileTask, data_task, version_of
from weak2strong.tasks.layout import DEFAULT, choose
from weak2strong.tasks.opening import files_below, read_file

CONVERTED = "refs/convert/parquet"
"""The branch with the hub's own copy in parquet, which repositories with a loading script have."""


@dataclass(frozen=True)
class Snapshot:
    """A dataset repository at one commit.

    Attributes:
        commit: its hash; None for a local folder.
        names: of all files.
        licence: of the data, as far as the repository says.
        fetch: downloads some files by name, where they are not here, and returns their folder.
        revision: branch, tag or commit by which it was asked for.
    """

    commit: str | None
    names: tuple[str, ...]
    licence: str
    fetch: Callable[[Sequence[str]], Path]
    revision: str | None = None

    @cached_property
    def card(self) -> Card:
        """What the repository's card says; it is downloaded when it is first asked for."""
        if NAME not in self.names:
            return Card()
        content = read_file(self.fetch([NAME]) / NAME)
        return read_card(content.decode("utf-8", errors="replace"))


@dataclass(frozen=True)
class HubFiles:
    """The files of one split of one subset by name, with the commit that they are from.

    Names are as they can be written (see `weak2strong.ground.file_names`).
    ``classes`` are the names of classes by column, where the repository's card tells them.
    """

    files: dict[str, Path]
    subset: str
    commit: str | None
    licence: str
    classes: Mapping[str, tuple[str, ...]]


def hub_task(repo: str, options: DataOptions, revision: str | None = None) -> FileTask:
    """The task in one split of a dataset of the hub.

    All our splits are made of it; the other splits of the dataset are not touched.

    Args:
        repo: id on the hub, such as ``owner/name``, or a local folder laid out like one.
        options: which part of the dataset, columns, sizes and cleaning.
        revision: branch, tag or commit; the task has the commit that it is.

    Raises:
        UserError: where the files cannot be had, or something is wrong with them.
    """
    split = options.split
    files = hub_files(repo, revision, options.subset, split)
    contents = {f"{repo}/{name}": read_file(path) for name, path in files.files.items()}
    whence = f"commit {files.commit}" if files.commit else version_of(contents.values())
    parts = [part for part in (files.subset, split) if part not in (DEFAULT, "train")]
    name = "-".join((repo if files.commit else Path(repo).name, *parts))
    source = f"{repo}, {files.subset}, {split}, {whence}"
    return data_task(contents, options, name, source, files.licence, files.commit, files.classes)


def hub_files(
    repo: str,
    revision: str | None = None,
    subset: str | None = None,
    split: str = "train",
    pooled: bool = False,
) -> HubFiles:
    """The files of a split, downloaded where they are not in the hub's cache yet.

    Where no subset is named, and there are several, ``pooled`` says that all of them are meant.

    Raises:
        UserError: where there is no such repository, revision, subset or split, it
            has no file that can be read, or it cannot be reached.
    """
    snapshot, chosen, names = located(repo, revision, subset, split, pooled)
    folder = snapshot.fetch(names)
    files = {shown_name(name): folder / name for name in names}
    classes = snapshot.card.classes.get(chosen, {})
    return HubFiles(files, shown_name(chosen), snapshot.commit, snapshot.licence, classes)


def located(
    repo: str,
    revision: str | None = None,
    subset: str | None = None,
    split: str = "train",
    pooled: bool = False,
) -> tuple[Snapshot, str, list[str]]:
    """The repository, the subset, and the names of the files of a split.

    Nothing but the repository's card is downloaded.

    Raises:
        UserError: as `hub_files`.
    """
    try:
        snapshot = open_snapshot(repo, revision)
        return snapshot, *choose(repo, snapshot.names, subset, split, snapshot.card, pooled)
    except UserError as error:
        if revision is not None or real_path(repo).is_dir():
            raise
        try:
            snapshot = open_snapshot(repo, CONVERTED)
            return snapshot, *choose(repo, snapshot.names, subset, split, snapshot.card, pooled)
        except UserError:
            raise error from error.__cause__


def open_snapshot(repo: str, revision: str | None) -> Snapshot:
    """A repository at a revision; nothing else here uses the network.

    Without a network, the repository consists of the files that the hub's cache has.

    Raises:
        UserError: where it cannot be had.
    """
    folder = real_path(repo)
    if folder.is_dir():
        if revision is not None:
            raise UserError(f"Folder {repo} has no revisions: leave @{revision} out.")
        return Snapshot(None, _names(folder), "the user's own", lambda names: folder)
    if repo.startswith((".", "/", "~")) or repo.count("/") > 1:
        raise UnknownNameError(
            f"There is no folder {repo}: check the path, or give an id of the hub."
        )
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    download = partial(snapshot_download, repo, repo_type="dataset", revision=revision)
    offline = False
    try:
        info = HfApi().dataset_info(repo, revision=revision)
        commit, names = info.sha, tuple(file.rfilename for file in info.siblings or ())
        licence = str(getattr(info.card_data, "license", None) or "not stated")
    except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as e:
        raise refusal("dataset", repo, revision, e) from e
    # The errors of a missing network are those of the HTTP library beneath, which has changed
    # more than once: so anything else is taken for one.
    except Exception as e:
        try:
            cached = Path(download(local_files_only=True, allow_patterns=[]))
        except Exception:
            raise refusal("dataset", repo, revision, e) from e
        commit, names, licence, offline = cached.name, _names(cached), "not known", True

    def fetch(names_wanted: Sequence[str]) -> Path:
        patterns = [glob.escape(name) for name in names_wanted]
        if offline:
            # Files that differ in their number only, so that one missing from the cache is noticed.
            patterns = [re.sub(r"\d+(?=[^/]*$)", "*", pattern) for pattern in patterns]
        try:
            # By the name of the revision: so the cache knows it when there is no network.
            got = Path(download(local_files_only=offline, allow_patterns=patterns))
        except Exception as e:
            raise refusal("dataset", repo, revision, e) from e
        if got.name != commit:
            raise UserError(f"Dataset {repo} changed while it was read: run again.")
        return got

    return Snapshot(commit, names, licence, fetch, revision)


def _names(folder: Path) -> tuple[str, ...]:
    """The files below a folder, without hidden ones."""
    return tuple(path.relative_to(folder).as_posix() for path in files_below(folder))
