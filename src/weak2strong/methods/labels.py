"""What steps do with weak labels: read those of a split, and keep some of them.

Labels for ``validation`` are kept with those for ``strong_train``: the stopping rule needs them.
"""

from __future__ import annotations

import numpy as np

from weak2strong.ground.predictions import Predictions, joined
from weak2strong.methods.method import Context


def labels_of(context: Context, split: str) -> Predictions:
    """The weak labels of one split, in the order of its items."""
    return context.weak_labels.only([item.id for item in context.items(split)])


def keeping(context: Context, keep: np.ndarray) -> Context:
    """A context in which only some items of ``strong_train`` have labels; ``keep`` is (n,) bool."""
    labels = labels_of(context, "strong_train")
    kept = [id for id, stays in zip(labels.ids, keep, strict=True) if stays]
    return context.with_labels(joined(labels.only(kept), labels_of(context, "validation")))
