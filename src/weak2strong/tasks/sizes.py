"""Splits of as many examples as the user asked for.

Splits follow from shares (`weak2strong.tasks.splits.part`), so sizes become
shares, and as many examples are set aside beforehand as the splits have no room
for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from weak2strong.tasks.splits import CLASS, SPLITS, Stratum
from weak2strong.tasks.task import Example, Shares, stable_id

DEFAULT = asdict(Shares())


def least(asked: Mapping[str, int], classes: int) -> int:
    """Examples that splits of these sizes take; the other splits need one a class."""
    return sum(asked.get(split, classes) for split in SPLITS)


def cut(
    examples: Sequence[Example], asked: Mapping[str, int], of: Stratum = CLASS
) -> tuple[list[Example], Shares]:
    """The examples that stay, and the shares by which they part into the sizes asked for.

    Groups stay or go whole, by a draw that depends on their names alone, and of
    every class in proportion. The splits that are not asked for share what
    remains in their usual proportion.

    Where every example is a group of its own, splits of even classes come out
    exactly as asked, rounded down to a multiple of the number of classes; splits
    of uneven classes to within one example a class. Larger groups add up to a group.

    Args:
        examples: at least as many as `least` says.
        asked: sizes by the name of the split, each at least the number of
            classes; none asked for leaves all as it is.
        of: what is kept in proportion: the class, if there is one.
    """
    if not asked:
        return list(examples), Shares()
    strata = _strata(examples, of)
    sizes = [*map(_size, strata)]
    if len(set(sizes)) == 1:
        # So that every class gives each split a whole number of examples, and all the same.
        asked = {split: n - n % len(sizes) for split, n in asked.items()}
    if len(asked) < len(SPLITS):
        return list(examples), _shares(asked, len(examples))
    kept = draw(examples, sum(asked.values()), of)
    return kept, _shares(asked, len(kept))


def shrunk(asked: Mapping[str, int], count: int, classes: int) -> dict[str, int]:
    """The sizes asked for where ``count`` examples are enough for them, else all smaller alike."""
    if count >= least(asked, classes):
        return dict(asked)
    room = max(0, count - classes * (len(SPLITS) - len(asked)))
    return {split: n * room // sum(asked.values()) for split, n in asked.items()}


def draw(examples: Sequence[Example], total: int, of: Stratum = CLASS) -> list[Example]:
    """As many examples as groups add up to, ``total`` at most, of every class in proportion.

    Groups stay or go whole, by a draw that depends on their names alone.
    """
    strata = _strata(examples, of)
    kept: list[Example] = []
    for groups, room in zip(strata, _in_proportion(total, [*map(_size, strata)]), strict=True):
        for group in groups:
            if len(group) <= room:
                kept.extend(group)
                room -= len(group)
    return sorted(kept, key=lambda e: e.item.id)


def _strata(examples: Sequence[Example], of: Stratum) -> list[list[list[Example]]]:
    """The groups of each most frequent stratum, as `part` sorts them, in drawn order."""
    groups: dict[str, list[Example]] = defaultdict(list)
    for e in examples:
        groups[e.item.group].append(e)
    strata: dict[int, list[list[Example]]] = defaultdict(list)
    for name in sorted(groups, key=lambda name: stable_id("cut", name)):
        labels = Counter(map(of, groups[name]))
        strata[min(labels, key=lambda label: (-labels[label], label))].append(groups[name])
    return [strata[label] for label in sorted(strata)]


def _size(groups: Sequence[Sequence[Example]]) -> int:
    return sum(map(len, groups))


def _shares(asked: Mapping[str, int], total: int) -> Shares:
    """Shares of ``total`` examples that give the sizes asked for, the usual ones of the rest."""
    others = {split: DEFAULT[split] for split in SPLITS if split not in asked}
    if not others:
        return Shares(**{split: n / sum(asked.values()) for split, n in asked.items()})
    rest = (total - sum(asked.values())) / sum(others.values()) / total
    return Shares(**{s: asked[s] / total if s in asked else others[s] * rest for s in SPLITS})


def _in_proportion(total: int, sizes: Sequence[int]) -> list[int]:
    """Whole numbers in proportion to sizes that add up to ``total``, by largest remainder."""
    numbers = [total * size // sum(sizes) for size in sizes]
    order = sorted(range(len(sizes)), key=lambda i: -(total * sizes[i] % sum(sizes)))
    for i in order[: total - sum(numbers)]:
        numbers[i] += 1
    return numbers
