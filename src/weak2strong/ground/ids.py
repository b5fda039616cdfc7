"""Rows that belong to examples are joined by id, never by position."""

from __future__ import annotations

from collections.abc import Sequence, Sized

from weak2strong.ground.errors import UserError


def check_ids(ids: Sequence[str], rows: Sized) -> None:
    """Refuse ids that are not one a row, or not unique.

    Raises:
        ValueError: for such ids.
    """
    if len(ids) != len(rows):
        raise ValueError(f"{len(ids)} ids for {len(rows)} rows")
    if len(set(ids)) != len(ids):
        raise ValueError("an id occurs more than once")


def positions(ids: Sequence[str], wanted: Sequence[str], what: str) -> list[int]:
    """The position of each wanted id among the ids.

    Args:
        ids: unique.
        wanted: in any order, repeated or not.
        what: the noun for the error: what an example lacks.

    Raises:
        UserError: where a wanted id is not among the ids.
    """
    position = {id: row for row, id in enumerate(ids)}
    missing = [id for id in wanted if id not in position]
    if missing:
        raise UserError(
            f"{len(missing)} of {len(wanted)} examples have no {what}, "
            f"the first is id {missing[0]!r}."
        )
    return [position[id] for id in wanted]
