"""Do outward signs of a text, such as a full stop at its end, tell its class?"""

from __future__ import annotations

from weak2strong.analysis.audit.features import WHOLE, outward
from weak2strong.analysis.audit.finding import Finding
from weak2strong.analysis.audit.subject import Subject


def form(subject: Subject) -> list[Finding]:
    """A finding for every sign of whole texts that goes with the label."""
    texts = [e.text for e in subject.used]
    classes = subject.task.classes
    return outward(
        "form", "texts", WHOLE, subject.used, texts, subject.labels, subject.groups, classes
    )
