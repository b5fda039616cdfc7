"""Does the length of a text tell its class?"""

from __future__ import annotations

import numpy as np

from weak2strong.analysis.audit.auc import against_rest
from weak2strong.analysis.audit.features import ERROR, WARNING
from weak2strong.analysis.audit.finding import Finding, excerpts
from weak2strong.analysis.audit.subject import Subject


def length(subject: Subject) -> list[Finding]:
    """A finding where length in characters, or in words, goes with the label."""
    lengths = {
        "characters": np.array([len(e.text) for e in subject.judged]),
        "words": np.array([len(e.text.split()) for e in subject.judged]),
    }
    judged = {
        unit: best
        for unit, values in lengths.items()
        if (best := against_rest(values, subject.judged_labels, subject.judged_groups))
    }
    if not judged:
        return []
    unit = max(judged, key=lambda unit: judged[unit][1].strength)
    label, found = judged[unit]
    if found.strength < WARNING:
        return []
    values, inside = lengths[unit], subject.judged_labels == label
    a, b = (float(np.median(values[part])) for part in (inside, ~inside))
    name = subject.judged_classes[label]
    what = "completions" if subject.pairs else "texts"
    order = np.argsort(values, kind="stable")
    return [
        Finding(
            "length",
            "error" if found.strength >= ERROR else "warning",
            f"Length tells the class: {what} of class {name!r} have {a:,.0f} {unit} (median), the "
            f"rest {b:,.0f}; AUC {found} of length alone.",
            {"unit": unit, "class": name, "inside": a, "outside": b, **found.numbers},
            excerpts([subject.judged[order[-1]], subject.judged[order[0]]]),
        )
    ]
