"""Probes on frozen activations in three uses: to answer, to leave labels out, to make them anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions, joined
from weak2strong.methods.labels import keeping, labels_of
from weak2strong.methods.method import Context, Method
from weak2strong.probes import PROBES
from weak2strong.probes import probe as probe_of

_SOURCE = "EleutherAI 2024, activation probes"


def probe_predict(
    context: Context, *, probe: str = "knn", layer: int | str = "usual", **settings: Any
) -> Mapping[str, Predictions]:
    """A probe of the weak labels answers the test set itself; nothing is finetuned.

    Settings that are not named here are the probe's.
    """
    labels, states = labels_of(context, "strong_train"), context.activations(layer)
    made = probe_of(probe, **settings)
    features = states["strong_train"].at(labels.ids)
    found = {}
    for split, asked in states.items():
        # Of the points that it has learnt from, a neighbour probe says what is around them.
        own = asked.ids == labels.ids
        answers = made.predict(features, labels.probabilities, None if own else asked.values)
        found[split] = Predictions(asked.ids, answers, labels.kind)
    return found


def probe_filter(
    context: Context,
    *,
    probe: str = "knn",
    layer: int | str = "usual",
    drop: float = 0.1,
    **settings: Any,
) -> Context:
    """Leave out the share of examples on which a probe and the weak labels disagree most."""
    labels, states = labels_of(context, "strong_train"), context.activations(layer)
    features = states["strong_train"].at(labels.ids)
    return keeping(context, probe_of(probe, **settings).keep(features, labels.probabilities, drop))


def probe_relabel(
    context: Context, *, probe: str = "knn", layer: int | str = "usual", **settings: Any
) -> Context:
    """The student learns what a probe says in place of the weak labels, and stops by it."""
    labels, states = labels_of(context, "strong_train"), context.activations(layer)
    made, features = probe_of(probe, **settings), states["strong_train"].at(labels.ids)
    asked = states["validation"]
    new = [
        Predictions(ids, made.predict(features, labels.probabilities, values), labels.kind)
        for ids, values in ((labels.ids, None), (asked.ids, asked.values))
    ]
    return context.with_labels(joined(*new))


def _predicting(
    probe: str = "knn", layer: int | str = "usual", drop: float = 0.1, **settings: Any
) -> None:
    """Refuse what no probe can be made of, and a probe that only filters."""
    if not probe_of(probe, **settings).predicts:
        raise UserError(
            f"The probe {probe!r} only says which examples to keep: use it in probe-filter, or "
            f"take another one ({', '.join(name for name in PROBES if PROBES.get(name).predicts)})."
        )


def _filtering(
    probe: str = "knn", layer: int | str = "usual", drop: float = 0.1, **settings: Any
) -> None:
    if not 0 <= drop < 1:
        raise UserError(f"probe-filter drops a share from 0 to below 1, not {drop!r}.")
    probe_of(probe, **settings)


PROBE_PREDICT = Method(
    name="probe-predict",
    summary="a probe on the frozen student answers by the weak labels",
    source=_SOURCE,
    run=probe_predict,
    variants=("probe-predict:knn", "probe-predict:logistic"),
    check_settings=_predicting,
)

PROBE_FILTER = Method(
    name="probe-filter",
    summary="leaves out a tenth, where a probe contradicts the weak labels",
    source=_SOURCE,
    run=probe_filter,
    prepares=True,
    variants=("probe-filter:knn", "probe-filter:logistic", "probe-filter:topofilter"),
    check_settings=_filtering,
)

PROBE_RELABEL = Method(
    name="probe-relabel",
    summary="a probe's answers take the place of the weak labels",
    source=_SOURCE,
    run=probe_relabel,
    prepares=True,
    variants=("probe-relabel:knn", "probe-relabel:logistic"),
    check_settings=_predicting,
)
