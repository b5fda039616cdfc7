"""Oracle stopping: keep the weights that are best on ground truth, an upper bound."""

from __future__ import annotations

from weak2strong.ground.predictions import joined
from weak2strong.methods.decorators import method
from weak2strong.methods.labels import labels_of
from weak2strong.methods.method import EVERY_KIND, Context


@method(
    "oracle-stopping",
    "keeps the weights that are best on ground truth of validation",
    "Burns et al. 2023, section 5.1.1",
    prepares=True,
    needs=("truth", "stopping"),
    kinds=EVERY_KIND,
    uses=("labels",),
    changes=("finetuning",),
    once=True,
)
def oracle_stopping(context: Context) -> Context:
    """The student learns weak labels only, and stops on the ground truth of ``validation``.

    Burns et al. 2023, section 5.1.1: what early stopping could give at best.
    """
    return context.with_labels(
        joined(labels_of(context, "strong_train"), context.truth("validation"))
    )
