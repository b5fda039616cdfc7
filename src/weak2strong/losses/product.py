"""Product loss: the target is what student and supervisor say together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.config.fields import NotNegative
from weak2strong.config.settings import settings
from weak2strong.losses.cross_entropy import cross_entropy, log_probabilities
from weak2strong.methods.decorators import loss
from weak2strong.training.loss import RowLoss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    "product",
    "cross-entropy with the product of student and weak label",
    "code of Burns et al. 2023 (openai/weak-to-strong)",
)
@settings("the loss product")
class Product(RowLoss):
    """``CE(q, f)``, ``q_c = f_c^beta w_c^alpha / sum_j f_j^beta w_j^alpha``: a normalised product.

    The public code of Burns et al. 2023 (openai/weak-to-strong, ``product_loss_fn``);
    the paper does not report it. q is detached and a distribution over the classes:
    the normalisation is part of the loss, not only a scale, since a row on which
    the two disagree would count for less without it. There is no warm-up.

    What it does: the log-odds of q between two classes are beta times the student's
    plus alpha times the supervisor's. With ``beta = 1`` the pull never ends, each step
    asks for odds further on the supervisor's side, and f hardens to the most probable
    class of w; with ``beta < 1`` it rests where the student's log-odds are
    ``alpha / (1 - beta)`` times the supervisor's. So examples count by how sure the
    *supervisor* is, where `Confidence` sides with the student. ``beta = 0, alpha = 1``
    is `CrossEntropy`. A class to which w gives 0 has 0 in q, whatever f says.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``.

    Raises:
        UserError: an exponent that is negative or not finite.
    """

    alpha: NotNegative = 1.0
    """The exponent of the weak label, from 0 on."""
    beta: NotNegative = 1.0
    """The exponent of the student's answer, from 0 on."""

    def per_example(
        self, logits: Tensor, targets: Tensor, fraction: float, statistics: Tensor | None
    ) -> Tensor:
        """The loss of each example, ``(b,)`` in float32; no gradient flows through q."""
        import torch

        log_f = log_probabilities(logits)
        # In logarithms: where f is 0 in float32 on the class of a certain w, the product is too.
        weak = torch.xlogy(self.alpha, targets.detach().float())
        q = (self.beta * log_f.detach() + weak).softmax(dim=-1)
        return cross_entropy(q, log_f)
