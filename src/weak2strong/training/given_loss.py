"""The values of a loss, checked where somebody else has written it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from weak2strong.ground.plugin_faults import fault_in, form_of, is_ours
from weak2strong.training.loss import ByExample, Loss


def losses_of(
    loss: Loss, logits: Tensor, targets: Tensor, fraction: float, shown: Tensor | None
) -> Tensor:
    """What a loss gives of a micro-batch, (b,); arguments as of `Loss.per_example`.

    Raises:
        PluginError: where a loss of a plugin gives anything but finite numbers, one an example,
            that depend on the logits.
    """
    values: Any = loss.per_example(logits, targets, fraction, shown)
    if not is_ours(loss) and (what := _fault(values, logits)):
        raise fault_in(type(loss).per_example, f"it gives {what}")
    return values


def check_statistics(loss: Loss, statistics: Any, examples: int) -> None:
    """Refuse statistics of a plugin's loss that are by example and have not a row for each.

    Raises:
        PluginError: for such statistics.
    """
    if is_ours(loss) or not isinstance(statistics, ByExample):
        return
    if (rows := len(statistics.rows)) != examples:
        raise fault_in(
            type(loss).statistics, f"it gives {rows} rows by example for {examples} examples"
        )


def _fault(values: Any, logits: Tensor) -> str:
    """What is wrong with the values of a loss, as a clause; empty where nothing is."""
    wanted = f"one number for each of {len(logits)} examples was asked for"
    if not isinstance(values, Tensor) or tuple(values.shape) != (len(logits),):
        return f"{form_of(values)} where {wanted}"
    if not values.is_floating_point():
        return f"numbers of the type {values.dtype} where losses in float32 were asked for"
    if logits.requires_grad and not values.requires_grad:
        return "losses that do not depend on the logits, so that nothing can be learnt"
    finite = torch.isfinite(values)
    if logits.isfinite().all() and not finite.all():
        return f"{float(values[~finite][0].detach())} for finite logits"
    return ""
