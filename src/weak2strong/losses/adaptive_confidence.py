"""Adaptive confidence loss: each example decides how far the student trusts itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.config.fields import Positive, Share
from weak2strong.config.settings import settings
from weak2strong.losses.cross_entropy import cross_entropy, log_probabilities
from weak2strong.losses.warmup import risen
from weak2strong.methods.decorators import loss
from weak2strong.training.loss import RowLoss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    "adaptive-confidence",
    "adaptive-confidence as published: with the opposite sign",
    "Guo et al. 2024, section 3.2, and its code",
    method="adaptive-confidence-guo-code",
    settings={"published": True, "temperature": 0.5, "warmup": 0.0},
)
@loss(
    "adaptive-confidence",
    "confidence weighted by example: a sure student is trusted",
    "after Guo et al. 2024, section 3.2",
)
@settings("the loss adaptive-confidence")
class AdaptiveConfidence(RowLoss):
    """``(1 - b) CE(w, f) + b CE(y_f, f)`` with a weight b for each example, detached.

    After Guo et al. 2024, *Vision Superalignment* (arXiv 2402.03749, section 3.2,
    AdaptConf). ``y_f`` and ``y_w`` are the most probable classes (the lowest on ties)
    of the student and of the weak label. In place of the one weight of `Confidence`::

        b = min(1, fraction / warmup) * sigmoid(s (CE(y_w, f) - CE(y_f, f)) / temperature)

    **The sign s.** The stated idea is that the student leans on its own answer where
    it is sure of it. ``CE(y_f, f)`` is never above ``CE(y_w, f)``. The published form,
    ``b = e^(CE(y_f, f)/T) / (e^(CE(y_f, f)/T) + e^(CE(y_w, f)/T))``, that is ``s = -1``
    (the authors' code computes it so too), is therefore at most 1/2, has 1/2 where the
    two agree and the term changes little, and goes to 0 the surer the student is that
    its supervisor errs. Here ``s = +1``: b is 1/2 where they agree and goes to 1 where the
    student surely disagrees, which is the idea. ``published=True`` gives ``s = -1``.

    **The warm-up.** With ``s = +1``, two classes and hard labels, an example on which
    they disagree has ``b = f^(1/T) / (f^(1/T) + (1 - f)^(1/T))``, f being the student's
    probability of its own answer: no gradient at all at ``temperature = 1``, a push away
    from the label below, towards doubt above. From the first step on, that would
    keep whatever a fresh head happens to say; so b rises, as in the authors' code for
    noisy labels, over the first quarter of training. Their code for images has no
    rise, a temperature of 0.5 (CIFAR-100) or 4 (ImageNet), a softened KL in place of
    ``CE(w, f)``, and a further term on ground truth, which no student sees here.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``.

    Raises:
        UserError: a temperature that is not above 0, or a warmup outside [0, 1].
    """

    temperature: Positive = 1.0
    """How far the two cross-entropies (in nats) must differ for b to tell, above 0."""
    warmup: Share = 0.25
    """The share of training over which b rises from 0, in [0, 1]."""
    published: bool = False
    """Whether b has the published sign."""

    def per_example(
        self, logits: Tensor, targets: Tensor, fraction: float, statistics: Tensor | None
    ) -> Tensor:
        """The loss of each example, ``(b,)`` in float32; none of b or y_f is differentiated."""
        log_f = log_probabilities(logits)
        own, weak = log_f.detach().argmax(dim=-1), targets.argmax(dim=-1)
        ce_own, ce_weak = (-log_f.gather(-1, y.unsqueeze(-1)).squeeze(-1) for y in (own, weak))
        sign = -1 if self.published else 1
        # A sigmoid: the quotient of exponentials that is published overflows.
        trust = (sign * (ce_weak - ce_own).detach() / self.temperature).sigmoid()
        b = risen(fraction, self.warmup) * trust
        return (1 - b) * cross_entropy(targets, log_f) + b * ce_own
