"""Texts that are the same in two splits: a test on what was taught.

The same is what differs in case and spacing only, as everywhere in this package.
"""

from __future__ import annotations

from collections import defaultdict

from weak2strong.analysis.audit.crossing import Crossing, by_key
from weak2strong.analysis.audit.finding import Finding, Level, shown
from weak2strong.analysis.audit.subject import Entry, Subject
from weak2strong.tasks.splits import normalised

MANY = 0.01
"""Share of the rows from which on repeats are a warning."""


def duplicates(subject: Subject) -> list[Finding]:
    """Findings on equal texts, across splits and, in data as given, within them."""
    findings = []
    used = by_key(subject.used, [normalised(e.text) for e in subject.used])
    if used.sets:
        findings.append(_across(used, "of a run", "what is tested there was taught."))
    keys = [normalised(e.text) for e in subject.given]
    given = by_key(subject.given, keys)
    if given.sets:
        findings.append(
            _across(
                given,
                "as given",
                "a run keeps them in one file only, in that for test before all, but whoever uses "
                "the files as they are tests on what was taught.",
            )
        )
    findings += _repeats(subject, keys)
    return findings


def _across(found: Crossing, where: str, so: str) -> Finding:
    count = len(found.sets)
    return Finding(
        "duplicates",
        "error",
        f"{count:,} texts stand in more than one split {where} ({found.said()}): {so}",
        {"texts": count, "share_of_a_split": found.share, **found.pairs},
        shown(found.first()),
    )


def _repeats(subject: Subject, keys: list[str]) -> list[Finding]:
    """Rows of one file with the same text, those with one label and those with several."""
    same: dict[tuple[str | None, str], list[Entry]] = defaultdict(list)
    for entry, key in zip(subject.given, keys, strict=True):
        same[entry.split, key].append(entry)
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
            findings.append(Finding("duplicates", level, sentence, numbers, shown(rows[0])))
    return findings
