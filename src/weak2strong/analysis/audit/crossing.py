"""What stands in more than one split, counted for every pair of splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from weak2strong.analysis.audit.finding import Finding, Level, excerpts
from weak2strong.analysis.audit.subject import Entry, Subject


@dataclass(frozen=True)
class Crossing:
    """Sets of entries that belong together and stand in two splits or more.

    Attributes:
        sets: of such entries, in the order in which they were found.
        share: the largest share of any split's entries that are in such a set.
    """

    sets: tuple[tuple[Entry, ...], ...]
    share: float

    @property
    def pairs(self) -> dict[str, int]:
        """How many sets each pair of splits shares, the most first."""
        counts: Counter[str] = Counter()
        for same in self.sets:
            splits = list(dict.fromkeys(e.split for e in same))
            counts.update(f"{a} and {b}" for a, b in combinations(splits, 2))
        return dict(counts.most_common())

    def finding(
        self,
        check: str,
        what: str,
        counts: Mapping[str, int],
        where: str,
        so: str,
        level: Level = "error",
    ) -> Finding:
        """The finding that these sets cross splits.

        Args:
            check: the name of the check.
            what: the sets and their number, in words.
            counts: the same numbers, by name.
            where: the words that tell which splits these are.
            so: the rest of the sentence: what follows from it.
            level: of the finding.
        """
        pairs = ", ".join(f"{pair}: {n:,}" for pair, n in self.pairs.items())
        return Finding(
            check,
            level,
            f"{what} stand in more than one split {where} ({pairs}): {so}",
            {**counts, "share_of_a_split": self.share, **self.pairs},
            excerpts(self._examples()),
        )

    def _examples(self) -> list[Entry]:
        """One entry of each of two splits, of the first set and of the second."""
        examples = []
        for same in self.sets[:2]:
            examples += list({e.split: e for e in reversed(same)}.values())[::-1][:2]
        return examples


def crossing_keys(
    subject: Subject,
    check: str,
    what: str,
    key: Callable[[Entry], Hashable | None],
    so_in_run: str,
    each: str,
) -> list[Finding]:
    """Findings on entries of one key in several splits: of a run, and of the data as given.

    Args:
        subject: the task.
        check: the name of the check.
        what: the noun for a set of entries with one key, in the plural.
        key: of an entry.
        so_in_run: the consequence for a run.
        each: the pronoun for what a run keeps in one file.
    """
    so_as_given = (
        f"a run keeps {each} in one split only, in test before all, but whoever uses the data as "
        "they are tests on what was taught."
    )
    findings = []
    for entries, where, so in (
        (subject.used, "of a run", so_in_run),
        (subject.given, "as given", so_as_given),
    ):
        across = by_key(entries, map(key, entries))
        if count := len(across.sets):
            sets = f"{count:,} {what}"
            findings.append(across.finding(check, sets, {what: count}, where, so))
    return findings


def by_key(entries: Sequence[Entry], keys: Iterable[Hashable | None]) -> Crossing:
    """Entries of one key; those without one, or without a split, belong to nothing."""
    sets: dict[Hashable, list[Entry]] = defaultdict(list)
    for entry, key in zip(entries, keys, strict=True):
        if key is not None and entry.split is not None:
            sets[key].append(entry)
    return crossing(entries, sets.values())


def crossing(entries: Sequence[Entry], sets: Iterable[Sequence[Entry]]) -> Crossing:
    """Those of the sets that cross splits."""
    across = tuple(tuple(same) for same in sets if len({e.split for e in same}) > 1)
    sizes = Counter(e.split for e in entries)
    inside = Counter(e.split for same in across for e in same)
    return Crossing(across, max((n / sizes[split] for split, n in inside.items()), default=0.0))
