"""Is the concept more salient in the student after weak finetuning? Five bars that tell.

Burns et al. 2023, section 5.2 and figure 11: a linear probe on the frozen strong model, of weak
labels and of ground truth; finetuning on weak labels, alone and followed by a linear probe of
ground truth; finetuning on ground truth. Where a probe with ground truth gains much from weak
finetuning before it, that has made the concept more linear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from weak2strong.analysis.estimates import columns, score_estimate
from weak2strong.analysis.intervals import Metric
from weak2strong.analysis.tested import Tested

BARS: Mapping[str, str] = {
    "lp(weak)": "method linear-probe",
    "lp(gt)": "check probe",
    "ft(weak)": "method naive",
    "ft(weak)+lp(gt)": "method finetune-then-probe",
    "ft(gt)": "ceiling",
}
"""The bars in the figure's order, and what of a run each is: lp linear probe, ft finetuning, gt
ground truth."""


def saliency_rows(tested: Tested, metric: Metric) -> Iterator[dict[str, Any]]:
    """A row a bar: the score, mean over seeds; null where the run lacks it.

    The probe on the frozen model is one for all seeds, so that its interval is over test examples.
    """
    for bar, of in BARS.items():
        answers = _answers(tested, of)
        found = None
        if answers is not None:
            found = score_estimate(
                answers, tested.labels, metric, tested.weights, tested.group_count
            )
        yield {"bar": bar, "of": of, **columns("score", found)}


def _answers(tested: Tested, of: str) -> np.ndarray | None:
    """Answers ``(S, n, k)`` of a bar, the probe's with S of 1."""
    if of == "ceiling":
        return tested.ceiling
    if of == "check probe":
        return None if tested.probe is None else tested.probe[None]
    return tested.students.get(of.removeprefix("method "))
