"""What all commands that print tables share: the flag `--json`, and one way to print."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from tyro.conf import FlagCreatePairsOff, arg

from weak2strong.ground.lines import tell

if TYPE_CHECKING:
    from weak2strong.ground.table import Document


@dataclass(frozen=True, kw_only=True)
class Printing:
    """A command that prints tables."""

    command: ClassVar[str] = ""
    """Its name in JSON; that of the class where it is empty."""

    json: FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]] = False
    """Print one JSON document (docs/json.md), and all else to standard error."""

    @property
    def as_json(self) -> bool:
        """Whether tables are printed as JSON."""
        return self.json

    def show(self, *documents: Document) -> None:
        """Print documents as tables, one after another, or together as JSON."""
        show(documents, self.command or type(self).__name__, self.as_json)

    def write_page(self, path: Path, text: str) -> None:
        """Write a page that was asked for, and tell where.

        Raises:
            UserError: where the file cannot be written.
        """
        from weak2strong.ground.disks import writing
        from weak2strong.ground.whole import write_whole

        with writing(path, "choose another file"):
            write_whole(path, text)
        tell(f"Written to {path}")


def show(documents: Sequence[Document], command: str, as_json: bool) -> None:
    """Print documents as tables, one after another, or together as JSON.

    Args:
        documents: to print.
        command: its name in JSON, such as ``ProbeSweep``.
        as_json: whether JSON is printed.
    """
    if as_json:
        from weak2strong.ground.table import joined
        from weak2strong.report.formats import to_json

        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", command).lower()
        print(to_json(joined(documents), name))
        return
    from weak2strong.report.terminal import print_document, table_console

    for document in documents:
        print_document(document, table_console())
