"""Are the classes even, in all and in every split?"""

from __future__ import annotations

from collections import Counter

import numpy as np

from weak2strong.analysis.audit.finding import Finding, Level
from weak2strong.analysis.audit.subject import Subject
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.splits import SPLITS

UNEVEN, LOPSIDED = 0.8, 0.2
"""Of an even share: a rarest class below the first is a warning, below the second an error."""

APART = 0.1
"""Difference of one class's share between two splits that is worth a warning."""

SURE = 3
"""Standard deviations of a draw that a deviation has to be more than."""


def balance(subject: Subject) -> list[Finding]:
    """Findings on the shares of the classes, of the examples as used and of the rows as given."""
    classes = subject.task.classes
    findings = [*_even("all splits", subject.labels, classes)]
    counts = {}
    for split in SPLITS:
        labels = np.array([e.label for e in subject.splits.examples(split)])
        counts[split] = np.bincount(labels, minlength=len(classes))
        # A finding on all splits is not repeated for each.
        if not findings:
            findings += _even(split, labels, classes)
    findings += _same(counts, classes)
    shares = _shares(np.array([e.label for e in subject.given]), classes)
    made_even = isinstance(subject.task, FileTask) and subject.task.cleaning.uneven
    if made_even and min(shares.values()) < UNEVEN / len(classes):
        findings.append(
            Finding(
                "balance",
                "note",
                f"The classes are uneven as given ({_percentages(shares)}); to make them even, "
                f"{made_even:,} rows are left out.",
                shares,
            )
        )
    return findings


def _even(where: str, labels: np.ndarray, classes: tuple[str, ...]) -> list[Finding]:
    """One finding where the rarest class is too rare for chance."""
    shares = _shares(labels, classes)
    even, total = 1 / len(classes), len(labels)
    rarest = min(shares, key=lambda name: shares[name])
    missing = (even - shares[rarest]) * total
    if shares[rarest] >= UNEVEN * even or missing <= SURE * np.sqrt(total * even * (1 - even)):
        return []
    level: Level = "error" if shares[rarest] < LOPSIDED * even else "warning"
    return [
        Finding(
            "balance",
            level,
            f"The classes of {where} are uneven ({_percentages(shares)}): whoever always says "
            f"{max(shares, key=lambda name: shares[name])!r} is right in {max(shares.values()):.1%}"
            ", so take roc_auc for the metric, or leave --no-balance out.",
            shares,
        )
    ]


def _same(counts: dict[str, np.ndarray], classes: tuple[str, ...]) -> list[Finding]:
    """A finding where one split has clearly more of some class than another."""
    totals = {split: n.sum() for split, n in counts.items()}
    worst = None
    for label, name in enumerate(classes):
        share = {split: n[label] / totals[split] for split, n in counts.items()}
        low, high = (pick(share, key=lambda split: share[split]) for pick in (min, max))
        pooled = (counts[low][label] + counts[high][label]) / (totals[low] + totals[high])
        error = np.sqrt(pooled * (1 - pooled) * (1 / totals[low] + 1 / totals[high]))
        gap = share[high] - share[low]
        if gap > max(APART, SURE * error) and (worst is None or gap > worst[0]):
            worst = gap, name, low, high, float(share[low]), float(share[high])
    if worst is None:
        return []
    _, name, low, high, least, most = worst
    return [
        Finding(
            "balance",
            "warning",
            f"Class {name!r} has {least:.1%} of {low} and {most:.1%} of {high}: what is learnt "
            "of one split about how often it occurs is wrong in the other.",
            {"class": name, low: least, high: most},
        )
    ]


def _shares(labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    have = Counter(labels.tolist())
    return {name: have[i] / max(1, len(labels)) for i, name in enumerate(classes)}


def _percentages(shares: dict[str, float]) -> str:
    order = sorted(shares.items(), key=lambda pair: -pair[1])
    if len(order) > 4:
        order = [order[0], order[-1]]
        return f"{len(shares)} of them, from {order[0][0]!r} with {order[0][1]:.1%} to " + (
            f"{order[1][0]!r} with {order[1][1]:.1%}"
        )
    return ", ".join(f"{name} {share:.1%}" for name, share in order)
