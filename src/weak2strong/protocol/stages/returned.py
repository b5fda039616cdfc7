"""The check of a method's return value before it is kept: answers to every split, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import WRITTEN, Predictions
from weak2strong.methods.method import Method
from weak2strong.methods.reference import of_plugin
from weak2strong.protocol.stages.finetuning import PREDICTED
from weak2strong.protocol.task_run import TaskRun

FAR = 1e-3
"""How far the sum of an example's probabilities may be from one."""


def returned(task_run: TaskRun, method: Method, value: Any) -> Mapping[str, Predictions]:
    """The predictions that a method returned, for the splits of `PREDICTED`.

    Raises:
        UserError: for any other value; it names the method and the fault.
    """

    def wrong(what: str) -> UserError:
        return UserError(f"The method {method.name!r}{of_plugin(method)} {what}.")

    if hasattr(value, "with_labels"):
        raise wrong("returns a context and does not say so: give it prepares=True")
    if not isinstance(value, Mapping):
        raise wrong(
            f"returns {type(value).__name__}, and not predictions by split: let it return what "
            "`context.finetune` does, or a dict like that"
        )
    for split in PREDICTED:
        answers = value.get(split)
        if not isinstance(answers, Predictions):
            got = f"{type(answers).__name__} for" if split in value else "nothing for"
            raise wrong(f"returns {got} {split}: it takes Predictions for {', '.join(PREDICTED)}")
        fault = _fault(task_run, answers, [item.id for item in task_run.splits.items(split)])
        if fault:
            raise wrong(f"returns predictions for {split} {fault}")
    return {split: value[split] for split in PREDICTED}


def _fault(task_run: TaskRun, answers: Predictions, ids: list[str]) -> str | None:
    """The fault of answers to the examples of these ids; None if they have no fault."""
    if answers.kind != task_run.task.kind:
        return f"of the kind {answers.kind!r}, and the task is a {task_run.task.kind}"
    if missing := set(ids).difference(answers.ids):
        return f"without {len(missing)} of its {len(ids)} examples, such as id {min(missing)!r}"
    if strange := set(answers.ids).difference(ids):
        return f"with {len(strange)} ids that it does not have, such as {min(strange)!r}"
    values = np.asarray(answers.values)
    if answers.kind in WRITTEN:
        texts = all(isinstance(text, str) for text in values)
        return None if texts else "that are no texts"
    classes = len(task_run.task.classes)
    if values.shape != (len(ids), classes):
        return f"of shape {values.shape}: there are {len(ids)} examples and {classes} classes"
    if values.dtype.kind not in "fiu":
        return "that are no numbers"
    if not np.isfinite(values).all():
        return "with a NaN or an infinity among the probabilities"
    if (values < 0).any() or (np.abs(values.sum(axis=1) - 1) > FAR).any():
        return "whose rows are no probabilities: numbers from 0 on that add up to 1"
    return None
