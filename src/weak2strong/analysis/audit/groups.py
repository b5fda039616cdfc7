"""Groups in two splits: other questions about the same thing, taught and tested."""

from __future__ import annotations

from weak2strong.analysis.audit.crossing import by_key
from weak2strong.analysis.audit.finding import Finding, shown
from weak2strong.analysis.audit.subject import Subject


def groups(subject: Subject) -> list[Finding]:
    """Findings on groups that splits do not keep together, those of a run and those as given."""
    findings = []
    for entries, where, so in (
        (subject.used, "of a run", "the test asks about what was taught."),
        (
            subject.given,
            "as given",
            "a run keeps each in one file only, in that for test before all, but whoever uses the "
            "files as they are tests on what was taught.",
        ),
    ):
        found = by_key(entries, [e.group for e in entries])
        if found.sets:
            count = len(found.sets)
            findings.append(
                Finding(
                    "groups",
                    "error",
                    f"{count:,} groups stand in more than one split {where} ({found.said()}): {so}",
                    {"groups": count, "share_of_a_split": found.share, **found.pairs},
                    shown(found.first()),
                )
            )
    return findings
