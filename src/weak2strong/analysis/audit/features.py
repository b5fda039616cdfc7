"""Outward signs of a text, and whether they go with its class.

None of these has to do with what a text says, so none should tell the label. Each is
judged by its AUC, and by whether (nearly) one class alone has it: a full stop
behind one in ten of the right answers, and behind no wrong one, moves an AUC little and
is a leak all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from weak2strong.analysis.audit.auc import against_rest
from weak2strong.analysis.audit.finding import Finding, Level, excerpts
from weak2strong.analysis.audit.subject import Entry

WARNING, ERROR = 0.6, 0.8
"""AUCs, at the end of the interval that is nearer to chance."""

PRESENT, ELSEWHERE, SEEN = 0.05, 0.05, 20
"""Nearly in one class only: in at least this share of it and so many texts, and in the others
at most this many times as often."""

LARGE = 0.2
"""Share of a class from which on a sign that is nearly in it alone is an error."""

Feature = Callable[[str], float | bool]


def _has(pattern: str) -> Feature:
    compiled = re.compile(pattern)
    return lambda text: compiled.search(text) is not None


ANYWHERE: Mapping[str, Feature] = {
    "ends with punctuation": _has(r"[.!?…。！？]['\"”’)\]]*\s*$"),
    "ends with a question mark": _has(r"[?？]\s*$"),
    "ends with white space": _has(r"\s$"),
    "begins with white space": _has(r"^\s"),
    "begins with a capital": lambda text: text.lstrip("\"'“‘«¿¡([ ")[:1].isupper(),
    "has no small letter": lambda text: text.isupper(),
    "has a digit": _has(r"\d"),
    "has quotation marks": _has(r"[\"“”«»]"),
    "has brackets": _has(r"[()\[\]{}<>]"),
    "has an address of the web": _has(r"https?://|www\."),
    "has a character beyond ASCII": lambda text: not text.isascii(),
    "number of line breaks": lambda text: text.count("\n"),
    "has a space twice": _has(r"\S  +\S"),
}
"""Signs of any text, whole or an answer."""

WHOLE: Mapping[str, Feature] = {
    **ANYWHERE,
    "ends with the letter of an option": _has(r"(?:^|[\s(])[A-Ha-h1-8][).]?\s*$"),
    "has an option's letter as in A) or (b)": _has(
        r"(?:^|\s)(?:\([A-Ha-h]\)|[A-Ha-h][).:])(?:\s|$)"
    ),
}
"""Signs of a whole text."""

ANSWER: Mapping[str, Feature] = {
    **ANYWHERE,
    "is an option's letter alone": _has(r"^\s*[(\[]?[A-Ha-h][)\].:]?\s*$"),
    "begins with an option's letter": _has(r"^\s*(?:[(\[][A-Ha-h][)\]]|[A-Ha-h][).:])\s*\S"),
    "is a number alone": _has(r"^\s*[-+]?[\d.,]+\s*$"),
    "is one word": lambda text: len(text.split()) == 1,
    "begins with an article": _has(r"^\s*(?i:an?|the)\s"),
    "length in characters": len,
}
"""Signs of an answer."""


def outward(
    check: str,
    what: str,
    features: Mapping[str, Feature],
    entries: Sequence[Entry],
    texts: Sequence[str],
    labels: np.ndarray,
    groups: np.ndarray,
    classes: Sequence[str],
) -> list[Finding]:
    """A finding for every feature of the texts that goes with a class.

    Args:
        check: the name that findings carry.
        what: what the texts are, in the plural.
        features: by name.
        entries: n examples, of which a finding cites some.
        texts: what the features are computed of, one an example.
        labels: ``(n,)``.
        groups: ``(n,)``.
        classes: their names.
    """
    findings = []
    for name, feature in features.items():
        values = np.array([float(feature(text)) for text in texts])
        judged = _judged(values, labels, groups)
        if judged is None:
            continue
        level, label, figures = judged
        inside = labels == label
        is_sign = set(np.unique(values)) <= {0.0, 1.0}
        a, b = (float(values[part].mean()) for part in (inside, ~inside))
        shares = (
            f"{a:.1%} of class {classes[label]!r}, {b:.1%} of the rest"
            if is_sign
            else f"{a:.1f} on average in class {classes[label]!r}, {b:.1f} in the rest"
        )
        more = inside if a > b else ~inside
        order = [*np.flatnonzero(more & (values > 0))[:2], *np.flatnonzero(~more)[:1]]
        findings.append(
            Finding(
                check,
                level,
                f"The form of {what} goes with the label: {name}: {shares}; AUC "
                f"{figures['auc']:.2f} [{figures['auc_low']:.2f}, {figures['auc_high']:.2f}]: "
                "a model can answer by it and know nothing.",
                {"feature": name, "class": classes[label], "inside": a, "outside": b, **figures},
                excerpts([entries[i] for i in order]),
            )
        )
    return findings


def _judged(
    values: np.ndarray, labels: np.ndarray, groups: np.ndarray
) -> tuple[Level, int, dict[str, float]] | None:
    """Level, class and AUC of a feature that goes with a class; None where it does not."""
    best = against_rest(values, labels, groups)
    if best is None:
        return None
    label, found = best
    if found.strength >= WARNING:
        return ("error" if found.strength >= ERROR else "warning"), label, found.numbers
    for one in np.unique(labels):
        inside = labels == one
        has, has_not = values[inside] > 0, values[~inside] > 0
        nearly = has.mean() >= PRESENT and has_not.mean() <= ELSEWHERE * has.mean()
        if nearly and has.sum() >= SEEN:
            return ("error" if has.mean() >= LARGE else "warning"), int(one), found.numbers
    return None
