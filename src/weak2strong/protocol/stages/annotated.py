"""Weak labels of people: what is made of the classes that several annotators gave."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.ground.predictions import Predictions
from weak2strong.ground.votes import RULES, dawid_skene
from weak2strong.protocol.stages.finetuning import PREDICTED
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.annotators import votes_of


def annotated_labels(task_run: TaskRun) -> Mapping[str, Predictions]:
    """Their labels by split, the same for every seed.

    Errors of annotators are estimated on all that is not tested on, and hold for the test as well.
    """
    task, rule = task_run.task, task_run.config.data.weak_label_rule
    classes, splits = len(task.classes), task_run.splits
    ids = {split: tuple(e.item.id for e in splits.examples(split)) for split in PREDICTED}
    votes = {split: votes_of(task, splits.examples(split)) for split in PREDICTED}
    if rule == "dawid-skene":
        learnt = (*splits.weak_train, *splits.strong_train, *splits.validation)
        model = dawid_skene(votes_of(task, learnt), classes)
        values = {split: model.posterior(of) for split, of in votes.items()}
    else:
        values = {split: RULES[rule](of, classes) for split, of in votes.items()}
    return {split: Predictions(ids[split], values[split], task.kind) for split in PREDICTED}
