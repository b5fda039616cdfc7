"""Which columns of a file a user names, and how rows and names are called in messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from weak2strong.ground.errors import UserError
from weak2strong.tasks.tables import Table
from weak2strong.tasks.template import fields

SHOWN = 12
"""How many names an error lists at most."""

NAMELESS = "a column without a name"
"""How a column is called whose name is empty, as that of pandas' index is."""

TEXT, LABEL = "text", "label"
"""The usual columns of a classification."""

PROMPT, CHOSEN, REJECTED = "prompt", "chosen", "rejected"
"""The columns of preferences; the first may be missing."""

SUBSET = "subset"
"""The column that names the part of a benchmark that a preference is of, if there is one."""

PAIR = "pair"
"""The column that names which texts say the same, or with a ``-`` the opposite, if there is one."""

ID = "id"
"""The usual column of ids, where a reader looks for one."""

TARGETS, ACCEPTED = ("target", "answer"), "accepted"
"""The columns of a generation besides the prompt: the target, which has one of two names, and
texts that count as right, too, which may be missing."""


@dataclass(frozen=True)
class Columns:
    """The columns that a user names; those without a name are found by what they are called.

    Attributes:
        text: of the text of a classification, or several, which make one text.
        label: of its class.
        group: of what stays in one split.
        split: of the split that a row is of.
        find_split: whether a usual name tells a column of splits where the user names none.
        find_group: whether a usual name tells a column of groups where the user names none.
        id: of a row's own id.
        prompt: of what is asked, or several.
        chosen: of the better completion, or of the first one where ``preference`` has a name.
        rejected: of the other one.
        preference: of what says which of two completions is preferred.
        target: of the answer to a prompt.
        template: how a text is written from columns, in place of ``text`` and ``prompt``.
        annotators: of the classes that people gave, one a person.
    """

    text: str | tuple[str, ...] = TEXT
    label: str = LABEL
    group: str | None = None
    id: str | None = None
    prompt: tuple[str, ...] = ()
    chosen: str | None = None
    rejected: str | None = None
    preference: str | None = None
    target: str | None = None
    template: str | None = None
    find_group: bool = True
    split: str | None = None
    find_split: bool = False
    annotators: tuple[str, ...] = ()

    @property
    def all_text(self) -> tuple[str, ...]:
        """The columns of the text."""
        return (self.text,) if isinstance(self.text, str) else self.text

    @property
    def text_named(self) -> bool:
        """Whether the text has another column than the usual one."""
        return self.all_text != (TEXT,)

    @property
    def label_named(self) -> bool:
        """Whether the label has."""
        return self.label != LABEL

    @property
    def classes(self) -> bool:
        """Whether a user who names these columns means texts with classes."""
        return self.text_named or self.label_named

    def named(self) -> list[tuple[str, str]]:
        """Every column that the user names and that must be there, behind the flag that does so."""
        of_template = fields(self.template) if self.template else ()
        several = {
            "--text-column": self.all_text if self.text_named else (),
            "--label-column": (self.label,) if self.label_named else (),
            "--prompt-column": self.prompt,
            "--template": of_template,
            "--weak-label-columns": self.annotators,
        }
        single = {
            "--group-column": self.group,
            "--id-column": self.id,
            "--split-column": self.split,
            "--chosen-column": self.chosen,
            "--rejected-column": self.rejected,
            "--preference-column": self.preference,
            "--target-column": self.target,
        }
        one = [(flag, name) for flag, name in single.items() if name is not None]
        return [(flag, name) for flag, names in several.items() for name in names] + one


def unread_rows(table: Table) -> list[UserError]:
    """The rows of a table that could not be read, each with what is wrong."""
    return [
        UserError(f"{row_name(table.name, number)} {reason}: mend it or drop the row.")
        for number, reason in table.malformed
    ]


def check_all_read(table: Table) -> None:
    """Refuse a table with rows that could not be read.

    Raises:
        UserError: for the first of them.
    """
    for error in unread_rows(table):
        raise error


def row_name(file: str, number: int) -> str:
    """File and row, for errors."""
    return f"{file}, row {number:,}"


def listed(names: Sequence[str]) -> str:
    """Names for an error: the first of them, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    shown = [str(name) if str(name).strip() else NAMELESS for name in names[:SHOWN]]
    return (", ".join(shown) + more) or "none"
