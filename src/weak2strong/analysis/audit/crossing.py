"""What stands in more than one split, counted for every pair of splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from weak2strong.analysis.audit.subject import Entry


@dataclass(frozen=True)
class Crossing:
    """Sets of entries that belong together and stand in two splits or more.

    Attributes:
        sets: of such entries, in the order in which they were found.
        share: the largest share of any split's entries that are in such a set.
    """

    sets: tuple[tuple[Entry, ...], ...]
    share: float

    @property
    def pairs(self) -> dict[str, int]:
        """How many sets each pair of splits shares, the most first."""
        found: Counter[str] = Counter()
        for same in self.sets:
            splits = list(dict.fromkeys(e.split for e in same))
            found.update(f"{a} and {b}" for a, b in combinations(splits, 2))
        return dict(found.most_common())

    def said(self) -> str:
        """The pairs in words."""
        return ", ".join(f"{pair}: {n:,}" for pair, n in self.pairs.items())

    def first(self) -> tuple[Entry, ...]:
        """One entry of each split of the first set, then of the next one."""
        shown = []
        for same in self.sets[:2]:
            shown += list({e.split: e for e in reversed(same)}.values())[::-1][:2]
        return tuple(shown)


def by_key(entries: Sequence[Entry], keys: Iterable[Hashable | None]) -> Crossing:
    """Entries of one key; those without one, or without a split, belong to nothing."""
    sets: dict[Hashable, list[Entry]] = defaultdict(list)
    for entry, key in zip(entries, keys, strict=True):
        if key is not None and entry.split is not None:
            sets[key].append(entry)
    return crossing(entries, sets.values())


def crossing(entries: Sequence[Entry], sets: Iterable[Sequence[Entry]]) -> Crossing:
    """Those of the sets that cross splits."""
    across = tuple(tuple(same) for same in sets if len({e.split for e in same}) > 1)
    sizes = Counter(e.split for e in entries)
    inside = Counter(e.split for same in across for e in same)
    return Crossing(across, max((n / sizes[split] for split, n in inside.items()), default=0.0))
