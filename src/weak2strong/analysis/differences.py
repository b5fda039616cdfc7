"""From scores to differences between a method and a baseline, paired, by task or by seed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.analysis.paired import cleaned
from weak2strong.ground.errors import UserError
from weak2strong.methods.reference import gradient_of


@dataclass(frozen=True)
class Score:
    """The score of a method on a task with one seed; more is better.

    Attributes:
        task: the unit of comparison.
        method: the name of the method.
        seed: the seed, which pairs the score with the baseline's in the same setting.
        score: the score, in the metric's units.
        setting: what else two scores must share to be compared, such as the models.
    """

    task: str
    method: str
    seed: int
    score: float
    setting: str = ""


ROLES = {"floor": "the floor", "ceiling": "the ceiling"}
"""Baselines that are no methods, with their names in sentences: supervisors, and ceilings."""

Cell = Mapping[tuple[str, int], float]
"""By setting and seed, a score or a difference."""

Cells = Mapping[tuple[str, str], Cell]
"""By task and method, the scores."""


def cells_of(scores: Iterable[Score]) -> Cells:
    """Scores by task and method.

    Raises:
        UserError: for a score that is no number, or two different scores of the same seed.
    """
    cells: dict[tuple[str, str], dict[tuple[str, int], float]] = {}
    for s in scores:
        if not math.isfinite(s.score):
            raise UserError(f"The score of {s.method} on {s.task}, seed {s.seed}, is no number.")
        cell = cells.setdefault((s.task, s.method), {})
        if cell.setdefault((s.setting, s.seed), s.score) != s.score:
            raise UserError(
                f"{s.method} on {s.task}, seed {s.seed}, has two different scores: leave one out."
            )
    return cells


def paired_with(cells: Cells, method: str, baseline: str) -> dict[str, Cell]:
    """The differences of the seeds and settings that both methods have, by task.

    Raises:
        UserError: where they have no task in common, or no seed of one.
    """
    paired = {}
    for (task, name), ours in cells.items():
        theirs = cells.get((task, baseline))
        if name != method or theirs is None:
            continue
        common = [key for key in ours if key in theirs]
        if not common:
            raise UserError(
                f"On {task}, {method} and {baseline} have no seed in common (with the same "
                "models and settings), so that nothing can be paired."
            )
        paired[task] = {key: ours[key] - theirs[key] for key in common}
    if not paired:
        raise UserError(f"{method} and {baseline} have no task in common.")
    return paired


def by_unit(paired: Mapping[str, Cell], unit: str) -> dict[str, float]:
    """The difference on each task, or with each seed of the one task.

    Raises:
        UserError: for seeds of one task in several settings.
    """
    if unit == "seed":
        (cells,) = paired.values()
        settings = {setting for setting, _ in cells}
        if len(settings) > 1:
            raise UserError(
                "One task in several settings cannot be compared: name runs of one setting."
            )
        return {f"seed {seed}": value for (_, seed), value in cells.items()}
    return {task: _mean_of_settings(cells) for task, cells in paired.items()}


def _mean_of_settings(cells: Cell) -> float:
    """Seeds are averaged within their setting first, so that each setting counts the same."""
    by_setting: dict[str, list[float]] = {}
    for (setting, _), value in cells.items():
        by_setting.setdefault(setting, []).append(value)
    return float(np.mean([np.mean(values) for values in by_setting.values()]))


def same_as(
    method: str, baseline: str, others: Sequence[str], paired: Mapping[str, Mapping[str, Cell]]
) -> str | None:
    """The baseline or an earlier method with the same gradient, or the same scores everywhere."""
    if not any(cleaned(list(cells.values())).any() for cells in paired[method].values()):
        return baseline
    earlier = others[: others.index(method)]
    for other in (baseline, *earlier):
        if gradient_of(other) == gradient_of(method):
            return other
    for other in earlier:
        if paired[other].keys() == paired[method].keys() and all(
            ours.keys() == paired[other][task].keys()
            and not cleaned([v - paired[other][task][k] for k, v in ours.items()]).any()
            for task, ours in paired[method].items()
        ):
            return other
    return None
