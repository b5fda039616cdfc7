"""Splits of which some are given, and the others are made of what is left to learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from weak2strong.ground.errors import UserError
from weak2strong.tasks.kinds import stratum
from weak2strong.tasks.sizes import DEFAULT, draw
from weak2strong.tasks.splits import SPLITS, part
from weak2strong.tasks.task import Example, Kind, Shares

VALIDATION = 0.1
"""Share of ``strong_train`` that becomes ``validation`` where neither data nor size are given."""


def held_from(
    strong: Sequence[Example], sizes: Mapping[str, int], kind: Kind
) -> tuple[list[Example], list[Example]]:
    """The examples of ``strong_train`` and of ``validation``, which is taken out by group.

    What is drawn depends on names alone.
    """
    held = draw(strong, sizes.get("validation", round(VALIDATION * len(strong))), stratum(kind))
    taken = {e.item.id for e in held}
    return [e for e in strong if e.item.id not in taken], held


def dealt(
    learnt: Sequence[Example],
    given: Mapping[str, Sequence[Example]],
    about: Mapping[str, str],
    kind: Kind,
    classes: Sequence[str],
    sizes: Mapping[str, int],
    shrink: bool,
) -> dict[str, list[Example]]:
    """The four splits, of the sizes that are asked for.

    What is drawn depends on names alone, and not on a seed.

    Args:
        learnt: examples that the splits that are not given are made of.
        given: examples of the others.
        about: what errors call the data of each given split, and by "" those of the others.
        kind: of the task.
        classes: of the task.
        sizes: by split, where any are asked for.
        shrink: whether sizes become smaller where there are too few examples.

    Raises:
        UserError: where a size has not enough examples.
    """
    stratum_of, splits = stratum(kind), dict[str, list[Example]]()
    for split, examples in given.items():
        size = sizes.get(split, len(examples))
        _check_room(about[split], len(examples), size, shrink)
        splits[split] = draw(examples, min(size, len(examples)), stratum_of)
    rest = [split for split in SPLITS if split not in given]
    if not rest:
        return splits
    sizes = {split: sizes[split] for split in rest if split in sizes}
    free = {split: DEFAULT[split] for split in rest if split not in sizes}
    # Splits for which no size is asked need one example a class.
    room = len(learnt) - len(free) * max(len(classes), 1)
    if shrink and (total := sum(sizes.values())) > room:
        sizes = {split: n * room // total for split, n in sizes.items()}
    need = sum(sizes.values())
    _check_room(about[""], room, need, shrink=False)
    left = len(learnt) - need
    wanted = sizes | {split: left * n / sum(free.values()) for split, n in free.items()}
    kept = learnt if free else draw(learnt, need, stratum_of)
    shares = Shares(**{s: wanted.get(s, 0.0) / sum(wanted.values()) for s in SPLITS})
    parts = part(kept, shares, 0, stratum_of)
    return splits | {split: parts[split] for split in rest}


def _check_room(about: str, have: int, asked: int, shrink: bool) -> None:
    if asked > have and not shrink:
        raise UserError(
            f"{about} has room for {have:,} examples, and {asked:,} are asked for: lower "
            "--n-train, --n-validation or --n-test, or add examples."
        )
