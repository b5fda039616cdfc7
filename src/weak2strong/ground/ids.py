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


def places(ids: Sequence[str], asked: Sequence[str], what: str) -> list[int]:
    """Where each asked id stands among the ids.

    Args:
        ids: unique.
        asked: in any order, repeated or not.
        what: the noun for the error, of what an example lacks.

    Raises:
        UserError: where an asked id is not there.
    """
    place = {id: row for row, id in enumerate(ids)}
    missing = [id for id in asked if id not in place]
    if missing:
        raise UserError(
            f"{len(missing)} of {len(asked)} examples have no {what}, "
            f"the first is id {missing[0]!r}."
        )
    return [place[id] for id in asked]
