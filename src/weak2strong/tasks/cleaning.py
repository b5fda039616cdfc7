"""From the rows of a user's file to the examples of a task, and what was left out on the way.

What a task holds depends on the rows, not on their order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from weak2strong.ground.errors import UserError
from weak2strong.tasks.duplicates import near_duplicates
from weak2strong.tasks.kinds import stratum
from weak2strong.tasks.rows import Row
from weak2strong.tasks.sizes import cut, least, shrunk
from weak2strong.tasks.splits import SPLITS, balanced, union
from weak2strong.tasks.task import Example, Item, Shares, stable_id

GIANT = 0.05
"""A family of near-duplicates that is a larger share of the examples gets a sentence of its own."""


@dataclass(frozen=True)
class Cleaning:
    """What became of the rows of a file, in numbers of rows.

    Attributes:
        read: rows in the file.
        exact: left out since another row has the same text and the same label.
        contradictory: left out since another row has the same text and another label.
        near: kept, in one group with others whose texts are nearly the same.
        largest: kept, the largest family of such texts.
        uneven: left out since their class had more examples than the rarest one.
        spare: left out since the sizes asked for have no room for them.
        kept: examples of the task.
        alike: left out since both completions of a preference are the same.
        across: left out of one file of several since a later one has them, or what is
            too like them (see `weak2strong.tasks.parts`).
        malformed: left out since something is wrong with them, where the odd one may be so.
        named: the first of these, each as its line and what is wrong.
        by_source: left out before by the source of the data, by its reasons ("since ...").
    """

    read: int
    exact: int
    contradictory: int
    near: int
    largest: int
    uneven: int
    spare: int
    kept: int
    across: int = 0
    alike: int = 0
    malformed: int = 0
    named: tuple[str, ...] = ()
    by_source: Mapping[str, int] = field(default_factory=dict)

    def sentences(self) -> tuple[str, ...]:
        """What the user should know, most of it about rows that are not used."""
        more = "; ..." if self.malformed > len(self.named) else ""
        left_out = {
            f"as malformed ({'; '.join(self.named)}{more})": self.malformed,
            **self.by_source,
            "as repeats of another row": self.exact,
            "since other rows label the same text differently": self.contradictory,
            "since both completions are the same": self.alike,
            "since another split has them, or what belongs to them": self.across,
            "to make the classes even": self.uneven,
            "for the sizes asked for": self.spare,
        }
        said = [f"{self.kept:,} of {self.read:,} rows are used."]
        said += [f"Left out {why}: {n:,}." for why, n in left_out.items() if n]
        if self.near:
            said.append(f"Kept in one split with their near-duplicates: {self.near:,}.")
        if self.largest > GIANT * (self.kept + self.uneven + self.spare):
            said.append(
                f"{self.largest:,} rows are one family of near-duplicates: if they only share a "
                "template, take it out of the texts or use --no-near-duplicates."
            )
        return tuple(said)


def clean(
    rows: Sequence[Row],
    classes: Sequence[str],
    about: str,
    sizes: Mapping[str, int],
    balance: bool,
    join: bool,
    shrink: bool = False,
) -> tuple[tuple[Example, ...], Shares, Cleaning]:
    """The examples of a task, sorted by id, how they part, and what became of the rows.

    Args:
        rows: in any order, which plays no part.
        classes: names of their classes, if they have any.
        about: what errors call the data.
        sizes: of the splits, by name, as far as they are asked for.
        balance: whether to undersample to even classes.
        join: whether to put near-duplicates into one group.
        shrink: whether sizes that there are too few examples for become smaller.

    Raises:
        UserError: where too few examples remain, or too many belong together.
    """
    differing = [row for row in rows if not has_equal_completions(row)]
    once, exact, contradictory = distinct(differing)
    examples = [example_of(row) for row in once]
    _check_classes(examples, classes, about)
    families: list[list[int]] = []
    if join:
        families = near_duplicates([e.item.content for e in examples])
        _check_families(families, len(examples), about)
        examples = _joined(examples, families)
    balance, several = balance and bool(classes), max(len(classes), 1)
    even = balanced(examples) if balance else examples
    if shrink:
        sizes = shrunk(sizes, len(even), several)
    _check_sizes(len(even), sizes, several, about, balance)
    kept, shares = cut(even, sizes, stratum(rows[0].kind))
    cleaning = Cleaning(
        read=len(rows),
        exact=exact,
        contradictory=contradictory,
        near=sum(map(len, families)),
        largest=max(map(len, families), default=0),
        uneven=len(examples) - len(even),
        spare=len(even) - len(kept),
        kept=len(kept),
        alike=len(rows) - len(differing),
    )
    return tuple(sorted(kept, key=lambda e: e.item.id)), shares, cleaning


def has_equal_completions(row: Row) -> bool:
    """Whether a row has two completions that are the same, so that none can be preferred."""
    return bool(row.completions) and len({*row.compared[1:]}) == 1


def distinct(rows: Sequence[Row]) -> tuple[list[Row], int, int]:
    """One row of each text or pair, how many repeat one, and how many contradict one another."""
    by_text: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        by_text[row.compared].append(row)
    once, exact, contradictory = [], 0, 0
    for same in by_text.values():
        if len({row.label for row in same}) > 1:
            contradictory += len(same)
            continue
        # The first by content, so that the order of the rows plays no part.
        once.append(min(same, key=lambda r: (r.text, r.completions, r.group or "", r.id or "")))
        exact += len(same) - 1
    return once, exact, contradictory


def example_of(row: Row) -> Example:
    """A row as an example, with an id and a group where it has none of its own.

    Preferences with the same prompt are then of one group.
    """
    # No text is left twice, so that text and group make an id.
    id = stable_id(row.text, *row.completions, row.group or "") if row.id is None else row.id
    group = row.group
    if group is None:
        group = stable_id("text", *(row.compared[:1] if row.text.strip() else row.compared))
    item = Item(id, group, row.text, row.completions, row.dialogues)
    return Example(item, row.label, row.difficulty, row.accepted)


def _joined(examples: Sequence[Example], families: Sequence[Sequence[int]]) -> list[Example]:
    """The examples, with the groups that a family of near-duplicates links made one."""
    root = union(
        (examples[family[0]].item.group, examples[position].item.group)
        for family in families
        for position in family[1:]
    )
    return [replace(e, item=replace(e.item, group=root(e.item.group))) for e in examples]


def _check_classes(examples: Sequence[Example], classes: Sequence[str], about: str) -> None:
    have = Counter(e.label for e in examples)
    for label, title in enumerate(classes):
        if have[label] < len(SPLITS):
            raise UserError(
                f"Class {title!r} of {about}, one of {len(classes)}, has too few different texts "
                f"({have[label]}) for the {len(SPLITS)} splits: add examples, "
                "or name another column with --label-column."
            )
    if len(examples) < len(SPLITS):
        raise UserError(
            f"{about} has too few different texts ({len(examples)}) for the {len(SPLITS)} splits: "
            "add examples."
        )


def _check_families(families: Sequence[Sequence[int]], count: int, about: str) -> None:
    largest = max(map(len, families), default=0)
    if largest > Shares().weak_train * count:
        raise UserError(
            f"{about} has {largest:,} of {count:,} texts in one family of near-duplicates, which "
            "no split can hold: take what they share out of the texts, "
            "or use --no-near-duplicates."
        )


def _check_sizes(
    count: int, asked: Mapping[str, int], classes: int, about: str, balance: bool
) -> None:
    for split, n in asked.items():
        if n < classes:
            raise UserError(
                f"A {split} of {n} is too small for the {classes} classes of {about}: "
                f"ask for {classes} or more."
            )
    if asked and count < (need := least(asked, classes)):
        even = " of even classes" if balance else ""
        raise UserError(
            f"{about} has {count:,} examples{even}, and the splits asked for need {need:,}: "
            "lower --n-train, --n-validation or --n-test, or add examples."
        )
