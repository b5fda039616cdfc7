"""Consistent: the student's answers to a statement and to its negation, or to its other wording."""

from __future__ import annotations

from weak2strong.ground.errors import UserError
from weak2strong.methods.decorators import method
from weak2strong.methods.method import Context


def check_weight(*, weight: float = 1.0) -> None:
    """Refuse a weight that is not above 0."""
    if not weight > 0:
        raise UserError(f"The weight of consistent must be above 0, not {weight:g}.")


@method(
    "consistent",
    "adds a term by which the two answers of a pair agree (data with pairs)",
    "the consistency term of Burns et al. 2022 (arXiv 2212.03827)",
    prepares=True,
    needs=("pairs",),
    kinds=("classification",),
    check_settings=check_weight,
    uses=(),
    changes=("finetuning",),
    once=True,
)
def consistent(context: Context, *, weight: float = 1.0) -> Context:
    """Whatever loss follows, the two answers of a pair are pulled together.

    See `weak2strong.losses.consistent`. ``consistent+confidence`` adds the term to that loss.
    """
    return context.with_consistency(weight)
