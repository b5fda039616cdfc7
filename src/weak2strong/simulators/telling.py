"""Texts that end in what the supervisor thinks, so that imitating it is trivial.

Burns et al. 2023, appendix E: "I think this is {weak_label}. What do you think?" A model that cuts
long texts at their end loses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from weak2strong.tasks.task import Example, Item, Kind

HINT = " I think this is {}. What do you think?"


def telling(
    kind: Kind, examples: Sequence[Example], labels: Sequence[int], classes: Sequence[str]
) -> tuple[Example, ...]:
    """Examples whose texts say a label; ids, groups and ground truth stay.

    Args:
        kind: of the task.
        examples: of it.
        labels: what is said, a class index an example.
        classes: their names.
    """
    tell = _TELL[kind]
    return tuple(
        replace(e, item=tell(e.item, label, classes))
        for e, label in zip(examples, labels, strict=True)
    )


def _of_class(item: Item, label: int, classes: Sequence[str]) -> Item:
    hint = HINT.format(classes[label])
    return replace(item, text=item.text + hint, dialogues=_ending(item, [hint]))


def _of_better(item: Item, label: int, classes: Sequence[str]) -> Item:
    """Each completion is read alone, so each is said to be better or worse."""
    hints = [HINT.format("better" if i == label else "worse") for i in range(2)]
    completions = tuple(c + hint for c, hint in zip(item.completions, hints, strict=True))
    return replace(item, completions=completions, dialogues=_ending(item, hints))


def _ending(item: Item, hints: Sequence[str]):
    """The dialogues of an item with its hints in their last turns."""
    if not item.dialogues:
        return ()
    return tuple(
        (*turns[:-1], (turns[-1][0], turns[-1][1] + hint))
        for turns, hint in zip(item.dialogues, hints, strict=True)
    )


_TELL: dict[Kind, Callable[[Item, int, Sequence[str]], Item]] = {
    "classification": _of_class,
    "preference": _of_better,
}
