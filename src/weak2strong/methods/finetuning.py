"""Methods that finetune on the weak labels as they are, and differ only in their loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from weak2strong.ground.predictions import Predictions
from weak2strong.methods import LOSSES
from weak2strong.methods.labels import labels_of
from weak2strong.methods.method import Context, Method
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

    Its settings are those of the loss; it has none where the loss takes them from the labels.

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
            minimised = from_labels(labels_of(context, "strong_train").values)
        else:
            minimised = make(**chosen)
        return context.finetune(context.weak_labels, minimised)

    def usual() -> Mapping[str, Any]:
        kind = LOSSES.get(loss)
        if hasattr(kind, "from_labels"):
            return {}
        defaults = {f.name: f.default for f in fields(kind) if f.default is not MISSING}
        return {**defaults, **(settings or {})}

    method = Method(
        name, summary, source, run, loss=loss, usual=usual, check_settings=make, **properties
    )
    return method
