"""Ensemble of supervisors: the mean of their labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from weak2strong.methods.decorators import method
from weak2strong.methods.method import Context


@method(
    "ensemble",
    "the mean label of several supervisors",
    "after Burns et al. 2023, section 6",
    prepares=True,
    needs=("supervisor",),
    uses=("labels",),
    changes=("labels",),
)
def ensemble(context: Context, *, size: int = 3) -> Context:
    """Weak labels that are the mean over the supervisor and others, by id.

    The others are the study's further supervisors (``--supervisors``); in a study without them
    they are the same model from other seeds, and there are ``size`` supervisors in all. The floor
    is still that of the first supervisor.
    """
    first, *others = context.supervisors(size)
    mean = np.mean([first.probabilities, *(o.at(first.ids) for o in others)], axis=0)
    return context.with_labels(replace(first, values=mean))
