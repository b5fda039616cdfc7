"""Do outward signs of a text, such as a full stop at its end, tell its class?"""

from __future__ import annotations

from weak2strong.analysis.audit.features import WHOLE, outward
from weak2strong.analysis.audit.finding import Finding
from weak2strong.analysis.audit.subject import Subject


def form(subject: Subject) -> list[Finding]:
    """A finding for every sign of whole texts, or of completions, that goes with the label."""
    return outward(
        "form",
        "completions" if subject.pairs else "texts",
        WHOLE,
        subject.judged,
        [e.text for e in subject.judged],
        subject.judged_labels,
        subject.judged_groups,
        subject.judged_classes,
    )
