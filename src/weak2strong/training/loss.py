"""What a loss is: one value an example, and whatever it must know of the whole batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    import torch


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
    """

    needs_batch: ClassVar[bool]
    """Whether `statistics` has to see the whole batch (one more forward pass a step)."""

    def statistics(
        self, logits: torch.Tensor, targets: torch.Tensor, fraction: float
    ) -> torch.Tensor | None:
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
            statistics: what `statistics` returned for the whole batch.
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
