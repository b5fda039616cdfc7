"""Methods against a baseline over tasks: which differ, by how much, and how sure one may be.

The unit is a task: its difference is the mean over seeds of method minus baseline, paired by seed
(same supervisor, same initialisation). By default the score is the student's own, which every task
has. A difference of PGRs is the same difference divided by the gap: tasks without a clear gap have
none, and tasks with a small and noisy gap rule the mean.

One test is primary: the study fixes it before it runs. Holm's method corrects its p-values over the
family of all methods that are compared. A method that trains like another method, or has the same
scores everywhere (see `weak2strong.analysis.differences.same_as`), is not counted again.

Tests over tasks take tasks for independent. Luck with test entities that tasks share makes the
error of a mean difference larger, and p-values and intervals count it where it was measured (see
`weak2strong.analysis.over_tasks.shared_luck`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from weak2strong.analysis.differences import (
    ROLES,
    Score,
    by_unit,
    cells_of,
    paired_with,
    same_as,
)
from weak2strong.analysis.paired import (
    TESTS,
    Effect,
    PValues,
    cleaned,
    effect,
    holm,
    smallest_p,
    units_needed,
    widened,
)
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.methods import BASELINE
from weak2strong.methods.reference import gradient_of


@dataclass(frozen=True)
class Compared:
    """One method against the baseline.

    Attributes:
        method: the name of the method.
        differences: method minus baseline, by unit.
        effect: the mean difference with an interval over units, and dz.
        tests: the p-values of each test.
        same_as: the method that this one equals and that stands for both; None for most methods.
        p: the p-value of the primary test; None for a method that equals another.
        adjusted: the same after Holm's correction.
        significant: whether ``adjusted`` is at most the level.
        sentence: the finding in plain words.
        widened: by what factor luck that tasks have in common widens the interval; 1 without any.
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
    widened: float = 1.0

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
        baseline: the name of the baseline.
        unit: ``"task"``, or ``"seed"`` where there is one task.
        test: the primary test, such as ``wilcoxon-one-sided``.
        level: the level of the tests.
        family: the methods that Holm's correction counts.
        compared: an entry for each method.
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
    baseline: str = BASELINE,
    test: str = "wilcoxon-one-sided",
    level: float = 0.05,
    in_common: Mapping[str, float] | None = None,
) -> Comparison:
    """Compare every method with the baseline.

    Args:
        scores: the scores; a task in several settings counts once, with its mean difference.
        baseline: the name of a method.
        test: the primary test: ``wilcoxon`` or ``t``, then ``-one-sided`` or ``-two-sided``.
        level: the level of the family of primary tests.
        in_common: by method, the covariance of two tasks' differences that is luck with test
            entities of both; 0 without it, and between seeds of one task.

    Raises:
        UserError: for scores that cannot be compared.
    """
    cells = cells_of(scores)
    methods = list(dict.fromkeys(method for _, method in cells))
    if baseline not in methods:
        raise unknown_name("baseline", baseline, methods)
    others = [m for m in methods if m != baseline]
    if not others:
        raise UserError(
            f"There is no method beside {baseline} to compare with it: of a run, the baselines "
            "floor and ceiling are compared with all of its methods."
        )
    paired = {m: paired_with(cells, m, baseline) for m in others}
    tasks = {task for by_task in paired.values() for task in by_task}
    unit = "task" if len(tasks) > 1 else "seed"
    differences = {m: by_unit(by_task, unit) for m, by_task in paired.items()}
    if max(map(len, differences.values())) < 2:
        raise UserError(
            "One task with one seed cannot be compared: run more tasks, or more seeds of this one."
        )
    same = {m: same_as(m, baseline, others, paired) for m in others}
    family = tuple(m for m in others if same[m] is None)
    shared = in_common or {} if unit == "task" else {}
    factors = {m: widening(list(d.values()), shared.get(m, 0.0)) for m, d in differences.items()}
    tests = {
        m: {n: widened(of(list(d.values())), len(d), factors[m]) for n, of in TESTS.items()}
        for m, d in differences.items()
    }
    primary = {m: _primary(tests[m], test) for m in family}
    adjusted = holm(primary)
    compared = []
    for m in others:
        values = list(differences[m].values())
        p = adjusted.get(m)
        compared_method = Compared(
            method=m,
            differences=differences[m],
            effect=effect(values, factor=factors[m]),
            tests=tests[m],
            same_as=same[m],
            p=primary.get(m),
            adjusted=p,
            significant=p is not None and p <= level,
            sentence="",
            widened=factors[m],
        )
        compared.append(_with_sentence(compared_method, baseline, unit, test, level))
    warnings = _warnings(compared, family, unit, test, level, len(tasks))
    return Comparison(baseline, unit, test, level, family, tuple(compared), tuple(warnings))


def widening(differences: Sequence[float], in_common: float) -> float:
    """By what factor luck in common widens the interval of the mean over n tasks.

    The mean of differences whose pairs have covariance c has variance ``E s^2 / n + c``, s^2 being
    the sample variance, which does not see c.
    """
    variance = float(np.var(cleaned(differences), ddof=1)) if len(differences) > 1 else 0.0
    return math.sqrt(1 + in_common * len(differences) / variance) if variance > 0 else 1.0


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
    count, baseline = len(c.differences), ROLES.get(baseline, baseline)
    if c.same_as is not None:
        why = (
            "has the same gradient as"
            if gradient_of(c.method) == gradient_of(c.same_as)
            else f"scores the same on every {unit} as"
        )
        return f"{c.method} {why} {c.same_as}, so it is not counted as another test."
    ties = f" ({c.ties} tied)" if c.ties else ""
    record = (
        f"{c.method} beats {baseline} on {c.wins} of {count} {unit}s{ties}, and "
        f"{_on_average(c.effect.mean)} on average"
    )
    if not math.isnan(c.effect.low):
        interval = f"{signed(c.effect.low)} to {signed(c.effect.high)}"
        record += f" (95% interval of the difference: {interval})"
    tested = f"{test_name(test)}, p = {p_text(c.adjusted)} after Holm"
    if not c.significant:
        claim = "be better" if test.endswith("one-sided") else "differ"
        return f"{record}; it is not shown to {claim} ({tested})."
    # Signed ranks may say better where the mean, which a few tasks can rule, says worse.
    one_sided = test.endswith("one-sided")
    up = one_sided or c.tests[test.partition("-")[0]].one_sided < 0.5
    return f"{record}; it is {'better' if up else 'worse'} than {baseline} ({tested} <= {level:g})."


def _on_average(difference: float) -> str:
    """What a mean difference says; one that rounds to nothing is neither better nor worse."""
    if not round(difference, 3):
        return "differs from it by less than 0.001"
    return f"is {abs(difference):.3f} {'better' if difference > 0 else 'worse'}"


def signed(value: float) -> str:
    """A difference with three decimals and its sign; one that rounds to zero is ``+0.000``."""
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
    warnings = []
    if unit == "seed":
        warnings.append(
            "One task: the units are its seeds. The tests ask whether a method is better on this "
            "task and this test set with other seeds; they say nothing of other tasks."
        )
    counts = {m.method: len(m.differences) for m in compared}
    fewer = {m: n for m, n in counts.items() if n < max(counts.values())}
    if fewer:
        listed = ", ".join(f"{m} {n}" for m, n in fewer.items())
        warnings.append(
            f"Some methods are compared on fewer than {max(counts.values())} {unit}s: {listed}."
        )
    two_sided = test.endswith("two-sided")
    most = max((c.wins + c.losses for c in compared if c.method in family), default=0)
    least = smallest_p(most, two_sided) * len(family)
    if family and test.startswith("wilcoxon") and least > level:
        needed = units_needed(len(family), level, two_sided)
        methods = f"{len(family)} method{'s' if len(family) > 1 else ''}"
        warnings.append(
            f"No method can be significant here: with {most} {unit}{'s' if most != 1 else ''} that "
            f"differ, the least p that signed ranks or signs can give is "
            f"{smallest_p(most, two_sided):.3g}, which is {min(least, 1):.3g} after Holm over "
            f"{methods}; it takes {needed} {unit}s or more."
        )
    if family and test.startswith("t") and max(counts.values()) < 5:
        warnings.append(
            f"{max(counts.values())} {unit}s: the t test rests on normal differences, "
            "which so few cannot show."
        )
    return warnings
