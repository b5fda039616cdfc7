"""Reading the folder of a run or an experiment: presence, digest and form of each file."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.ground.errors import UserError
from weak2strong.ground.index import INDEX, Index, read_index
from weak2strong.ground.schema import Columns, Form, read_json, read_table
from weak2strong.ground.store.sealed import DamageError, compare, fingerprint
from weak2strong.ground.whole import leftovers

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class FolderFiles:
    """The files of a folder, each checked against the index when it is read.

    The index is read once, so that all files that are read are of one writing.

    Attributes:
        folder: the folder.
        kind: what a reader looks for in it: ``run``, or the name of an experiment.
    """

    folder: Path
    kind: str

    @cached_property
    def index(self) -> Index | None:
        """The index; None in a folder of a release before there was one.

        Raises:
            UserError: where it is not as this package wrote it.
        """
        try:
            return read_index(self.folder)
        except DamageError as e:
            raise self.fault(INDEX, str(e)) from e

    def has(self, name: str) -> bool:
        """Whether a file should be there, or is there."""
        return (self.index is not None and name in self.index.files) or (
            self.folder / name
        ).is_file()

    def read(self, name: str, again: str | None = None) -> bytes | None:
        """What a file holds; None where there is none, and should be none.

        Args:
            name: of the file.
            again: what makes it again, in words; by default the command of the folder's kind.

        Raises:
            UserError: where it is missing, damaged, or not of this folder.
        """
        path, index = self.folder / name, self.index
        listed = index.files.get(name) if index else None
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            if listed is None:
                return None
            raise self.fault(name, f"{name} is missing", again) from None
        except OSError as e:
            raise self.fault(name, f"{name} cannot be read ({e.strerror})", again) from e
        if index and listed is None:
            said = f"{name} is none of the files that {INDEX} lists"
            raise self.fault(name, said, again)
        try:
            if listed is not None:
                compare(name, fingerprint(content), listed)
        except DamageError as e:
            raise self.fault(name, str(e), again) from e
        return content

    def fingerprint(self, name: str) -> Mapping[str, Any]:
        """Size and digest of a file: as the index has them, or else as it lies there.

        Raises:
            UserError: where there is none.
        """
        if self.index and name in self.index.files:
            return self.index.files[name]
        content = self.read(name)
        if content is None:
            raise self.fault(name, f"{name} is missing")
        return fingerprint(content)

    def fault(self, name: str, what: str, again: str | None = None) -> UserError:
        """The error for a file of the folder, which says what makes it again.

        Args:
            name: of the file.
            what: is wrong with it, in words.
            again: what makes it again; by default the command of the folder's kind.
        """
        again = again or self._again(name)
        if self._changed():
            return UserError(
                f"{self.folder} was written while it was read: run the same command again."
            )
        if leftovers(self.folder / name):
            return UserError(
                f"The writing of {self.folder} was cut off ({what}): {again} makes it again, from "
                "what the store has."
            )
        state = "is damaged" if (self.folder / INDEX).exists() else f"holds no finished {self.kind}"
        return UserError(f"{self.folder} {state} ({what}): {again} makes it again.")

    def _again(self, name: str) -> str:
        """What makes a file again, in words."""
        if name == INDEX:
            # Which command wrote it is what cannot be read.
            return f"the same command with --out {self.folder}"
        if self.kind != "run":
            return f"the same `w2s {self.kind}` command with --out {self.folder}"
        if name == "study.yaml":
            return f"the same `w2s run` command with --out {self.folder}"
        return f"`w2s run {self.folder / 'study.yaml'} --out {self.folder}`"

    def _changed(self) -> bool:
        """Whether another process has put files into the folder since the index was read."""
        seen = self.__dict__.get("index")
        with contextlib.suppress(DamageError):
            return seen is not None and read_index(self.folder) != seen
        return False

    def table(
        self,
        name: str,
        columns: Columns,
        optional: Columns | None = None,
        again: str | None = None,
    ) -> pl.DataFrame | None:
        """The table in a file; None where there is none, and should be none.

        Args:
            name: of the file.
            columns: that it must have (see `weak2strong.ground.schema`).
            optional: columns that it may lack.
            again: what makes it again, in words; by default the command of the folder's kind.

        Raises:
            UserError: where it is missing, damaged, of another form, or not of this folder.
        """
        content = self.read(name, again)
        try:
            return None if content is None else read_table(name, content, columns, optional)
        except DamageError as e:
            raise self.fault(name, str(e), again) from e

    def json(self, name: str, form: Form, again: str | None = None) -> Any:
        """What a JSON file holds, as `table`; ``form`` as in `weak2strong.ground.schema`."""
        content = self.read(name, again)
        try:
            return None if content is None else read_json(name, content, form)
        except DamageError as e:
            raise self.fault(name, str(e), again) from e
