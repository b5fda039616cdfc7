"""What groups that were found by a column's name mean beside other signs of what belongs together.

A user who names a column of groups says that it is all that counts. Of a column that was found,
this is not known: so preferences of one prompt, or of one conversation, stay together as well, and
whole numbers of two datasets are not taken for the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from weak2strong.tasks.account import Account
from weak2strong.tasks.beginnings import with_openings
from weak2strong.tasks.rows import Row
from weak2strong.tasks.splits import union
from weak2strong.tasks.task import stable_id


def belonging(rows: Sequence[Row], account: Account | None) -> list[Row]:
    """The rows, in which all of a prompt or conversation are in one group, if groups were found.

    Args:
        rows: of a task.
        account: what was done with the columns of its data, if they are a user's own.
    """
    if account is None or not account.group_found or not rows[0].completions:
        return with_openings(rows)
    alone = with_openings([replace(row, group=None) for row in rows])
    shared = [_of_prompt(row, i) for i, row in enumerate(alone)]
    links = [(f"group {row.group}", s) for row, s in zip(rows, shared, strict=True) if row.group]
    root = union(links)
    names: dict[str, str] = {}
    for row, own in zip(rows, shared, strict=True):
        if row.group:
            names[root(own)] = min(row.group, names.get(root(own), row.group))
    return [
        replace(row, group=names[root(own)], opening=None) if root(own) in names else row
        for row, own in zip(alone, shared, strict=True)
    ]


def _of_prompt(row: Row, position: int) -> str:
    """What names the conversation or the prompt of a preference; itself where it has neither."""
    if row.opening:
        return f"opening {row.opening}"
    return f"prompt {stable_id(row.compared[0])}" if row.text.strip() else f"row {position}"


def told_apart(rows: Sequence[Row], account: Account | None, name: str) -> list[Row]:
    """The rows of one of two datasets, whose groups are not those of the other one by chance.

    Whole numbers count the groups of one dataset; other names are taken to be the same in both.

    Args:
        rows: of the dataset.
        account: what was done with its columns.
        name: of the dataset.
    """
    if account is None or not account.group_found:
        return list(rows)
    return [
        replace(row, group=f"{name} {row.group}") if row.group and row.group.isdecimal() else row
        for row in rows
    ]
