"""Bootstrapping: labels that pass through models of growing size."""

from __future__ import annotations

import numpy as np

from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import joined
from weak2strong.ground.table import counted
from weak2strong.methods.decorators import method
from weak2strong.methods.labels import labels_of
from weak2strong.methods.method import EVERY_KIND, Context, Given


def _check_groups(given: Given) -> None:
    """Refuse fewer groups than models, of which each learns from groups of its own."""
    groups = len({item.group for item in given.items("strong_train")})
    if groups <= given.intermediates:
        raise UserError(
            f"Its examples are of {counted(groups, 'group')}, which cannot be divided among "
            f"{given.intermediates + 1} models: name fewer --intermediates, or take more data."
        )


@method(
    "bootstrapping",
    "models of growing size in between, each on fresh inputs",
    "Burns et al. 2023, section 4.3.1",
    prepares=True,
    needs=("intermediates",),
    check_given=_check_groups,
    kinds=EVERY_KIND,
    uses=("labels", "finetuning"),
    changes=("labels",),
)
def bootstrapping(context: Context) -> Context:
    """Each intermediate learns its predecessor's labels, and labels inputs that it has not seen.

    Burns et al. 2023, section 4.3.1 (chess: two intermediates). ``strong_train`` is divided by
    group, one part for each model, the student included: so all of them learn from fresh inputs,
    and the student from a part only. It stops on the last intermediate's labels of
    ``validation``, which no model learns from.
    """
    models = context.intermediates
    parts = _divided(context, len(models) + 1)
    labels = joined(labels_of(context, "strong_train"), labels_of(context, "validation"))
    for model, part, next_part in zip(models, parts, parts[1:]):  # noqa: B905  one part more
        learnt = joined(labels.only(part), labels.only(_ids(context, "validation")))
        answers = context.finetune(learnt, model=model)
        labels = joined(answers["strong_train"].only(next_part), answers["validation"])
    return context.with_labels(labels)


@method(
    "bootstrapping-same-inputs",
    "models of growing size in between, all on the same inputs",
    "after Burns et al. 2023, section 4.3.1",
    prepares=True,
    needs=("intermediates",),
    kinds=EVERY_KIND,
    uses=("labels", "finetuning"),
    changes=("labels",),
)
def bootstrapping_same_inputs(context: Context) -> Context:
    """Each intermediate, and the student, learns its predecessor's labels of all inputs.

    An intermediate then labels the inputs that it was trained on. The first one is the naive
    student of that size, which a study of that size shares.
    """
    labels, train = context.weak_labels, _ids(context, "strong_train")
    for model in context.intermediates:
        answers = context.finetune(labels, model=model)
        labels = joined(answers["strong_train"].only(train), answers["validation"])
    return context.with_labels(labels)


def _divided(context: Context, parts: int) -> list[list[str]]:
    """Ids of ``strong_train`` in parts of similar size, each group in one part, by the seed."""
    items = context.items("strong_train")
    groups = sorted({item.group for item in items})
    order = np.random.default_rng([context.seed, 0x626F6F74]).permutation(len(groups))
    part_of = {groups[g]: i % parts for i, g in enumerate(order)}
    return [[i.id for i in items if part_of[i.group] == part] for part in range(parts)]


def _ids(context: Context, split: str) -> list[str]:
    return [item.id for item in context.items(split)]
