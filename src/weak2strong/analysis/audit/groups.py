"""Groups in two splits: other questions about the same thing, taught and tested."""

from __future__ import annotations

from weak2strong.analysis.audit.crossing import crossing_keys
from weak2strong.analysis.audit.finding import Finding
from weak2strong.analysis.audit.subject import Subject


def groups(subject: Subject) -> list[Finding]:
    """Findings on groups that splits do not keep together, those of a run and those as given."""
    so = "the test asks about what was taught."
    return crossing_keys(subject, "groups", "groups", lambda entry: entry.group, so, "each")
