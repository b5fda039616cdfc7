"""Probes on frozen activations in three uses: to answer, to leave labels out, to relabel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from weak2strong.ground.activations import Activations
from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions, joined
from weak2strong.methods.decorators import method
from weak2strong.methods.labels import keeping, labels_of
from weak2strong.methods.method import Context, Given
from weak2strong.probes import PROBES
from weak2strong.probes import probe as probe_of
from weak2strong.probes.given import answers_of, kept_by
from weak2strong.probes.knn_probe import Knn, check_enough
from weak2strong.probes.topofilter import TopoFilter

_SOURCE = "EleutherAI 2024, activation probes"


def _check_predicting(
    probe: str = "knn", layer: int | str = "usual", drop: float = 0.1, **settings: Any
) -> None:
    """Refuse settings that no probe can be made of, and a probe that cannot predict."""
    if not probe_of(probe, **settings).predicts:
        raise UserError(
            f"The probe {probe!r} only says which examples to keep: use it in probe-filter, or "
            f"take another one ({', '.join(name for name in PROBES if PROBES.get(name).predicts)})."
        )


def _check_filtering(
    probe: str = "knn", layer: int | str = "usual", drop: float = 0.1, **settings: Any
) -> None:
    if not 0 <= drop < 1:
        raise UserError(f"probe-filter drops a share from 0 to below 1, not {drop!r}.")
    probe_of(probe, **settings)


def _check_points(
    given: Given,
    probe: str = "knn",
    layer: int | str = "usual",
    drop: float = 0.1,
    **settings: Any,
) -> None:
    """Refuse fewer training points than the neighbours that a probe looks for."""
    made = probe_of(probe, **settings)
    if isinstance(made, Knn | TopoFilter):
        itself = isinstance(made, Knn) and made.itself
        check_enough(made.k, len(given.items("strong_train")), itself)


def _training_data(
    context: Context, layer: int | str
) -> tuple[Predictions, np.ndarray, Mapping[str, Activations]]:
    """Weak labels of ``strong_train``, the activations of the same examples, and those of all."""
    labels, states = labels_of(context, "strong_train"), context.activations(layer)
    return labels, states["strong_train"].at(labels.ids), states


@method(
    "probe-predict",
    "a probe on the frozen student answers by the weak labels",
    _SOURCE,
    variants=("probe-predict:knn", "probe-predict:logistic"),
    uses=("labels", "student"),
    check_settings=_check_predicting,
    check_given=_check_points,
)
def probe_predict(
    context: Context, *, probe: str = "knn", layer: int | str = "usual", **settings: Any
) -> Mapping[str, Predictions]:
    """A probe of the weak labels answers the test set itself; nothing is finetuned.

    Settings that are not named here are the probe's.
    """
    labels, features, states = _training_data(context, layer)
    made, answers = probe_of(probe, **settings), {}
    for split, of_split in states.items():
        # For the points that it has learnt from, a neighbour probe uses the points around them.
        queries = None if of_split.ids == labels.ids else of_split.values
        predicted = answers_of(made, features, labels.probabilities, queries)
        answers[split] = Predictions(of_split.ids, predicted, labels.kind)
    return answers


@method(
    "probe-filter",
    "leaves out a tenth, where a probe contradicts the weak labels",
    _SOURCE,
    prepares=True,
    uses=("labels", "student"),
    changes=("labels",),
    variants=("probe-filter:knn", "probe-filter:logistic", "probe-filter:topofilter"),
    check_settings=_check_filtering,
    check_given=_check_points,
)
def probe_filter(
    context: Context,
    *,
    probe: str = "knn",
    layer: int | str = "usual",
    drop: float = 0.1,
    **settings: Any,
) -> Context:
    """Leave out the share of examples on which a probe and the weak labels disagree most."""
    labels, features, _ = _training_data(context, layer)
    made = probe_of(probe, **settings)
    return keeping(context, kept_by(made, features, labels.probabilities, drop))


@method(
    "probe-relabel",
    "a probe's answers take the place of the weak labels",
    _SOURCE,
    prepares=True,
    uses=("labels", "student"),
    changes=("labels",),
    variants=("probe-relabel:knn", "probe-relabel:logistic"),
    check_settings=_check_predicting,
    check_given=_check_points,
)
def probe_relabel(
    context: Context, *, probe: str = "knn", layer: int | str = "usual", **settings: Any
) -> Context:
    """The student learns what a probe says in place of the weak labels, and stops by it."""
    labels, features, states = _training_data(context, layer)
    made, validation = probe_of(probe, **settings), states["validation"]
    new = [
        Predictions(ids, answers_of(made, features, labels.probabilities, queries), labels.kind)
        for ids, queries in ((labels.ids, None), (validation.ids, validation.values))
    ]
    return context.with_labels(joined(*new))
