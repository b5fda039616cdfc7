"""Consistency: a term beside any loss by which the two answers of a pair agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from weak2strong.training.loss import ByExample, Loss, shown_of_part

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Consistent:
    """``L + weight * |f - q|^2 / 2``: q is what the partner's answer says of the example's.

    The consistency term of Burns et al. 2022 (arXiv 2212.03827, equation 1), in which the two
    answers of a statement and its negation must sum to one, beside another loss L. f are the
    student's probabilities of an example. Of a partner with probabilities g that says the same, q
    is g; of one that says the opposite, q is g with its two classes exchanged, so that the term is
    ``(f_1 + g_1 - 1)^2``. The partner's answer is held fixed: the gradients that each of the two
    gets add to that of one such term for the pair.

    An example without a partner in its batch has no term; batches keep pairs together, and only
    their ends part one. With three classes or more, opposites have no term.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``.

    Attributes:
        inner: the loss L.
        weight: of the term.
        of: the name of L, for keys.
    """

    inner: Loss
    weight: float
    of: str

    needs_batch: ClassVar[bool] = True
    paired: ClassVar[bool] = True

    @property
    def look_back(self) -> int:
        """How many earlier examples L takes in."""
        return getattr(self.inner, "look_back", 0)

    def statistics(
        self,
        logits: Tensor,
        targets: Tensor,
        fraction: float,
        before: Tensor | None = None,
        *,
        partners: tuple[Tensor, Tensor],
    ) -> ByExample:
        """What L must know, and what the partner of each row says of its answer.

        Args:
            logits: ``(B, k)``.
            targets: ``(B, k)``.
            fraction: the share of training done.
            before: logits of earlier examples, for an L that looks back.
            partners: positions of the partners ``(B,)``, -1 for none, and whether the two say the
                opposite ``(B,)``.
        """
        other, opposite = partners
        said = logits.float().softmax(dim=-1)[other.clamp(min=0)]
        said = said.where(~opposite.unsqueeze(-1), said.flip(-1))
        told = (other >= 0) & (~opposite if logits.shape[-1] > 2 else True)
        known: Any = None
        if self.inner.needs_batch:
            inner: Any = self.inner
            earlier = (before,) if self.look_back else ()
            known = inner.statistics(logits, targets, fraction, *earlier)
        return ByExample(_Rows(known, said, told))

    def per_example(
        self, logits: Tensor, targets: Tensor, fraction: float, statistics: Any
    ) -> Tensor:
        """The loss of each example, ``(b,)`` in float32."""
        values = self.inner.per_example(logits, targets, fraction, statistics.known)
        distance = (logits.float().softmax(dim=-1) - statistics.said).square().sum(dim=-1) / 2
        return values + self.weight * distance * statistics.told


@dataclass(frozen=True)
class _Rows:
    """What the loss of a batch, or a part of it, must know: that of L, q, and whether there is one.

    Its rows are taken as those of a tensor are.
    """

    known: Any
    said: Tensor
    told: Tensor

    def __getitem__(self, positions: Tensor) -> _Rows:
        known = shown_of_part(self.known, positions)
        return _Rows(known, self.said[positions], self.told[positions])
