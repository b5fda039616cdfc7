"""Conversations, and long beginnings, in two splits: what was taught tells of what is tested.

Two comparisons of one conversation, at its first and at its second turn, share its opening; so do
two questions on one passage. Groups that keep them together are the user's to name, and this check
asks whether that was done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from weak2strong.analysis.audit.crossing import crossing, crossing_keys
from weak2strong.analysis.audit.finding import Finding
from weak2strong.analysis.audit.subject import Entry, Subject
from weak2strong.tasks.beginnings import LONG, TEMPLATE_LEAST, TEMPLATE_SHARE, sharing
from weak2strong.tasks.splits import normalised

CHECK = "beginnings"


def beginnings(subject: Subject) -> list[Finding]:
    """Findings on openings of conversations, and on other long beginnings, in several splits."""
    templates = _templates(subject.used)
    so = (
        "the test asks about conversations that were taught; leave --group-column out, or name a "
        "column that tells which rows are of one."
    )

    def key(entry: Entry) -> str | None:
        found = normalised(entry.opening)
        return found if found and found not in templates else None

    findings = crossing_keys(subject, CHECK, "openings of conversations", key, so, "each")
    family = {normalised(e.text): i for i, f in enumerate(subject.families) for e in f}
    for entries, where in ((subject.used, "of a run"), (subject.given, "as given")):
        findings += _long([e for e in entries if key(e) is None and e.split], where, family)
    return findings


def _long(entries: Sequence[Entry], where: str, family: Mapping[str, int]) -> list[Finding]:
    """A finding on long beginnings in several splits.

    Texts that are the same, or nearly, are left to the checks of these.

    Args:
        entries: that have a split.
        where: the words that tell which splits these are.
        family: the number of the near-duplicates that a text is one of, if it is.
    """
    sets = [[entries[i] for i in same] for same in sharing([e.text for e in entries])]
    texts_of = ([normalised(e.text) for e in same] for same in sets)
    several = [len({family.get(text, text) for text in texts}) > 1 for texts in texts_of]
    across = crossing(entries, [same for same, more in zip(sets, several, strict=True) if more])
    if not across.sets:
        return []
    count, texts = len(across.sets), sum(map(len, across.sets))
    what = f"{count:,} beginnings of {LONG} characters or more, in {texts:,} texts,"
    so = (
        "if texts belong together that begin alike, as questions on one passage do, what was "
        "taught tells of the test: --group-beginnings, or --group-column."
    )
    counts = {"beginnings": count, "texts": texts}
    return [across.finding(CHECK, what, counts, where, so, level="warning")]


def _templates(entries: Sequence[Entry]) -> set[str]:
    """Openings that so many examples have that they are no conversations."""
    counts: dict[str, int] = {}
    for entry in entries:
        found = normalised(entry.opening)
        counts[found] = counts.get(found, 0) + 1
    most = max(TEMPLATE_LEAST, TEMPLATE_SHARE * len(entries))
    return {text for text, n in counts.items() if n > most}
