"""Where a user's own data have what, and how they are made into tasks."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from weak2strong.config.fields import Count, Encoding, Flag, Name, Positive, Text
from weak2strong.config.settings import RefusedError, from_mapping, settings
from weak2strong.ground.rooms import OPTIONS

Column = Annotated[Text, Flag(metavar="COLUMN")]
Class = TypeVar("Class", bound=type)


def _with_sources(cls: Class) -> Class:
    """Add a field for the options of every source of tasks that brings some along."""
    for name in OPTIONS:
        kind = OPTIONS.get(name)
        cls.__annotations__[name] = Annotated[kind, from_mapping(kind)]
        setattr(cls, name, field(default_factory=kind))
    return cls


@settings("the data")
@_with_sources
class DataOptions:
    """For files and datasets of your own: where they have what, and how they become a task."""

    text_column: Column = "text"
    """The column with what the model reads."""
    label_column: Column = "label"
    """The column with the class: names, whole numbers from 0, or true and false."""
    group_column: Column | None = None
    """A column whose equal entries stay in one split, such as a question or an author."""
    id_column: Column | None = None
    """A column with an id of every row's own; by default ids are made from the texts."""
    n_train: Count | None = None
    """Examples of weak_train and of strong_train, each; even classes round it down. By default a
    share of what there is."""
    n_validation: Count | None = None
    """Examples of validation, likewise."""
    n_test: Count | None = None
    """Examples of test, likewise."""
    shrink: bool = False
    """Where there are too few examples for these sizes, make all of them smaller alike."""
    balance: bool = True
    """Take as many examples of every class as the rarest one has; of preferences, all are taken."""
    near_duplicates: bool = True
    """Look for texts that are nearly the same, and keep them in one split."""
    encoding: Annotated[Encoding | None, Flag(metavar="NAME")] = None
    """Of text files, such as latin-1 or cp1252; by default UTF-8, or what a mark at the beginning
    of a file says (UTF-16)."""
    unpacked_limit: Annotated[Positive, Flag(metavar="GIB")] = 8.0
    """How many GiB a packed file (.gz, .bz2, .xz, .zst) may hold; a larger one is refused."""
    group_beginnings: bool = False
    """Keep texts that begin alike for 80 characters or more, beyond what a template gives, in one
    split: questions on one passage, or turns of one conversation."""
    subset: Text | None = None
    """Which part of a dataset of the hub, where it has several."""
    split: Text = "train"
    """Which of the dataset's own splits to make ours of."""
    test_on: Annotated[Name | None, Flag(metavar="TASK")] = None
    """Test on other data of the same kind, such as reward-bench, in place of a part of the task."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __post_init__(self) -> None:
        if self.text_column == self.label_column:
            raise RefusedError(
                f"text and label cannot both be in column {self.text_column!r}: "
                "name two with text_column and label_column."
            )
