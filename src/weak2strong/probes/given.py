"""What a probe gives, checked where somebody else has written it."""

from __future__ import annotations

from typing import Any

import numpy as np

from weak2strong.ground.plugin_faults import fault_in, form_of, is_ours
from weak2strong.probes.probe import Probe

FAR = 1e-3
"""How far the sum of a point's probabilities may be from one."""


def answers_of(
    probe: Probe, features: np.ndarray, labels: np.ndarray, queries: np.ndarray | None
) -> np.ndarray:
    """The probabilities of the queries, (m, classes); arguments as of `Probe.predict`.

    Raises:
        PluginError: where a probe of a plugin gives anything else.
    """
    answers: Any = probe.predict(features, labels, queries)
    points = len(features if queries is None else queries)
    if not is_ours(probe) and (what := _fault(answers, (points, labels.shape[1]))):
        raise fault_in(type(probe).predict, f"it gives {what}")
    return answers


def kept_by(probe: Probe, features: np.ndarray, labels: np.ndarray, drop: float) -> np.ndarray:
    """Which examples stay, (n,) of bool; arguments as of `Probe.keep`.

    Raises:
        PluginError: where a probe of a plugin gives anything else.
    """
    kept: Any = probe.keep(features, labels, drop)
    right = isinstance(kept, np.ndarray) and kept.shape == (len(labels),) and kept.dtype == bool
    if not is_ours(probe) and not right:
        what = f"{form_of(kept)} where a bool for each of {len(labels)} examples was asked for"
        raise fault_in(type(probe).keep, f"it gives {what}")
    return kept


def _fault(answers: Any, shape: tuple[int, int]) -> str:
    """What is wrong with answers, as a clause; empty where nothing is."""
    if not isinstance(answers, np.ndarray) or answers.shape != shape:
        return f"{form_of(answers)} where probabilities of shape {shape} were asked for"
    if answers.dtype.kind not in "fiu" or not np.isfinite(answers).all():
        return "answers that are no finite numbers"
    if (answers < 0).any() or (np.abs(answers.sum(axis=1) - 1) > FAR).any():
        return "rows that are no probabilities: numbers from 0 on that add up to 1"
    return ""
