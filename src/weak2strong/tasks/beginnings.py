"""Rows that belong together by what they begin with: a conversation, a passage, a context.

What was taught of one turn of a conversation tells something of the other turns, and so do
questions on one passage. So all of them belong into one split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from weak2strong.ground.garbage import kept_objects
from weak2strong.ground.watched import watched
from weak2strong.tasks.conversations import opening
from weak2strong.tasks.rows import Row
from weak2strong.tasks.same import firsts, sets_of
from weak2strong.tasks.splits import SPLITS, Splits, normalised
from weak2strong.tasks.task import stable_id

LONG = 80
"""Characters of a beginning that is long."""

TEMPLATE_SHARE, TEMPLATE_LEAST = 0.05, 50
"""A beginning is a template's if more than this share of the texts have it, and more than this
many (as for near-duplicates)."""

EVERYWHERE = 0.1
"""Share of the rows above which an opening is no conversation's but a template's: as many as the
smallest split can hold."""


def with_openings(rows: Sequence[Row]) -> list[Row]:
    """The rows, in which preferences without a group have the name of their opening.

    An opening that more than `EVERYWHERE` of the rows have, and more than `TEMPLATE_LEAST`, is a
    template's, and such rows have none.
    """
    if not any(row.completions or row.dialogues for row in rows):
        return list(rows)
    names = [_opening_name(row) for row in watched(rows, "finding conversations", len(rows))]
    most = max(TEMPLATE_LEAST, EVERYWHERE * len(rows))
    usual = {name for name, n in Counter(names).items() if n > most}
    return [
        replace(row, opening=None if name in usual else name) if name != row.opening else row
        for row, name in zip(rows, names, strict=True)
    ]


def sharing(texts: Sequence[str]) -> list[list[int]]:
    """Texts that have a long beginning in common, beyond that of a template.

    Beginnings of `LONG` characters are compared; where so many texts have one that it is a
    template's, those of twice as many, and so on. Case and spacing do not count. The order of the
    texts changes no set.

    Returns:
        The sets of two or more, each as ascending positions, by first position.
    """

    def beginning(position: int) -> str | int:
        """What is compared of a text; its position where it is too short to have it."""
        compared = normalised(texts[position])
        return compared[:length] if len(compared) >= length else position

    most = max(TEMPLATE_LEAST, TEMPLATE_SHARE * len(texts))
    waiting, length, found = list(range(len(texts))), LONG, []
    while waiting:
        alike = sets_of(firsts(waiting, beginning, "comparing beginnings"))
        sets = [[waiting[i] for i in same] for same in alike]
        found += [same for same in sets if len(same) <= most]
        waiting = [position for same in sets if len(same) > most for position in same]
        length += LONG
    return sorted(found)


def _opening_name(row: Row) -> str | None:
    """The name of the opening of a row without a group, if it has one."""
    if row.group is not None:
        return None
    text = opening(row.text, row.completions, row.dialogues)
    return stable_id("text", normalised(text)) if text.strip() else None


@dataclass(frozen=True)
class Beginnings:
    """Long beginnings that texts of several splits share.

    Attributes:
        spanning: how many there are.
        texts: that have one of them.
    """

    spanning: int
    texts: int

    @classmethod
    @kept_objects()
    def of(cls, splits: Splits) -> Beginnings:
        """Those of the splits of a task."""
        names = [split for split in SPLITS for _ in splits.examples(split)]
        texts = [e.item.content for split in SPLITS for e in splits.examples(split)]
        across = spanning(names, sharing(texts))
        return cls(len(across), sum(map(len, across)))

    def sentences(self) -> tuple[str, ...]:
        """What a user should know of them."""
        if not self.spanning:
            return ()
        return (
            f"{self.spanning:,} beginnings of {LONG} characters or more stand in several splits, "
            f"in {self.texts:,} texts. Where such texts belong together, as questions on one "
            "passage or turns of one conversation do, keep them in one split: --group-beginnings, "
            "or --group-column with a column that tells which.",
        )


def spanning(splits: Sequence[str | None], sets: Iterable[Sequence[int]]) -> list[Sequence[int]]:
    """Those of the sets of positions that stand in several splits."""
    return [same for same in sets if len({splits[i] for i in same}) > 1]
