"""Where a user's own data have what, and how they are made into tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from weak2strong.config.sources import SourceOptions, with_sources
from weak2strong.ground.errors import UserError

_NUMBER, _TRUTH = (int, "a whole number"), (bool, "true or false")

_KINDS = {
    **dict.fromkeys(("n_train", "n_validation", "n_test"), _NUMBER),
    **dict.fromkeys(("balance", "near_duplicates", "shrink"), _TRUTH),
    "sources": (Mapping, "a mapping"),
}
"""Options that are no text: of which type, in words too."""


@with_sources
@dataclass(frozen=True)
class DataOptions:
    """Where a user's data have what, and how they are made into a task."""

    text_column: str = "text"
    """The column with what the model reads."""
    label_column: str = "label"
    """The column with the class: names, whole numbers from 0, or true and false."""
    group_column: str | None = None
    """A column whose equal entries stay in one split, such as a question or an author."""
    id_column: str | None = None
    """A column with an id of every row's own; by default ids are made from the texts."""
    n_train: int | None = None
    """Examples of weak_train and of strong_train, each; even classes round it down."""
    n_validation: int | None = None
    """Examples of validation, likewise."""
    n_test: int | None = None
    """Examples of test, likewise."""
    shrink: bool = False
    """Where there are too few examples for these sizes, make all of them smaller alike."""
    balance: bool = True
    """Take as many examples of every class as the rarest one has."""
    near_duplicates: bool = True
    """Keep texts that are nearly the same in one split, by putting them into one group."""
    subset: str | None = None
    """Which part of a dataset repository to read, where it has several."""
    split: str = "train"
    """Which of a dataset repository's own splits to read; ours are all made of it."""
    test_on: str | None = None
    """What to test on in place of a part of the task: a file or a dataset of the same kind."""
    sources: SourceOptions = field(default_factory=SourceOptions)
    """What single sources of tasks take besides; a study file has each of them by its name."""

    def __post_init__(self) -> None:
        for f in fields(self):
            value, (kind, what) = getattr(self, f.name), _KINDS.get(f.name, (str, "text"))
            if not isinstance(value, kind) and (value is not None or f.default is not None):
                raise UserError(f"Data: {f.name} must be {what}, not {value!r}.")
        for flag, n in (
            ("--n-train", self.n_train),
            ("--n-validation", self.n_validation),
            ("--n-test", self.n_test),
        ):
            if n is not None and n < 1:
                raise UserError(f"{flag} must be at least 1, not {n}.")
        if self.text_column == self.label_column:
            raise UserError(
                f"Text and label cannot both be in column {self.text_column!r}: "
                "name two with --text-column and --label-column."
            )

    @property
    def plain(self) -> dict[str, Any]:
        """All of them, as a study file has them: those of sources stand beside the others."""
        plain = asdict(self)
        del plain["sources"]
        return plain | self.sources.plain
