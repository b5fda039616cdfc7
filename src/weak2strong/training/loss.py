"""What a loss is: one value an example, and whatever it must know of the whole batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    import torch

    from weak2strong.training.record import Carried


@dataclass(frozen=True)
class ByExample:
    """Statistics with a row for each example of the batch: `per_example` is given its own rows.

    Attributes:
        rows: ``(B, ...)``, in the order of the batch: a tensor, or what is indexed as one.
    """

    rows: Any


class Loss(Protocol):
    """A training loss. Implementations are frozen dataclasses whose fields are their settings.

    The settings are part of cache keys: whatever changes the result is a field. What a loss
    must know of the whole training set is a field too, such as the median of the weak labels:
    a class method ``from_labels`` makes the loss from the labels ``(n, k)`` of the training set.

    At each optimiser step the loop runs the whole batch of ``B`` examples once
    without gradients and calls `statistics` on its detached logits, if
    `needs_batch`; then it calls `per_example` on each micro-batch with what
    `statistics` returned, sums, and divides by ``B``. An optimiser step
    therefore does not depend on how the batch was split.

    A loss with an attribute ``paired`` that is true is about pairs of examples: batches keep these
    together, and `statistics` is told by an argument ``partners`` where each row's partner stands.

    A loss has no state. One whose statistics take in examples of earlier steps, too, says how many
    by an attribute ``look_back``; `statistics` then has a fourth argument ``before``, the logits
    ``(n, k)`` of the last ``n <= look_back`` examples before the batch in the order in which they
    were trained on, as they were at their own step. The loop keeps them, in checkpoints as well.
    """

    needs_batch: ClassVar[bool]
    """Whether `statistics` has to see the whole batch (one more forward pass a step)."""

    def statistics(
        self, logits: torch.Tensor, targets: torch.Tensor, fraction: float
    ) -> torch.Tensor | ByExample | None:
        """What `per_example` must know of the whole batch, or None; called without gradients.

        Args:
            logits: ``(B, k)``, detached.
            targets: ``(B, k)`` rows of probabilities: soft labels or one-hot.
            fraction: the share of training done before this step, in [0, 1).
        """
        ...

    def per_example(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        fraction: float,
        statistics: torch.Tensor | None,
    ) -> torch.Tensor:
        """The losses ``(b,)`` in float32 of a micro-batch, differentiable in the logits.

        Args:
            logits: ``(b, k)``, of any float type.
            targets: ``(b, k)`` rows of probabilities; no gradient is taken through them.
            fraction: as in `statistics`.
            statistics: what `statistics` returned for the whole batch; of `ByExample` the rows
                of the micro-batch, ``(b, ...)``.
        """
        ...


class RowLoss:
    """A base for losses in which the value of an example does not depend on the others."""

    needs_batch: ClassVar[bool] = False

    def statistics(
        self, logits: torch.Tensor, targets: torch.Tensor, fraction: float
    ) -> torch.Tensor | None:
        """None: the batch does not matter."""
        return None


def seen_of_batch(
    loss: Loss,
    logits: torch.Tensor,
    targets: torch.Tensor,
    fraction: float,
    carried: Carried,
    partners: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> tuple[torch.Tensor | ByExample | None, Carried]:
    """The statistics of a batch, and what the next step's must be given as ``carried``.

    Args:
        loss: one that needs the batch.
        logits: ``(B, k)`` float32, detached.
        targets: ``(B, k)``.
        fraction: the share of training done before this step.
        carried: what this function returned at the step before; nothing at the first.
        partners: where the partners of the rows stand (see `weak2strong.training.partners`), for a
            loss that is ``paired``.
    """
    import torch

    look_back: int = getattr(loss, "look_back", 0)
    looking: Any = loss
    more: dict[str, Any] = {} if partners is None else {"partners": partners}
    if not look_back:
        return looking.statistics(logits, targets, fraction, **more), []
    on_device = isinstance(carried, torch.Tensor)
    before = carried if on_device else logits.new_tensor(carried).reshape(-1, logits.shape[1])
    statistics = looking.statistics(logits, targets, fraction, before, **more)
    return statistics, torch.cat([before, logits])[-look_back:]


def shown_of_part(
    statistics: torch.Tensor | ByExample | None, positions: torch.Tensor
) -> torch.Tensor | None:
    """What `per_example` is given for the examples at these positions in the batch."""
    return statistics.rows[positions] if isinstance(statistics, ByExample) else statistics
