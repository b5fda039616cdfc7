"""Both sides of preferences made even: as many first completions are preferred as second ones.

The order of a pair is ours to choose, so no row has to be left out for that. Content alone draws an
order first (see `weak2strong.tasks.pairs`), as a fair coin would; then as few pairs as it takes are
turned round. Rows about the same pair keep the same order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from weak2strong.ground.watched import watched
from weak2strong.tasks.rows import Row
from weak2strong.tasks.splits import normalised
from weak2strong.tasks.task import stable_id


def even_sides(rows: Sequence[Row]) -> list[Row]:
    """The rows, of which some preferences are turned round; others stay as they are."""
    if not any(row.completions for row in rows):
        return list(rows)
    turned = turns([(row.text, *row.completions) for row in rows], [int(r.label) for r in rows])
    return [_turned(row) if turn else row for row, turn in zip(rows, turned, strict=True)]


def turns(pairs: Sequence[tuple[str, ...]], labels: Sequence[int]) -> list[bool]:
    """Which pairs to turn round, so that labels are even, or as nearly even as an odd number is.

    Args:
        pairs: prompt, first and second completion of each, in the order that content draws.
        labels: 0 or 1 of each.

    Returns:
        One truth value a pair, which depends on all pairs, and not on their order. Pairs that
        contradict one another are not turned, nor are those of two equal completions.
    """
    each = watched(pairs, "evening sides", len(pairs))
    keys = [tuple(map(normalised, pair)) for pair in each]
    said = defaultdict[tuple[str, ...], set[int]](set)
    for key, label in zip(keys, labels, strict=True):
        said[key].add(label)
    sides = {
        side: [k for k, of in said.items() if of == {side} and k[1] != k[2]] for side in (0, 1)
    }
    more = max(sides, key=lambda side: len(sides[side]))
    surplus = (len(sides[more]) - len(sides[1 - more])) // 2
    drawn = sorted(sides[more], key=lambda key: stable_id("side", *key))[:surplus]
    chosen = set(drawn)
    return [key in chosen for key in keys]


def _turned(row: Row) -> Row:
    return replace(
        row,
        completions=row.completions[::-1],
        dialogues=row.dialogues[::-1],
        label=1 - int(row.label),
    )
