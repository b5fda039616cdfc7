"""Texts that end in the supervisor's label, so that imitating it is trivial.

Burns et al. 2023, appendix E: "I think this is {weak_label}. What do you think?" A model that cuts
long texts at their end loses the hint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from weak2strong.tasks.task import Example, Item, Kind

HINT = " I think this is {}. What do you think?"


def with_hints(
    kind: Kind, examples: Sequence[Example], labels: Sequence[int], classes: Sequence[str]
) -> tuple[Example, ...]:
    """Examples whose texts end in a label; ids, groups and ground truth stay.

    Args:
        kind: of the task.
        examples: of the task.
        labels: of the supervisor, a class index an example.
        classes: their names.
    """
    add_hint = _ADD_HINT[kind]
    return tuple(
        replace(e, item=add_hint(e.item, label, classes))
        for e, label in zip(examples, labels, strict=True)
    )


def _naming_the_class(item: Item, label: int, classes: Sequence[str]) -> Item:
    hint = HINT.format(classes[label])
    return replace(item, text=item.text + hint, dialogues=_with_endings(item, [hint]))


def _naming_the_better(item: Item, label: int, classes: Sequence[str]) -> Item:
    """Each completion is read alone, so each is said to be better or worse."""
    hints = [HINT.format("better" if i == label else "worse") for i in range(2)]
    completions = tuple(c + hint for c, hint in zip(item.completions, hints, strict=True))
    return replace(item, completions=completions, dialogues=_with_endings(item, hints))


def _with_endings(item: Item, hints: Sequence[str]):
    """The dialogues of an item, each with its hint in the last turn."""
    if not item.dialogues:
        return ()
    return tuple(
        (*turns[:-1], (turns[-1][0], turns[-1][1] + hint))
        for turns, hint in zip(item.dialogues, hints, strict=True)
    )


_ADD_HINT: dict[Kind, Callable[[Item, int, Sequence[str]], Item]] = {
    "classification": _naming_the_class,
    "preference": _naming_the_better,
}
