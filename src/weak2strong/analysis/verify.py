"""Is a student better than its supervisor? What a small set of trusted labels says about this.

Of N trusted examples, the student alone answers b correctly, and the supervisor alone c; only these
examples tell the two models apart. The difference of their accuracies is ``(b - c) / N``.

Trusted examples are drawn at random, at most one of a group, so that they are independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from weak2strong.ground.draws import one_of_each_group
from weak2strong.ground.errors import UserError

MOST_LABELS = 1_000_000
"""The largest set of labels that the search for a sufficient number considers."""


@dataclass(frozen=True)
class Verified:
    """What trusted labels say about one student and its supervisor.

    Attributes:
        labels: N, the number of trusted labels.
        student: the student's accuracy on them.
        supervisor: the supervisor's accuracy on them.
        student_only: b, the number of examples that the student alone has right.
        supervisor_only: c, the number of examples that the supervisor alone has right.
        difference: the student's accuracy minus the supervisor's.
        low: the lower end of the score interval of the difference.
        high: the upper end.
        p: the p-value of McNemar's exact test, two-sided.
        settled_by: how many labels in all the test needs if the true difference is this one; None
            where the difference is 0, or where more than `MOST_LABELS` are needed.
    """

    labels: int
    student: float
    supervisor: float
    student_only: int
    supervisor_only: int
    difference: float
    low: float
    high: float
    p: float
    settled_by: int | None


def draw_trusted(groups: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The positions of ``count`` random examples, at most one of a group.

    Raises:
        UserError: there are not that many groups.
    """
    drawn = one_of_each_group(groups, rng)
    if not 0 < count <= len(drawn):
        raise UserError(
            f"The test set has {len(drawn):,} groups, of each of which one example can be trusted: "
            f"--trusted takes 1 to {len(drawn)}, not {count}."
        )
    return drawn[:count]


def verified(
    student_right: np.ndarray,
    supervisor_right: np.ndarray,
    level: float = 0.95,
    power: float = 0.8,
) -> Verified:
    """Compare two models by which trusted examples each has right.

    Args:
        student_right: whether the student is right on each example, booleans ``(N,)``.
        supervisor_right: whether the supervisor is right, likewise.
        level: the level of the interval; the level of the test is ``1 - level``.
        power: the power of the test with the number of labels in ``settled_by``.
    """
    student_right, supervisor_right = (
        np.asarray(x, dtype=bool) for x in (student_right, supervisor_right)
    )
    n = len(student_right)
    b = int((student_right & ~supervisor_right).sum())
    c = int((supervisor_right & ~student_right).sum())
    low, high = difference_interval(b, c, n, level)
    return Verified(
        labels=n,
        student=float(student_right.mean()),
        supervisor=float(supervisor_right.mean()),
        student_only=b,
        supervisor_only=c,
        difference=(b - c) / n,
        low=low,
        high=high,
        p=mcnemar(b, c),
        settled_by=labels_needed(b / n, c / n, 1 - level, power),
    )


def mcnemar(b: int, c: int) -> float:
    """McNemar's exact test, two-sided: b of b + c is binomial with 1/2; 1 where there are none."""
    from scipy.stats import binomtest

    return float(binomtest(b, b + c).pvalue) if b + c else 1.0


def difference_interval(b: int, c: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Tango's score interval of a difference of paired shares (1998, Statistics in Medicine 17).

    All D for which ``(b - c - n D)^2 <= z^2 n (2 q + D (1 - D))``, where q is the most likely
    chance of the supervisor alone being right, given D: the larger root of
    ``2 n q^2 + (-b - c + (2 n - b + c) D) q - c D (1 - D) = 0``.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    z = float(norm.ppf((1 + level) / 2))

    def excess(d: float) -> float:
        linear = -b - c + (2 * n - b + c) * d
        q = (math.sqrt(max(linear**2 + 8 * n * c * d * (1 - d), 0.0)) - linear) / (4 * n)
        return (b - c - n * d) ** 2 - z**2 * n * max(2 * q + d * (1 - d), 0.0)

    # The search starts beside the estimate: without variation, both sides are 0 at the estimate
    # itself, and this is not the root that is wanted.
    at, beside = (b - c) / n, 1e-9
    low = -1.0 if excess(-1.0) <= 0 else brentq(excess, -1.0, at - beside)
    high = 1.0 if excess(1.0) <= 0 else brentq(excess, at + beside, 1.0)
    return float(low), float(high)  # pyright: ignore[reportArgumentType]


def mcnemar_power(n: int, student_only: float, supervisor_only: float, level: float) -> float:
    """The exact power of `mcnemar` with n labels, summed over how many of them tell apart.

    Args:
        n: the number of labels.
        student_only: the chance that the student alone is right.
        supervisor_only: the chance that the supervisor alone is right.
        level: the level of the test.
    """
    from scipy.stats import binom

    apart = student_only + supervisor_only
    share = student_only / apart
    low, high = (int(binom.ppf(tail, n, apart)) for tail in (1e-9, 1 - 1e-9))
    m = np.arange(low, high + 1)
    # The largest number of wins in the lower tail, -1 where no number is enough.
    edge = binom.ppf(level / 2, m, 0.5)
    edge -= binom.cdf(edge, m, 0.5) > level / 2
    rejects = binom.cdf(edge, m, share) + binom.sf(m - edge - 1, m, share)
    return float(binom.pmf(m, n, apart) @ np.where(edge < 0, 0.0, rejects))


def labels_needed(
    student_only: float, supervisor_only: float, level: float = 0.05, power: float = 0.8
) -> int | None:
    """The fewest labels with which `mcnemar` has that power at these chances.

    Starts from the normal approximation ``(z_level sqrt(a) + z_power sqrt(a - d^2))^2 / d^2``,
    with a the sum and d the difference of the chances (Connor 1987, Biometrics 43, 207-211), and
    goes on by exact power, in steps of at most half a percent. Power has teeth, since counts are
    whole: the number is where it first passes on a way up from well below.
    """
    from scipy.stats import norm

    apart, d = student_only + supervisor_only, student_only - supervisor_only
    if d == 0:
        return None
    z_level, z_power = norm.isf(level / 2), norm.ppf(power)
    rough = (z_level * math.sqrt(apart) + z_power * math.sqrt(max(apart - d * d, 0))) ** 2 / d**2
    if rough > MOST_LABELS:
        return None
    step = max(1, int(rough / 200))
    n = max(2, int(0.7 * rough))
    while mcnemar_power(n, student_only, supervisor_only, level) < power:
        n += step
    return n
