"""Methods that finetune on the weak labels as they are, and differ only in their loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from weak2strong.ground.predictions import Predictions
from weak2strong.methods import LOSSES
from weak2strong.methods.labels import labels_of
from weak2strong.methods.method import Context, Method, usual_value
from weak2strong.training.loss import Loss


def finetuning(
    name: str,
    summary: str,
    source: str,
    loss: str,
    settings: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Method:
    """A method that finetunes on the supervisor's soft labels with a loss of that name.

    Its settings are the fields of the loss, all of them: what the loss takes from the labels (see
    `weak2strong.training.loss.Loss`) is taken from them unless it is given.

    Args:
        name: of the method.
        summary: one line for lists.
        source: paper and section.
        loss: its name.
        settings: of the loss, where they are not its defaults.
        properties: further ones of the method.
    """

    def make(**chosen: Any) -> Loss:
        return LOSSES.build(loss, {**(settings or {}), **chosen})

    def run(context: Context, **chosen: Any) -> Mapping[str, Predictions]:
        method.check(context.classes)
        from_labels = getattr(LOSSES.get(loss), "from_labels", None)
        if from_labels:
            found = from_labels(labels_of(context, "strong_train").values)
            chosen = {**{f.name: getattr(found, f.name) for f in fields(found)}, **chosen}
        return context.finetune(context.weak_labels, make(**chosen))

    def usual() -> Mapping[str, Any]:
        kind = LOSSES.get(loss)
        defaults = {f.name: usual_value(f.default, f.type) for f in fields(kind)}
        # What comes from the labels has no usual value.
        known = dict.fromkeys(defaults) if hasattr(kind, "from_labels") else defaults
        return {**known, **(settings or {})}

    method = Method(
        name, summary, source, run, loss=loss, usual=usual, check_settings=make, **properties
    )
    return method
