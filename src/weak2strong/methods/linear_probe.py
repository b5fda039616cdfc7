"""Linear probes: a new linear head on a frozen trunk, as it was or as weak labels have made it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from weak2strong.ground.activations import Activations
from weak2strong.ground.errors import unknown_name
from weak2strong.ground.predictions import Predictions
from weak2strong.methods.decorators import method
from weak2strong.methods.labels import labels_of
from weak2strong.methods.method import Context


@method(
    "linear-probe",
    "a linear head on the frozen student, of the weak labels",
    "Burns et al. 2023, appendix D.2",
    saliency="lp(weak)",
    uses=("labels", "student"),
)
def linear_probe(context: Context) -> Mapping[str, Predictions]:
    """A logistic regression of the weak labels on the pretrained student's last layer.

    Burns et al. 2023, appendix D.2. The penalty is the best of five in cross-validation
    against the weak labels, groups kept whole.
    """
    return _probed(context, context.activations("last"), labels_of(context, "strong_train"))


LABELS = ("truth", "weak")
"""What the probe learns in `finetune_then_probe`."""


def _check(labels: str = "truth") -> None:
    """Refuse other labels."""
    if labels not in LABELS:
        raise unknown_name("labels of finetune-then-probe", labels, LABELS)


@method(
    "finetune-then-probe",
    "naive, then a linear head of ground truth (saliency), or of weak labels",
    "Burns et al. 2023, section 5.2.3",
    needs=("truth",),
    no_truth_with={"labels": "weak"},
    check_settings=_check,
    saliency="ft(weak)+lp(gt)",
)
def finetune_then_probe(context: Context, *, labels: str = "truth") -> Mapping[str, Predictions]:
    """Finetune on weak labels, then probe with ground truth: is the concept more salient now?

    Burns et al. 2023, figure 11, of whose five bars this is "finetune (weak), then probe
    (truth)". The other four are `linear-probe`, `naive`, the ceiling, and the check "probe".

    With ``labels=weak`` the probe learns the weak labels that the student has learned, by the
    penalty of `linear-probe`: a head that is fitted anew on what finetuning has made of the trunk.
    It sees no ground truth then, and is no upper bound.
    """
    states = context.finetuned_activations(context.weak_labels)
    if labels == "weak":
        return _probed(context, states, labels_of(context, "strong_train"))
    return _probed(context, states, context.truth("strong_train"))


def _probed(
    context: Context, states: Mapping[str, Activations], labels: Predictions
) -> Mapping[str, Predictions]:
    """Answers of a probe on every split."""
    from weak2strong.probes import fit_logistic, select_penalty

    groups = {item.id: item.group for item in context.items("strong_train")}
    ids = [id for id in labels.ids if id in groups]
    features, targets = states["strong_train"].at(ids), labels.at(ids)
    penalty = select_penalty(features, targets, np.array([groups[id] for id in ids]), seed=0)
    probe = fit_logistic(features, targets, penalty=penalty)
    return {
        split: Predictions(a.ids, probe.predict(a.values), labels.kind)
        for split, a in states.items()
    }
