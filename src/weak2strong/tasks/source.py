"""A source of tasks: data that a user names, and that become a task when they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from weak2strong.tasks.task import Kind

if TYPE_CHECKING:
    from weak2strong.config.data import DataOptions
    from weak2strong.tasks.files import FileTask


@dataclass(frozen=True)
class Part:
    """One split of one subset of a dataset of the hub.

    Attributes:
        repo: id of the repository.
        revision: branch, tag or commit; None for the default branch.
        subset: None where there is only one.
        split: its name.
        pooled: whether all subsets are meant where none is named and there are several.
    """

    repo: str
    revision: str | None = None
    subset: str | None = None
    split: str = "train"
    pooled: bool = False


@dataclass(frozen=True, kw_only=True)
class Source:
    """Data that a user names as ``name``, ``name@revision`` or ``name=path``.

    Whatever is asked before the data are read (by a list, an audit or a dry run) is an attribute.

    Attributes:
        name: what its references begin with.
        question: what its task asks, in one line for lists.
        kind: of its task.
        classes: of its task.
        licence: of the data, as far as it is stated.
        repo: id of the repository on the hub that has the data; empty where a user has to name a
            file.
        rows: as published; None where this is not known.
        most: rows that are used at most; None for all.
        only_test: whether the data were made to test on, and never to train on.
        options: the name of the options in `DataOptions` that this source alone heeds.
        takes: what the path of a source without a repository leads to, such as "file of sums".
    """

    name: str
    question: str
    kind: Kind = "classification"
    classes: tuple[str, ...] = ("no", "yes")
    licence: str = "the user's own"
    repo: str = ""
    rows: int | None = None
    most: int | None = None
    only_test: bool = False
    options: str | None = None
    takes: str = "file"

    sort: ClassVar[str] = "a source of tasks"
    """What this is, in an error."""

    @property
    def line(self) -> str:
        """What `w2s tasks` says of a source without a repository."""
        return f"{self.name}=PATH is a {self.takes}: {self.question}"

    @property
    def published(self) -> str | None:
        """Year, and month where it is known, in which the data were published; None if unknown."""
        return None

    def read(
        self, options: DataOptions, revision: str | None = None, path: str | None = None
    ) -> FileTask:
        """The task in the data.

        Args:
            options: sizes and cleaning, and the options of this source.
            revision: branch, tag or commit of the repository; the task has the commit that it is.
            path: what stands behind ``=``, in place of the hub.

        Raises:
            UserError: where the data cannot be had, or something is wrong with them.
        """
        raise NotImplementedError

    def parts(self, revision: str | None = None) -> tuple[Part, ...]:
        """What `read` reads of the hub, so that it can be downloaded beforehand.

        A source with a repository that reads anything but its split ``train`` says so here.

        Args:
            revision: branch, tag or commit that the user names.
        """
        return (Part(self.repo, revision),) if self.repo else ()

    def files(self, path: str, options: DataOptions) -> tuple[str, ...]:
        """The files and folders that are read again once they have changed."""
        return (path,)

    def is_local(self, path: str | None) -> bool:
        """Whether the data are on this machine, if the path is right."""
        return not self.repo or (bool(path) and Path(path or "").expanduser().is_dir())
