"""Methods against a baseline over tasks: which differ, by how much, and how sure one may be.

The unit is a task: its difference is the mean over seeds of method minus baseline, paired by seed
(same supervisor, same initialisation). The score is the student's own by default. It is defined
on every task, while a difference of PGRs is the same difference divided by the gap: it drops the
tasks without a clear gap and lets those with a small and noisy one rule the mean.

One test is primary, and fixed in the study before it is run; its p-values are corrected by Holm
over the family, which is every method that was compared. A method that trains like another one
(`SAME_GRADIENT`), or scores the same everywhere, is no further test: it is counted once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from weak2strong.analysis.paired import (
    TESTS,
    Effect,
    PValues,
    cleaned,
    effect,
    holm,
    smallest_p,
    units_needed,
)
from weak2strong.errors import UserError, unknown_name

SAME_GRADIENT = {"kl": "naive", "entropy-eleuther-code": "naive"}
"""Methods whose loss has another one's gradient, up to a factor that Adam hardly notices."""


@dataclass(frozen=True)
class Score:
    """What a method scored on a task with one seed; more is better.

    Attributes:
        task: the unit of comparison.
        method: name.
        seed: of one setting; pairs with the baseline's.
        score: in the metric's units.
        setting: what else must be the same for two scores to be compared, such as the models.
    """

    task: str
    method: str
    seed: int
    score: float
    setting: str = ""


@dataclass(frozen=True)
class Compared:
    """One method against the baseline.

    Attributes:
        method: name.
        differences: by unit, method minus baseline.
        effect: their mean with an interval over units, and dz.
        tests: p-values by test.
        same_as: the method that this one equals, which stands for both; None for most.
        p: of the primary test; None for a method that equals another.
        adjusted: p after Holm.
        significant: whether ``adjusted`` is at most the level.
        sentence: the finding in plain words.
    """

    method: str
    differences: Mapping[str, float]
    effect: Effect
    tests: Mapping[str, PValues]
    same_as: str | None
    p: float | None
    adjusted: float | None
    significant: bool
    sentence: str

    @property
    def wins(self) -> int:
        """Units on which the method is better."""
        return int((cleaned(list(self.differences.values())) > 0).sum())

    @property
    def losses(self) -> int:
        """Units on which the baseline is better."""
        return int((cleaned(list(self.differences.values())) < 0).sum())

    @property
    def ties(self) -> int:
        """Units on which they are equal."""
        return len(self.differences) - self.wins - self.losses


@dataclass(frozen=True)
class Comparison:
    """All methods against one baseline.

    Attributes:
        baseline: name.
        unit: ``"task"``, or ``"seed"`` where there is one task.
        test: the primary test, such as ``wilcoxon-one-sided``.
        level: of the tests.
        family: the methods that Holm's correction counts.
        compared: one a method.
        warnings: what a reader has to know, one sentence each.
    """

    baseline: str
    unit: str
    test: str
    level: float
    family: tuple[str, ...]
    compared: tuple[Compared, ...]
    warnings: tuple[str, ...]


def compare(
    scores: Iterable[Score],
    baseline: str = "naive",
    test: str = "wilcoxon-one-sided",
    level: float = 0.05,
) -> Comparison:
    """Compare every method with the baseline.

    Args:
        scores: a task that occurs in several settings counts once, with its mean difference.
        baseline: name of a method.
        test: the primary one: ``wilcoxon`` or ``t``, then ``-one-sided`` or ``-two-sided``.
        level: of the family of primary tests.

    Raises:
        UserError: for scores that cannot be compared.
    """
    cells = _cells(scores)
    methods = list(dict.fromkeys(method for _, method in cells))
    if baseline not in methods:
        raise unknown_name("baseline", baseline, methods)
    others = [m for m in methods if m != baseline]
    if not others:
        raise UserError(f"There is no method beside {baseline} to compare with it.")
    paired = {m: _paired(cells, m, baseline) for m in others}
    tasks = {task for by_task in paired.values() for task in by_task}
    unit = "task" if len(tasks) > 1 else "seed"
    differences = {m: _by_unit(by_task, unit) for m, by_task in paired.items()}
    if max(map(len, differences.values())) < 2:
        raise UserError(
            "One task with one seed cannot be compared: run more tasks, or more seeds of this one."
        )
    same = {m: _same_as(m, baseline, others, paired) for m in others}
    family = tuple(m for m in others if same[m] is None)
    tests = {
        m: {n: of(list(d.values())) for n, of in TESTS.items()} for m, d in differences.items()
    }
    primary = {m: _primary(tests[m], test) for m in family}
    adjusted = holm(primary)
    compared = []
    for m in others:
        values = list(differences[m].values())
        p = adjusted.get(m)
        found = Compared(
            method=m,
            differences=differences[m],
            effect=effect(values),
            tests=tests[m],
            same_as=same[m],
            p=primary.get(m),
            adjusted=p,
            significant=p is not None and p <= level,
            sentence="",
        )
        compared.append(_with_sentence(found, baseline, unit, test, level))
    warnings = _warnings(compared, family, unit, test, level, len(tasks))
    return Comparison(baseline, unit, test, level, family, tuple(compared), tuple(warnings))


Cells = Mapping[tuple[str, str], Mapping[tuple[str, int], float]]
"""By task and method: by setting and seed, the score."""


def _cells(scores: Iterable[Score]) -> Cells:
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


def _paired(cells: Cells, method: str, baseline: str) -> dict[str, dict[tuple[str, int], float]]:
    """By task, the differences of the seeds and settings that both have."""
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


def _by_unit(paired: Mapping[str, Mapping[tuple[str, int], float]], unit: str) -> dict[str, float]:
    if unit == "seed":
        (cells,) = paired.values()
        settings = {setting for setting, _ in cells}
        if len(settings) > 1:
            raise UserError(
                "One task in several settings cannot be compared: name runs of one setting."
            )
        return {f"seed {seed}": value for (_, seed), value in cells.items()}
    return {task: _mean_of_settings(cells) for task, cells in paired.items()}


def _mean_of_settings(cells: Mapping[tuple[str, int], float]) -> float:
    """Seeds are averaged within their setting first, so that each setting counts the same."""
    by_setting: dict[str, list[float]] = {}
    for (setting, _), value in cells.items():
        by_setting.setdefault(setting, []).append(value)
    return float(np.mean([np.mean(values) for values in by_setting.values()]))


def _same_as(
    method: str, baseline: str, others: Sequence[str], paired: Mapping[str, Mapping[str, Any]]
) -> str | None:
    """The baseline or an earlier method that this one equals, by its gradient or everywhere."""
    if not any(cleaned(list(cells.values())).any() for cells in paired[method].values()):
        return baseline
    earlier = others[: others.index(method)]
    gradient = SAME_GRADIENT.get(method, method)
    for other in (baseline, *earlier):
        if SAME_GRADIENT.get(other, other) == gradient:
            return other
    for other in earlier:
        if paired[other].keys() == paired[method].keys() and all(
            ours.keys() == paired[other][task].keys()
            and not cleaned([v - paired[other][task][k] for k, v in ours.items()]).any()
            for task, ours in paired[method].items()
        ):
            return other
    return None


def _primary(tests: Mapping[str, PValues], test: str) -> float:
    name, _, sides = test.partition("-")
    if name not in ("wilcoxon", "t") or sides not in ("one-sided", "two-sided"):
        raise unknown_name(
            "test",
            test,
            [f"{n}-{s}" for n in ("wilcoxon", "t") for s in ("one-sided", "two-sided")],
        )
    return tests[name].two_sided if sides == "two-sided" else tests[name].one_sided


NAMES = {"wilcoxon": "Wilcoxon signed-rank", "t": "paired t"}


def test_name(test: str) -> str:
    """The primary test in words, such as "one-sided Wilcoxon signed-rank test"."""
    name, _, sides = test.partition("-")
    return f"{sides} {NAMES[name]} test"


def _with_sentence(c: Compared, baseline: str, unit: str, test: str, level: float) -> Compared:
    return replace(c, sentence=_sentence(c, baseline, unit, test, level))


def _sentence(c: Compared, baseline: str, unit: str, test: str, level: float) -> str:
    """The finding for one method, in plain words."""
    count = len(c.differences)
    if c.same_as is not None:
        why = (
            "has the same gradient as"
            if SAME_GRADIENT.get(c.method, c.method) == SAME_GRADIENT.get(c.same_as, c.same_as)
            else f"scores the same on every {unit} as"
        )
        return f"{c.method} {why} {c.same_as}, so it is not counted as another test."
    ties = f" ({c.ties} tied)" if c.ties else ""
    better, size = c.effect.mean > 0, abs(c.effect.mean)
    record = (
        f"{c.method} beats {baseline} on {c.wins} of {count} {unit}s{ties}, and is "
        f"{size:.3f} {'better' if better else 'worse'} on average"
    )
    if not math.isnan(c.effect.low):
        interval = f"{signed(c.effect.low)} to {signed(c.effect.high)}"
        record += f" (95% interval of the difference: {interval})"
    tested = f"{test_name(test)}, p = {p_text(c.adjusted)} after Holm"
    if not c.significant:
        shown = "be better" if test.endswith("one-sided") else "differ"
        return f"{record}; it is not shown to {shown} ({tested})."
    # Signed ranks may say better where the mean, which a few tasks can rule, says worse.
    one_sided = test.endswith("one-sided")
    up = one_sided or c.tests[test.partition("-")[0]].one_sided < 0.5
    return f"{record}; it is {'better' if up else 'worse'} than {baseline} ({tested} <= {level:g})."


def signed(value: float) -> str:
    """A difference to three decimals with its sign, +0.000 where that leaves nothing."""
    return f"{round(value, 3) + 0.0:+.3f}"


def p_text(p: float | None) -> str:
    """A p-value, such as ``.031``, ``<.001`` or ``-`` where there is none."""
    if p is None or math.isnan(p):
        return "-"
    if p < 0.0005:
        return "<.001"
    return f"{p:.3f}".removeprefix("0")


def _warnings(
    compared: Sequence[Compared],
    family: Sequence[str],
    unit: str,
    test: str,
    level: float,
    tasks: int,
) -> list[str]:
    said = []
    if unit == "seed":
        said.append(
            "One task: the units are its seeds. The tests ask whether a method is better on this "
            "task and this test set with other seeds; they say nothing of other tasks."
        )
    counts = {m.method: len(m.differences) for m in compared}
    fewer = {m: n for m, n in counts.items() if n < max(counts.values())}
    if fewer:
        listed = ", ".join(f"{m} {n}" for m, n in fewer.items())
        said.append(
            f"Some methods are compared on fewer than {max(counts.values())} {unit}s: {listed}."
        )
    two_sided = test.endswith("two-sided")
    most = max((c.wins + c.losses for c in compared if c.method in family), default=0)
    least = smallest_p(most, two_sided) * len(family)
    if family and test.startswith("wilcoxon") and least > level:
        needed = units_needed(len(family), level, two_sided)
        methods = f"{len(family)} method{'s' if len(family) > 1 else ''}"
        said.append(
            f"No method can be significant here: with {most} {unit}{'s' if most != 1 else ''} that "
            f"differ, the least p that signed ranks or signs can give is "
            f"{smallest_p(most, two_sided):.3g}, which is {min(least, 1):.3g} after Holm over "
            f"{methods}; it takes {needed} {unit}s or more."
        )
    if family and test.startswith("t") and max(counts.values()) < 5:
        said.append(
            f"{max(counts.values())} {unit}s: the t test rests on normal differences, "
            "which so few cannot show."
        )
    return said
