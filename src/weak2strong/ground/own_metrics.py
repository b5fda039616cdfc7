"""Metrics and scorers of a user's own, which stand beside ours wherever a metric is named."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from weak2strong.ground.errors import PluginError, UserError
from weak2strong.ground.plugin_faults import check_returns, fault_in
from weak2strong.ground.plugins import origin_of
from weak2strong.ground.registry import Registry
from weak2strong.ground.weighted import Score, over_replicates, weighted_mean
from weak2strong.ground.written import SaysTheSame

Function = TypeVar("Function", bound=Callable[..., Any])
Says = TypeVar("Says", bound=Callable[[str], str | None])

KINDS = ("classification", "preference", "generation")
"""The kinds of task, each with a metric."""

ROUNDED = 1e-6
"""By how much a value may be outside the range of its metric."""

OWN_METRICS = Registry("metric", underscores=True)
"""The metrics and scorers of plugins."""


@dataclass(frozen=True)
class OwnMetric:
    """A metric that a function of someone else computes.

    Attributes:
        name: as in ``--metric``.
        function: of answers and labels (see `metric`).
        kinds: of the tasks that it can score.
        per_example: whether it gives a value for each example, whose mean is the score.
        more_is_better: whether more of it is better.
        low: its least value.
        high: its largest value.
        chance: the score of guessing, where it has such a level.
    """

    name: str
    function: Callable[..., Any]
    kinds: tuple[str, ...] = ("classification",)
    per_example: bool = False
    more_is_better: bool = True
    low: float = -math.inf
    high: float = math.inf
    chance: float | None = None

    @property
    def each(self) -> Callable[[np.ndarray, np.ndarray], np.ndarray] | None:
        """Gives the value of each example; None where only all of them together have one."""
        return self._values if self.per_example else None

    def __call__(
        self, answers: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
    ) -> Score:
        """The score; arguments as in `weak2strong.ground.metrics.accuracy`."""
        if self.per_example:
            return weighted_mean(self._values(answers, labels), weights)
        if weights is None:
            return self._one(answers, labels)
        counted = self._weighted if "weights" in self._arguments else self._repeated
        one = partial(counted, answers, labels)
        return over_replicates(lambda w: np.array([*map(one, w)]), weights, len(labels))

    @property
    def _arguments(self) -> Sequence[str]:
        return list(inspect.signature(self.function).parameters)

    def _values(self, answers: np.ndarray, labels: np.ndarray) -> np.ndarray:
        values = _array(self.function(answers, labels))
        if values.shape != (len(labels),) or values.dtype.kind not in "bif":
            raise self._fault(
                f"{_form(values)} where one number for each of {len(labels)} examples was asked for"
            )
        if not np.isfinite(values).all():
            raise self._fault("a value that is no finite number")
        self._check_range(values)
        return values.astype(float)

    def _one(self, answers: np.ndarray, labels: np.ndarray, **weights: np.ndarray) -> float:
        value = _array(self.function(answers, labels, **weights))
        if value.shape or value.dtype.kind not in "bif":
            more = ", which per_example=True allows" if value.shape == (len(labels),) else ""
            raise self._fault(f"{_form(value)} where one number was asked for{more}")
        # NaN says that it is undefined, as an AUC of one class is.
        if not math.isnan(value):
            self._check_range(value)
        return float(value)

    def _check_range(self, values: np.ndarray) -> None:
        """Refuse values outside the range that the metric was registered with."""
        outside = (values < self.low - ROUNDED) | (values > self.high + ROUNDED) | np.isinf(values)
        if outside.any():
            raise self._fault(
                f"{np.extract(outside, values)[0]:g}, and is registered with values from "
                f"{self.low:g} to {self.high:g}"
            )

    def _fault(self, gives: str) -> PluginError:
        return fault_in(self.function, f"the metric {self.name!r} gives {gives}")

    def _weighted(self, answers: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
        return self._one(answers, labels, weights=weights)

    def _repeated(self, answers: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
        """The score of the examples, each of them as often as it counts."""
        often = weights.astype(int)
        if (often != weights).any():
            raise ValueError("An example can be repeated a whole number of times only.")
        if not often.any():
            return math.nan
        return self._one(np.repeat(answers, often, axis=0), np.repeat(labels, often))


def _array(value: Any) -> np.ndarray:
    """What a function gave, as an array; one of objects where its rows differ in length."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.array(list(value), dtype=object)


def _form(value: np.ndarray) -> str:
    return f"an array of shape {value.shape}" if value.shape else repr(value.item())


def metric(
    name: str,
    kinds: str | Sequence[str] = "classification",
    *,
    per_example: bool = False,
    more_is_better: bool = True,
    low: float = -math.inf,
    high: float = math.inf,
    chance: float | None = None,
) -> Callable[[Function], Function]:
    """Register a function of answers and labels as a metric.

    Answers are probabilities ``(n, k)`` and labels class indices ``(n,)``; in a generation, texts
    ``(n,)`` and for each a tuple of the texts that count as right. It returns one number over all
    examples, or one for each. The intervals draw examples anew, and so some count more often than
    others: with ``per_example`` that costs nothing; a function over all with an argument
    ``weights`` is told how often each counts, and another is given these examples several times.

    Args:
        name: as in ``--metric``.
        kinds: of the tasks that it can score: classification, preference, generation.
        per_example: whether it returns a value for each example, whose mean is the score.
        more_is_better: whether more of it is better; PGR needs such a metric.
        low: the least value that it can have, at which intervals end.
        high: the largest.
        chance: the score of guessing, where there is such a level.

    Raises:
        UserError: for a name that is taken, a kind that no task is of, or no range.
    """
    own = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if not own or not set(own) <= set(KINDS):
        raise UserError(
            f"The metric {name!r} is for {', '.join(map(repr, own)) or 'nothing'}: name kinds of "
            f"task, of {', '.join(KINDS)}."
        )
    if not low < high:
        raise UserError(f"The metric {name!r} has no range from {low:g} to {high:g}.")

    def register(function: Function) -> Function:
        check_returns("metric", name, function)
        made = OwnMetric(name, function, own, per_example, more_is_better, low, high, chance)
        OWN_METRICS.add(name, made, origin_of(function))
        return function

    return register


def scorer(name: str, finds: str = "answer") -> Callable[[Says], Says]:
    """Register a function from a written answer to what it says, as the metric of that name.

    The metric is the share of answers that say what an accepted text says. Agreement, and who is
    right where, go by it as well.

    Args:
        name: as in ``--metric``.
        finds: what the function looks for, as a noun for messages. Where it gives None or an empty
            text, the answer is wrong.

    Raises:
        UserError: for a name that is taken.
    """

    def register(says: Says) -> Says:
        check_returns("scorer", name, says)
        OWN_METRICS.add(name, SaysTheSame(says, finds), origin_of(says), "scorer")
        return says

    return register
