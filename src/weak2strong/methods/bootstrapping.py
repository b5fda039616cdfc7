"""Bootstrapping: labels that come up through models of growing size."""

from __future__ import annotations

import numpy as np

from weak2strong.ground.predictions import joined
from weak2strong.methods.decorators import method
from weak2strong.methods.labels import labels_of
from weak2strong.methods.method import EVERY_KIND, Context


@method(
    "bootstrapping",
    "models of growing size in between, each on fresh inputs",
    "Burns et al. 2023, section 4.3.1",
    prepares=True,
    needs=("intermediates",),
    kinds=EVERY_KIND,
)
def bootstrapping(context: Context) -> Context:
    """Each intermediate learns its predecessor's labels, and labels what it has not seen.

    Burns et al. 2023, section 4.3.1 (chess: two intermediates). ``strong_train`` is dealt out by
    group, one part a model, the student's included: so all of them learn from fresh
    inputs, and the student from a part only. Its stopping rule looks at the last
    intermediate's labels of ``validation``, which none of them learns from.
    """
    models = context.intermediates
    parts = _dealt(context, len(models) + 1)
    found = joined(labels_of(context, "strong_train"), labels_of(context, "validation"))
    for model, part, then in zip(models, parts, parts[1:]):  # noqa: B905  one part more
        learnt = joined(found.only(part), found.only(_ids(context, "validation")))
        answers = context.finetune(learnt, model=model)
        found = joined(answers["strong_train"].only(then), answers["validation"])
    return context.with_labels(found)


@method(
    "bootstrapping-same-inputs",
    "models of growing size in between, all on the same inputs",
    "after Burns et al. 2023, section 4.3.1",
    prepares=True,
    needs=("intermediates",),
    kinds=EVERY_KIND,
)
def bootstrapping_same_inputs(context: Context) -> Context:
    """Each intermediate, and the student, learns its predecessor's labels of all of the inputs.

    An intermediate then labels what it was trained on. Its first step is the naive student
    of that size, and shared with a study of it.
    """
    found = context.weak_labels
    for model in context.intermediates:
        answers = context.finetune(found, model=model)
        found = joined(
            answers["strong_train"].only(_ids(context, "strong_train")), answers["validation"]
        )
    return context.with_labels(found)


def _dealt(context: Context, parts: int) -> list[list[str]]:
    """Ids of ``strong_train`` in parts of like size, groups whole, by the seed."""
    items = context.items("strong_train")
    groups = sorted({item.group for item in items})
    order = np.random.default_rng([context.seed, 0x626F6F74]).permutation(len(groups))
    part_of = {groups[g]: place % parts for place, g in enumerate(order)}
    return [[i.id for i in items if part_of[i.group] == part] for part in range(parts)]


def _ids(context: Context, split: str) -> list[str]:
    return [item.id for item in context.items(split)]
