"""Texts that are the same in two splits: a test on what was taught.

The same is what differs in case and spacing only, as everywhere in this package.
"""

from __future__ import annotations

from collections import defaultdict

from weak2strong.analysis.audit.crossing import crossing_keys
from weak2strong.analysis.audit.finding import Finding, Level, excerpts
from weak2strong.analysis.audit.subject import Entry, Subject
from weak2strong.tasks.splits import normalised

MANY = 0.01
"""Share of the rows from which on repeats are a warning."""


def duplicates(subject: Subject) -> list[Finding]:
    """Findings on equal texts, across splits and, in data as given, within them."""
    so = "what is tested there was taught."
    return [
        *crossing_keys(subject, "duplicates", "texts", _key, so, "them"),
        *_repeats(subject),
    ]


def _key(entry: Entry) -> str:
    return normalised(entry.text)


def _repeats(subject: Subject) -> list[Finding]:
    """Rows of one file with the same text, those with one label and those with several."""
    same: dict[tuple[str | None, str], list[Entry]] = defaultdict(list)
    for entry in subject.given:
        same[entry.split, _key(entry)].append(entry)
    groups = [rows for rows in same.values() if len(rows) > 1]
    contrary = [rows for rows in groups if len({e.label for e in rows}) > 1]
    repeated = [rows for rows in groups if len({e.label for e in rows}) == 1]
    findings = []
    for rows, count, what in (
        (
            repeated,
            sum(len(r) - 1 for r in repeated),
            "repeat another row's text and label: a run keeps one row of each, but a split drawn "
            "of the rows as they are would put some on both sides",
        ),
        (
            contrary,
            sum(map(len, contrary)),
            "have a text that other rows label differently: nobody can be right on all of them, "
            "and a run leaves them out",
        ),
    ):
        if rows:
            share = count / len(subject.given)
            level: Level = "warning" if share >= MANY else "note"
            sentence = f"{count:,} of {len(subject.given):,} rows {what}."
            numbers = {"rows": count, "share": share}
            findings.append(Finding("duplicates", level, sentence, numbers, excerpts(rows[0])))
    return findings
