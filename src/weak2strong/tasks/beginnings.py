"""Rows that belong together by what they begin with: a conversation, a passage, a context.

What was taught of one turn of a conversation tells something of the other turns, and so do
questions on one passage. So all of them belong into one split.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from weak2strong.tasks.conversations import opening
from weak2strong.tasks.rows import Row
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
    openings = [
        "" if row.group is not None else opening(row.text, row.completions, row.dialogues)
        for row in rows
    ]
    names = [stable_id("text", normalised(text)) if text.strip() else None for text in openings]
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
    compared = [normalised(text) for text in texts]
    most = max(TEMPLATE_LEAST, TEMPLATE_SHARE * len(texts))
    waiting, length, found = list(range(len(texts))), LONG, []
    while waiting:
        sets = defaultdict[str, list[int]](list)
        for position in waiting:
            if len(compared[position]) >= length:
                sets[compared[position][:length]].append(position)
        found += [same for same in sets.values() if 1 < len(same) <= most]
        waiting = [position for same in sets.values() if len(same) > most for position in same]
        length += LONG
    return sorted(found)


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
    def of(cls, splits: Splits) -> Beginnings:
        """Those of the splits of a task."""
        items = [(split, item) for split in SPLITS for item in splits.items(split)]
        across = spanning(
            [split for split, _ in items], sharing([item.content for _, item in items])
        )
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
