"""Texts in two splits that say nearly the same, or differ in their numbers only."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from weak2strong.analysis.audit.crossing import Crossing, by_key, crossing
from weak2strong.analysis.audit.finding import Finding, Level, excerpts
from weak2strong.analysis.audit.subject import Entry, Subject
from weak2strong.tasks.splits import normalised

FEW = 0.01
"""Share of a split from which on texts that are nearly in another one are an error."""

SURE = 3
"""Standard errors above chance at which a twin's label is said to give the answer away."""

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_SIGNS = re.compile(r"[^\w\s]|_")


def near_duplicates(subject: Subject) -> list[Finding]:
    """Findings on texts that are alike (see `weak2strong.tasks.duplicates`) across splits.

    The search is exact, and sees the same texts as cleaning does; texts that are the
    same are left to the check of duplicates.
    """
    families = [f for f in subject.families if len({normalised(e.text) for e in f}) > 1]
    split_of = {normalised(e.text): e for e in subject.used}
    of_run = ([split_of.get(normalised(e.text)) for e in family] for family in families)
    used = crossing(subject.used, [[e for e in family if e] for family in of_run])
    findings = []
    if used.sets:
        so = "the test asks what was nearly taught; leave --no-near-duplicates out."
        findings.append(_across(used, "of a run", so))
    if subject.parted and (given := crossing(subject.once, families)).sets:
        so = (
            "a run keeps each family in one split only, unless --no-near-duplicates is given, but "
            "whoever uses the data as they are tests on what was nearly taught."
        )
        findings.append(_across(given, "as given", so))
    elif families and not subject.parted and not used.sets:
        count = sum(map(len, families))
        findings.append(
            Finding(
                "near-duplicates",
                "note",
                f"{count:,} texts in {len(families):,} families say nearly the same; a run keeps "
                "each family in one split.",
                {"texts": count, "families": len(families)},
                excerpts(families[0]),
            )
        )
    # The label of a pair is a side, which says nothing, and that of a generation is a text.
    told = subject.task.kind == "classification"
    return findings + (_but_for_numbers(subject, used) if told else [])


def _across(found: Crossing, where: str, so: str) -> Finding:
    texts, families = sum(map(len, found.sets)), len(found.sets)
    what = f"{texts:,} texts in {families:,} families that say nearly the same"
    level: Level = "error" if found.share >= FEW else "warning"
    counts = {"texts": texts, "families": families}
    return found.finding("near-duplicates", what, counts, where, so, level)


def _but_for_numbers(subject: Subject, known: Crossing) -> list[Finding]:
    """Texts of the test split that have a twin with other numbers where something is learnt.

    That may be as it should (12 + 13 and 14 + 15 are two questions). It is a leak where the
    twin's label tells the text's.
    """
    seen = {e.id for same in known.sets for e in same}
    keys = [_without_numbers(e.text) if e.id not in seen else None for e in subject.used]
    # Texts of the test, and of the other splits, that are the same but for their numbers.
    forms = [
        (tested, twins)
        for same in by_key(subject.used, keys).sets
        if (tested := [e for e in same if e.split == "test"])
        and (twins := [e for e in same if e.split != "test"])
    ]
    if not forms:
        return []
    labels = np.array([e.label for tested, _ in forms for e in tested])
    usual = np.array([_usual_label(twins) for tested, twins in forms for _ in tested])
    agree, chance = float((usual == labels).mean()), float(np.bincount(labels).max() / len(labels))
    share = len(labels) / len(subject.splits.test)
    # Several questions of one form hang together, so their forms are counted, not the questions.
    error = np.sqrt(chance * (1 - chance) / len(forms))
    gives_away = share >= FEW and agree - chance > max(SURE * error, 0.1)
    so = (
        "so what was taught gives them away: give such rows one group (--group-column)."
        if gives_away
        else "which is no clear sign that what was taught gives them away."
    )
    return [
        Finding(
            "near-duplicates",
            "warning" if gives_away else "note",
            f"{len(labels):,} test texts ({share:.1%}) differ only in their numbers from texts of "
            f"other splits; the usual label of these is right for {agree:.1%} of "
            f"them, and one label for all of them for {chance:.1%}, {so}",
            {"texts": len(labels), "share": share, "agreement": agree, "chance": chance},
            excerpts([part[0] for part in forms[0]]),
        )
    ]


def _usual_label(entries: Sequence[Entry]) -> int:
    """The label that most of the entries have; of equals the lowest."""
    return int(np.bincount([int(e.label) for e in entries]).argmax())


def _without_numbers(text: str) -> str | None:
    """A text with every number the same, and no punctuation; None where it has no number."""
    less, count = _DIGITS.subn("0", text)
    return normalised(_SIGNS.sub(" ", less)) if count else None
