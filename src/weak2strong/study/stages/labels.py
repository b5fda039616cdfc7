"""Weak labels, wherever a study has them from, and the student's desk that goes with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from weak2strong.errors import UserError
from weak2strong.predictions import Predictions, read_weak_labels
from weak2strong.study.desk import Desk
from weak2strong.study.simulated import SIMULATORS
from weak2strong.study.simulated.telling import telling
from weak2strong.study.stages.finetuning import PREDICTED
from weak2strong.study.stages.roles import supervisor
from weak2strong.study.stages.simulated import simulated_labels


def weak_labels(desk: Desk, seed: int) -> Mapping[str, Predictions]:
    """The supervisor's predictions, simulated ones, or the user's own from a file, by split."""
    if desk.config.weak_labels is not None:
        return _given(desk, desk.config.weak_labels)
    if desk.config.simulated is not None:
        return simulated_labels(desk, seed)
    return supervisor(desk, seed)


def student_desk(desk: Desk, labels: Mapping[str, Predictions]) -> Desk:
    """The desk as students have it: where texts are to say the weak labels, with such texts."""
    kind = desk.config.simulated
    if kind is None or not SIMULATORS.get(kind).tells:
        return desk
    told = {}
    for split in PREDICTED:
        examples = desk.splits.examples(split)
        said = labels[split].at([e.item.id for e in examples]).argmax(axis=1).tolist()
        told[split] = telling(desk.task.kind, examples, said, desk.task.classes)
    # The list of used stages stays the same one; digests of other texts are others.
    return replace(desk, splits=replace(desk.splits, **told), _digests={})


def _given(desk: Desk, path: Path) -> Mapping[str, Predictions]:
    """The user's own."""
    given = read_weak_labels(path, len(desk.task.classes), desk.task.kind)
    found = {}
    for split in PREDICTED:
        ids = tuple(item.id for item in desk.splits.items(split))
        try:
            found[split] = given.only(ids)
        except UserError as e:
            raise UserError(
                f"Weak labels {path}, split {split} of {desk.task.name}: {e} "
                f"`w2s export {desk.reference}` with the same flags writes the ids to be labelled "
                "(the labels of the test split give the floor)."
            ) from e
    return found
