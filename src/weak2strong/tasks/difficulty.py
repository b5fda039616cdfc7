"""Easy to hard: splits with only those examples that are easy enough, or hard enough.

Burns et al. 2023, appendix C, train on easy examples and test on hard examples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from weak2strong.ground.errors import UserError
from weak2strong.tasks.splits import CLASS, SPLITS, Splits, Stratum
from weak2strong.tasks.task import Example

FORMS = "below:1200, above:1600, between:1200:1600, easiest:0.5 or hardest:0.25"

Pick = Callable[[Sequence[Example]], set[str]]
"""The ids of the examples of a task, all splits together, that a selection takes."""

_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)"
_SELECTION = re.compile(rf"(below|above|between|easiest|hardest):({_NUMBER})(?::({_NUMBER}))?")


def read_selection(text: str) -> Pick:
    """A function that gives the ids that a selection such as ``below:1200`` takes.

    ``below`` and ``above`` do not take their own number, ``between`` takes both of its numbers.
    ``easiest`` and ``hardest`` take a share of the task's examples: two shares that are at most one
    together have no example in common. Equally hard examples are taken in the order of their ids.

    Raises:
        UserError: for any other text.
    """
    match = _SELECTION.fullmatch(text)
    if match is None or (match[1] == "between") != (match[3] is not None):
        raise UserError(f"Difficulty {text!r} is no selection: write {FORMS}.")
    word, low = match[1], float(match[2])
    if word in ("easiest", "hardest"):
        if not 0 < low <= 1:
            raise UserError(f"Difficulty {text!r}: a share is above 0 and at most 1.")
        return lambda examples: _share(examples, low, hardest=word == "hardest")
    if word == "below":
        return lambda examples: {e.item.id for e in examples if _of(e) < low}
    if word == "above":
        return lambda examples: {e.item.id for e in examples if _of(e) > low}
    high = float(match[3])
    if low > high:
        raise UserError(f"Difficulty {text!r}: nothing is between {low:g} and {high:g}.")
    return lambda examples: {e.item.id for e in examples if low <= _of(e) <= high}


def select(
    splits: Splits, train: str | None, test: str | None, about: str, stratum_of: Stratum = CLASS
) -> Splits:
    """Splits without the examples that are too easy or too hard.

    Args:
        splits: of a task.
        train: the selection of weak_train, strong_train and validation; None for all examples.
        test: the selection of test; None for all examples.
        about: what errors call the task.
        stratum_of: every split must keep examples of each of its strata: classes, where the task
            has any.

    Raises:
        UserError: for a text that is no selection, for examples without a difficulty, and where a
            split loses a class, or keeps one group only.
    """
    if train is None and test is None:
        return splits
    whole = [e for name in SPLITS for e in splits.examples(name)]
    if any(e.difficulty is None for e in whole):
        raise UserError(
            f"{about} does not say how hard its examples are: leave --train-difficulty and "
            "--test-difficulty out."
        )
    selections = {"--train-difficulty": train, "--test-difficulty": test}
    picked = {flag: read_selection(s)(whole) for flag, s in selections.items() if s is not None}
    kept = {}
    for name in SPLITS:
        flag = "--test-difficulty" if name == "test" else "--train-difficulty"
        if flag not in picked:
            continue
        before = splits.examples(name)
        kept[name] = tuple(e for e in before if e.item.id in picked[flag])
        groups = {e.item.group for e in kept[name]}
        if set(map(stratum_of, kept[name])) != set(map(stratum_of, before)) or len(groups) < 2:
            hard = [_of(e) for e in whole]
            raise UserError(
                f"{about} keeps {len(kept[name]):,} of {len(before):,} examples of {name} with "
                f"{flag} {selections[flag]}, too few for every class: its difficulties go from "
                f"{min(hard):g} to {max(hard):g}."
            )
    return replace(splits, **kept)


def _of(example: Example) -> float:
    assert example.difficulty is not None
    return example.difficulty


def _share(examples: Sequence[Example], share: float, hardest: bool) -> set[str]:
    order = sorted(examples, key=lambda e: (_of(e), e.item.id))
    count = round(share * len(order))
    return {e.item.id for e in (order[len(order) - count :] if hardest else order[:count])}
