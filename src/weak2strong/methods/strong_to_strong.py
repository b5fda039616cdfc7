"""Strong-to-strong: students that learn from students."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.predictions import Predictions, joined
from weak2strong.methods.decorators import method
from weak2strong.methods.labels import labels_of
from weak2strong.methods.method import EVERY_KIND, Context
from weak2strong.tasks.answers import comparable

_SOURCE = "EleutherAI 2024, strong-to-strong training"

Answers = Mapping[str, Predictions]
"""Of a student, by split."""

GOES_ON = ("always", "agreement")
"""When a student's labels are learned by another one: see `strong_to_strong`."""


def _check(iterations: int = 2, goes_on: str = "always") -> None:
    """Refuse settings that cannot be."""
    if iterations < 0:
        raise UserError(f"strong-to-strong takes iterations from 0 on, not {iterations}.")
    if goes_on not in GOES_ON:
        raise unknown_name("goes_on of strong-to-strong", goes_on, GOES_ON)


@method(
    "strong-to-strong",
    "naive, then 2 fresh students, each on the labels of the one before",
    _SOURCE,
    kinds=EVERY_KIND,
    check_settings=_check,
)
def strong_to_strong(
    context: Context, *, iterations: int = 2, goes_on: str = "always"
) -> Mapping[str, Predictions]:
    """A naive student labels ``strong_train`` anew, and a fresh student learns that; and again.

    A fresh student begins at the pretrained weights, with a head and an order of examples of its
    own. The first student is that of `naive`, which shares it.

    The post does this where the student recovers some of the gap on ``strong_train``, which only
    ground truth tells (`strong-to-strong-oracle`); so this method does it always. With
    ``goes_on=agreement`` it goes on only while the share of ``validation`` rises on which the
    student gives its supervisor's answer, and returns the student before the first that agrees no
    more than the one before it.
    """

    def agrees_more(new: Answers, old: Answers) -> bool:
        return _agreement(context, new) > _agreement(context, old)

    better = agrees_more if goes_on == "agreement" else lambda new, old: True
    answers = context.finetune(context.weak_labels)
    for iteration in range(iterations):
        new = _next(context, answers, iteration)
        if not better(new, answers):
            break
        answers = new
    return answers


@method(
    "strong-to-strong-oracle",
    "strong-to-strong while students beat their supervisor on strong_train",
    _SOURCE,
    needs=("truth",),
    kinds=EVERY_KIND,
)
def strong_to_strong_oracle(context: Context, *, iterations: int = 2) -> Mapping[str, Predictions]:
    """A fresh student learns from one before it only where that one recovers some of the gap.

    As `strong-to-strong`, and as the post has it: while the student is right on ``strong_train``
    more often than the weak labels, that is while PGR there is positive. Ground truth tells.
    """
    weak, truth = labels_of(context, "strong_train"), context.truth("strong_train")
    right = _right(weak, truth)
    answers = context.finetune(context.weak_labels)
    for iteration in range(iterations):
        if _right(answers["strong_train"].only(weak.ids), truth) <= right:
            break
        answers = _next(context, answers, iteration)
    return answers


def _next(context: Context, answers: Answers, iteration: int) -> Answers:
    """A fresh student of a student's labels."""
    labels = joined(answers["strong_train"], answers["validation"])
    return context.finetune(labels, fresh=iteration + 1)


def _agreement(context: Context, answers: Answers) -> float:
    """The share of ``validation`` on which a student gives its supervisor's answer."""
    return _right(labels_of(context, "validation"), answers["validation"])


def _right(answers: Predictions, labels: Predictions) -> float:
    """The share of answers that say the same as labels of the same ids."""
    said, true = (comparable(x, answers.kind) for x in (answers.values, labels.at(answers.ids)))
    return float((said == true).mean())
