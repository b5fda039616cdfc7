"""Splits with as many examples as the user asks for.

Splits follow from shares (`weak2strong.tasks.splits.part`). So sizes become shares, and examples
that the splits have no room for are set aside before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from weak2strong.tasks.splits import CLASS, SPLITS, Stratum
from weak2strong.tasks.task import Example, Shares, stable_id

DEFAULT = asdict(Shares())


def least(sizes: Mapping[str, int], classes: int) -> int:
    """How many examples splits of these sizes need; a split without a size needs one a class."""
    return sum(sizes.get(split, classes) for split in SPLITS)


def cut(
    examples: Sequence[Example], sizes: Mapping[str, int], stratum_of: Stratum = CLASS
) -> tuple[list[Example], Shares]:
    """The examples that stay, and the shares that part them into splits of the wanted sizes.

    A group stays or goes as a whole. A draw that depends on the names of the groups alone decides
    this, and every class keeps its proportion. Splits without a size share the other examples in
    their usual proportion.

    Where every example is a group of its own and classes are even, the sizes are exact, rounded
    down to a multiple of the number of classes; where classes are uneven, a size may be wrong by
    one example a class. With larger groups a size may be wrong by one group.

    Args:
        examples: at least as many as `least` says.
        sizes: by the name of the split, each at least the number of classes; without any, all
            examples stay.
        stratum_of: what is kept in proportion: the class, if there is one.
    """
    if not sizes:
        return list(examples), Shares()
    strata = _strata(examples, stratum_of)
    stratum_sizes = [*map(_size, strata)]
    if len(set(stratum_sizes)) == 1:
        # So that every class gives each split a whole number of examples, and all the same.
        sizes = {split: n - n % len(stratum_sizes) for split, n in sizes.items()}
    if len(sizes) < len(SPLITS):
        return list(examples), _shares(sizes, len(examples))
    kept = draw(examples, sum(sizes.values()), stratum_of)
    return kept, _shares(sizes, len(kept))


def shrunk(sizes: Mapping[str, int], count: int, classes: int) -> dict[str, int]:
    """The sizes, all made smaller alike where ``count`` examples are too few for them."""
    if count >= least(sizes, classes):
        return dict(sizes)
    room = max(0, count - classes * (len(SPLITS) - len(sizes)))
    return {split: n * room // sum(sizes.values()) for split, n in sizes.items()}


def draw(examples: Sequence[Example], total: int, stratum_of: Stratum = CLASS) -> list[Example]:
    """Whole groups of at most ``total`` examples together; every class keeps its proportion.

    The draw depends on the names of the groups alone.
    """
    strata = _strata(examples, stratum_of)
    kept: list[Example] = []
    for groups, room in zip(strata, _in_proportion(total, [*map(_size, strata)]), strict=True):
        for group in groups:
            if len(group) <= room:
                kept.extend(group)
                room -= len(group)
    return sorted(kept, key=lambda e: e.item.id)


def _strata(examples: Sequence[Example], stratum_of: Stratum) -> list[list[list[Example]]]:
    """Groups by their most frequent stratum, as `part` sorts them; each list in a drawn order."""
    groups: dict[str, list[Example]] = defaultdict(list)
    for e in examples:
        groups[e.item.group].append(e)
    strata: dict[int, list[list[Example]]] = defaultdict(list)
    for name in sorted(groups, key=lambda name: stable_id("cut", name)):
        labels = Counter(map(stratum_of, groups[name]))
        strata[min(labels, key=lambda label: (-labels[label], label))].append(groups[name])
    return [strata[label] for label in sorted(strata)]


def _size(groups: Sequence[Sequence[Example]]) -> int:
    return sum(map(len, groups))


def _shares(sizes: Mapping[str, int], total: int) -> Shares:
    """Shares of ``total`` examples that give these sizes; the other splits share what is left."""
    others = {split: DEFAULT[split] for split in SPLITS if split not in sizes}
    if not others:
        return Shares(**{split: n / sum(sizes.values()) for split, n in sizes.items()})
    rest = (total - sum(sizes.values())) / sum(others.values()) / total
    return Shares(**{s: sizes[s] / total if s in sizes else others[s] * rest for s in SPLITS})


def _in_proportion(total: int, sizes: Sequence[int]) -> list[int]:
    """Whole numbers in proportion to sizes that add up to ``total``, by largest remainder."""
    numbers = [total * size // sum(sizes) for size in sizes]
    order = sorted(range(len(sizes)), key=lambda i: -(total * sizes[i] % sum(sizes)))
    for i in order[: total - sum(numbers)]:
        numbers[i] += 1
    return numbers
