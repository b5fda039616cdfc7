"""Tasks whose splits a column of the data gives.

Of train, validation and test, ``train`` is parted into what the supervisor and what the student
learns from; where there is no ``validation``, it is made of ``train``, too, and where no row of
``test`` has a label, ``validation`` is what is tested on. What two splits have in common stays in
the later one (see `weak2strong.tasks.apart`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.account import Account
from weak2strong.tasks.apart import clean_parts, given_splits
from weak2strong.tasks.dealt import dealt, held_from
from weak2strong.tasks.rows import Row
from weak2strong.tasks.splits import SPLITS
from weak2strong.tasks.task import Example, Kind

TRAIN, VALIDATION, TEST = "train", "validation", "test"
WEAK, STRONG = "weak_train", "strong_train"


def by_column(
    rows: Sequence[Row],
    classes: tuple[str, ...],
    account: Account,
    options: DataOptions,
    sizes: Mapping[str, int],
) -> dict[str, Any]:
    """Attributes of a task whose rows have a split each: examples, splits, and what is said.

    Args:
        rows: of the data.
        classes: of the task.
        account: what was done with columns and rows.
        options: cleaning.
        sizes: by split, where any are asked for.

    Raises:
        UserError: where a split is missing, or has not enough examples.
    """
    column = account.read["split"][0]
    ours = any(row.split in (WEAK, STRONG) for row in rows)
    by_split = _in_order(rows, SPLITS if ours else (TRAIN, VALIDATION, TEST))
    tested = ""
    if not ours and TEST not in by_split and VALIDATION in by_split:
        by_split[TEST] = by_split.pop(VALIDATION)
        tested = " (no row of test has a label, so that validation is tested on)"
    _check_there(by_split, account.files, column, ours)
    about = {split: f"Split {split} of {account.files}" for split in by_split}
    parts, cleaning = clean_parts([*by_split.values()], [*about.values()], classes, options)
    found = dict(zip(by_split, parts, strict=True))
    splits = _dealt(found, about, rows[0].kind, classes, sizes, options.shrink)
    said = "; ".join(f"{split} {len(rows):,}" for split, rows in by_split.items())
    parted = "" if ours else ", of which train is parted into weak_train and strong_train"
    sentence = (
        f"Column {column!r} gives the splits: {said} rows{tested}{parted}; --split-column none "
        "draws splits of all rows."
    )
    return {
        "accounts": (replace(account, labels=(*account.labels, sentence)),),
        "learners_given": ours,
        **given_splits(splits, cleaning),
    }


def _in_order(rows: Sequence[Row], order: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of each split that has any, in this order."""
    by_split = {split: [row for row in rows if row.split == split] for split in order}
    return {split: of for split, of in by_split.items() if of}


def _check_there(by_split: Mapping[str, Any], files: str, column: str, ours: bool) -> None:
    needed = (WEAK, STRONG, TEST) if ours else (TRAIN, TEST)
    if missing := [split for split in needed if split not in by_split]:
        raise UserError(
            f"{files} has no row with a label of split {missing[0]!r} in column {column!r}, which "
            "is needed: add it, or say --split-column none to draw splits of all rows."
        )


def _dealt(
    found: Mapping[str, list[Example]],
    about: Mapping[str, str],
    kind: Kind,
    classes: Sequence[str],
    sizes: Mapping[str, int],
    shrink: bool,
) -> dict[str, list[Example]]:
    """The four splits of those that are given."""
    if TRAIN in found:
        rest = {split: examples for split, examples in found.items() if split != TRAIN}
        names = {**about, "": about[TRAIN]}
        return dealt(found[TRAIN], rest, names, kind, classes, sizes, shrink)
    if VALIDATION in found:
        return dealt((), found, about, kind, classes, sizes, shrink)
    strong, held = held_from(found[STRONG], sizes, kind)
    # What was asked for is held already.
    given = {**found, STRONG: strong, VALIDATION: held}
    return dealt((), given, {**about, VALIDATION: about[STRONG]}, kind, classes, sizes, shrink)
