"""Strong-to-strong: students that learn from students."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.ground.predictions import Predictions, joined
from weak2strong.methods.decorators import method
from weak2strong.methods.method import EVERY_KIND, Context


@method(
    "strong-to-strong",
    "naive, then 2 fresh students, each on the labels of the one before",
    "EleutherAI 2024, strong-to-strong training",
    kinds=EVERY_KIND,
)
def strong_to_strong(context: Context, *, iterations: int = 2) -> Mapping[str, Predictions]:
    """A naive student labels ``strong_train`` anew, and a fresh student learns that; and again.

    A fresh student begins at the pretrained weights, with a head and an order of examples of its
    own.

    The first student is that of `naive`, which shares it. The post does this where the student
    recovers some of the gap on ``strong_train``; only ground truth tells whether it does, so this
    method does it always.
    """
    answers = context.finetune(context.weak_labels)
    for iteration in range(iterations):
        labels = joined(answers["strong_train"], answers["validation"])
        answers = context.finetune(labels, fresh=iteration + 1)
    return answers
