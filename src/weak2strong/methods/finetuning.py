"""Methods that finetune on the weak labels as they are, and differ only in their loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import partial
from typing import Any

from weak2strong.ground.predictions import Predictions
from weak2strong.losses import LOSSES
from weak2strong.losses import loss as loss_of
from weak2strong.methods.method import PROBABILISTIC, Context, Method


def finetuning(
    name: str,
    summary: str,
    source: str,
    loss: str,
    settings: Mapping[str, Any] | None = None,
    classes: int | None = None,
    kinds: tuple[str, ...] = PROBABILISTIC,
) -> Method:
    """A method that finetunes on the supervisor's soft labels with a loss of that name.

    Its settings are those of the loss.

    Args:
        name: of the method.
        summary: one line for lists.
        source: paper and section.
        loss: its name.
        settings: of the loss, where they are not its defaults.
        classes: the one number of classes that the loss is for.
        kinds: of the tasks that the loss is for.
    """
    make = partial(loss_of, loss, **settings or {})

    def run(context: Context, **chosen: Any) -> Mapping[str, Predictions]:
        method.check(context.classes)
        return context.finetune(context.weak_labels, make(**chosen))

    def usual() -> Mapping[str, Any]:
        known = fields(LOSSES.get(loss))
        defaults = {f.name: f.default for f in known if f.default is not MISSING}
        return {**defaults, **(settings or {})}

    method = Method(
        name,
        summary,
        source,
        run,
        classes=classes,
        loss=loss,
        usual=usual,
        check_settings=make,
        kinds=kinds,
    )
    return method
