"""What was done with the columns and the rows of a user's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.ground.table import listed_names
from weak2strong.tasks.readers import listed
from weak2strong.tasks.roles import Roles
from weak2strong.tasks.tables import Table, is_missing
from weak2strong.tasks.task import Kind

ALLOWED = 0.05
"""Share of malformed rows above which the data are refused."""

NAMED = 3
"""How many malformed rows a message describes."""

WITH_TEXT = ("text", "texts", "messages", "mixed")
"""What columns hold that a user should know of where they are not read."""

KINDS: dict[Kind, str] = {
    "classification": "texts with classes",
    "preference": "preferences",
    "generation": "prompts with targets",
}


@dataclass(frozen=True)
class Account:
    """What was done with each column and each row that was left out.

    Attributes:
        files: what the data are called.
        kind: what they were read as.
        read: the columns of each role.
        template: how a text is written from its columns; None where it is these, one after another.
        unread: columns with text that have no role, but for those that ``labels`` tells of.
        labels: what a user should know about labels and groups, and about columns that could be
            the label.
        rows: how many rows there are.
        unlabelled: how many of them have no label, or prefer neither completion.
        malformed: how many of them were left out as something is wrong with them.
        named: the first of these, each with what is wrong.
        group_found: whether the column of groups was found by its name.
        beside: whether the task has other data, too, so that every sentence names its files.
        what: what its items are with their labels, where these are no texts.
    """

    files: str
    kind: Kind
    read: dict[str, tuple[str, ...]]
    template: str | None = None
    unread: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    rows: int = 0
    unlabelled: int = 0
    malformed: int = 0
    named: tuple[str, ...] = field(default=())
    group_found: bool = False
    beside: bool = False
    what: str = ""

    def sentences(self) -> tuple[str, ...]:
        """What a user should know of the columns; `Cleaning` tells of the rows."""
        parts = [f"{role} from {listed_names(names)}" for role, names in self.read.items()]
        said = [f"Read as {self.what or KINDS[self.kind]}: {'; '.join(parts)}."]
        if self.template:
            said.append(f"Written by the template {self.template!r}.")
        if self.unread:
            said.append(
                f"Not read, though there is text in it: {listed(self.unread)}; name columns with "
                "--text-column, --prompt-column and so on where this is wrong."
            )
        about = f"{self.files}: " if self.beside else ""
        return tuple(about + sentence for sentence in (*said, *self.labels))


def account_of(
    found: Sequence[tuple[Table, Roles]], about: str, labels: Sequence[str] = ()
) -> Account:
    """The account of some tables; what was left out is not counted yet."""
    read: dict[str, tuple[str, ...]] = {}
    unread: dict[str, None] = {}
    also: dict[str, None] = {}
    for table, roles in found:
        for role, columns in roles.named():
            read[role] = tuple(dict.fromkeys((*read.get(role, ()), *columns)))
        used = {name for _, columns in roles.named() for name in columns}
        also |= dict.fromkeys(more := roles.not_taken(tuple(table.columns)))
        rest = [name for name in table.columns if name not in used and name not in more]
        unread |= dict.fromkeys(name for name in rest if _has_text(table, name))
    first = found[0][1]
    said = [*labels, *_other_labels(tuple(also), first)]
    grouped = any(roles.group_found for _, roles in found)
    account = Account(about, first.kind, read, first.template, tuple(unread), tuple(said))
    return replace(account, group_found=grouped)


def _has_text(table: Table, column: str) -> bool:
    """Whether a column holds text, and not only numbers, which some formats write as texts."""
    kind = table.columns[column]
    if kind not in ("text", "mixed"):
        return kind in WITH_TEXT
    values = (row.get(column) for _, row in table.rows)
    return any(not is_missing(value) and not _is_number(value) for value in values)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _other_labels(names: tuple[str, ...], roles: Roles) -> list[str]:
    """The sentence on columns that could be the label, too, or the preference."""
    if not names:
        return []
    word = "label" if roles.kind == "classification" else "preference"
    return [
        f"Not read, though it could be the {word} by its name: {listed(names)}; say "
        f"--{word}-column where it is meant."
    ]


def check_malformed(errors: Sequence[UserError], rows: int, strict: bool) -> None:
    """Refuse data with too many malformed rows, or with any.

    Args:
        errors: one for every malformed row, in order.
        rows: how many rows there are, with these.
        strict: whether none are allowed.

    Raises:
        UserError: that of the first row, with how many there are.
    """
    if not errors or (not strict and len(errors) <= ALLOWED * rows):
        return
    if strict or len(errors) == 1:
        raise errors[0]
    problem, advice = parted(errors[0])
    raise UserError(
        f"{problem}, and {len(errors) - 1:,} other rows of {rows:,} are malformed, too (more than "
        f"{ALLOWED:.0%} in all): {advice}"
    ) from errors[0]


def as_malformed(errors: Sequence[UserError]) -> str:
    """Why rows were left out, with what is wrong with the first of them."""
    return malformed_reason([parted(error)[0] for error in errors[:NAMED]], len(errors))


def malformed_reason(named: Sequence[str], count: int) -> str:
    """The same, from what is wrong with the first of so many rows."""
    return f"as malformed ({'; '.join(named)}{'; ...' if count > len(named) else ''})"


def parted(error: UserError) -> tuple[str, str]:
    """What is wrong, and what to do, of a sentence that has both."""
    problem, _, advice = str(error).rpartition(": ")
    return problem, advice
