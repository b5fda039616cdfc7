"""From the rows of a user's data to the examples of a task, and which rows are left out.

The examples depend on the rows, not on their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from weak2strong.ground.errors import UserError
from weak2strong.ground.table import counted
from weak2strong.ground.watched import watched
from weak2strong.tasks.account import malformed_reason
from weak2strong.tasks.beginnings import sharing
from weak2strong.tasks.duplicates import near_duplicates
from weak2strong.tasks.kinds import stratum, undersampled
from weak2strong.tasks.rows import Row
from weak2strong.tasks.same import firsts, sets_of
from weak2strong.tasks.sizes import cut, least, shrunk
from weak2strong.tasks.splits import SPLITS, balanced, union
from weak2strong.tasks.task import Example, Item, Shares, stable_id

GIANT = 0.05
"""Share of the examples above which a family of near-duplicates gets a sentence of its own."""


@dataclass(frozen=True)
class Cleaning:
    """How many rows of the data were kept, and how many were left out for which reason.

    Attributes:
        read: rows in the file.
        exact: rows left out since another row has the same text and the same label.
        contradictory: rows left out since another row has the same text and another label.
        near: rows kept in one group with other rows whose texts are nearly the same.
        largest: rows of the largest family of such texts.
        uneven: rows left out since their class had more examples than the rarest class.
        spare: rows left out since the splits of the wanted sizes have no room for them.
        kept: examples of the task.
        alike: rows left out since both completions of a preference are the same.
        across: rows left out of one part of the data since a later part has them, or has
            something too similar (see `weak2strong.tasks.parts`).
        malformed: rows left out since something is wrong with them, where a few such rows are
            allowed.
        named: the first malformed rows, each as its line and what is wrong.
        by_source: rows that the source of the data left out before, by its reasons ("since ...").
        opened: rows kept in one group with other rows by the opening of their conversation.
        conversations: how many such openings there are.
        begun: rows kept in one group with other rows since all of them have a long beginning in
            common.
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
    opened: int = 0
    conversations: int = 0
    begun: int = 0

    def sentences(self) -> tuple[str, ...]:
        """What a user should know about the rows, above all about those that are not used."""
        left_out = {
            malformed_reason(self.named, self.malformed): self.malformed,
            **self.by_source,
            "as repeats of another row": self.exact,
            "since other rows have the same content and another label": self.contradictory,
            "since both completions are the same": self.alike,
            "since another split has them, or what belongs to them": self.across,
            "to make the classes even": self.uneven,
            "for the sizes asked for": self.spare,
        }
        sentences = [f"{self.kept:,} of {self.read:,} rows are used."]
        sentences += [f"Left out {why}: {n:,}." for why, n in left_out.items() if n]
        if self.opened:
            sentences.append(
                "Kept in one split by the opening of their conversation, since no group is given: "
                f"{self.opened:,}, of {counted(self.conversations, 'conversation')}."
            )
        if self.begun:
            sentences.append(f"Kept in one split by their long beginnings: {self.begun:,}.")
        if self.near:
            sentences.append(f"Kept in one split with their near-duplicates: {self.near:,}.")
        if self.largest > GIANT * (self.kept + self.uneven + self.spare):
            sentences.append(
                f"{self.largest:,} rows are one family of near-duplicates: if they only share a "
                "template, take it out of the texts or use --no-near-duplicates."
            )
        return tuple(sentences)


def clean(
    rows: Sequence[Row],
    classes: Sequence[str],
    about: str,
    sizes: Mapping[str, int],
    balance: bool,
    join: bool,
    shrink: bool = False,
    begin: bool = False,
) -> tuple[tuple[Example, ...], Shares, Cleaning]:
    """The examples of a task, sorted by id, the shares of its splits, and what was left out.

    Args:
        rows: in any order.
        classes: names of the classes, if there are any.
        about: what errors call the data.
        sizes: of the splits, by name, where a user wants certain sizes.
        balance: whether to undersample to even classes.
        join: whether to put near-duplicates into one group.
        shrink: whether sizes become smaller where there are too few examples.
        begin: whether to put texts with a long beginning in common into one group.

    Raises:
        UserError: where too few examples remain, or too many belong together.
    """
    differing = [row for row in rows if not has_equal_completions(row)]
    once, exact, contradictory = distinct(differing)
    examples = [example_of(row) for row in watched(once, "cleaning", len(once))]
    _check_classes(examples, classes, about, lambda: contradicted(differing, once))
    families: list[list[int]] = []
    if join:
        families = near_duplicates([e.item.content for e in examples])
        _check_families(families, len(examples), about)
        examples = _joined(examples, families)
    begun = sharing([e.item.content for e in examples]) if begin else []
    if begun:
        examples = _joined(examples, begun)
    balance, several = balance and undersampled(rows[0].kind), max(len(classes), 1)
    even = balanced(examples) if balance else examples
    if shrink:
        asked, sizes = sizes, shrunk(sizes, len(even), several)
        _check_shrunk(len(even), sizes, asked, several, about)
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
        begun=sum(map(len, begun)),
        opened=sum(of := opened(once)),
        conversations=len(of),
    )
    return tuple(sorted(kept, key=lambda e: e.item.id)), shares, cleaning


def has_equal_completions(row: Row) -> bool:
    """Whether both completions of a row are the same, so that neither can be preferred."""
    return bool(row.completions) and len({*row.compared[1:]}) == 1


def opened(rows: Sequence[Row]) -> list[int]:
    """Of each opening of a conversation that several rows share, how many do."""
    counts = Counter(row.opening for row in rows if row.opening is not None)
    return [n for n in counts.values() if n > 1]


def distinct(rows: Sequence[Row]) -> tuple[list[Row], int, int]:
    """Rows without repeats and contradictions.

    Returns:
        One row of each text or pair; how many rows repeat another one; and how many rows
        contradict one another.
    """
    first = firsts(rows, lambda row: row.compared)
    keeps: list[Row | None] = [
        row if i == of else None
        for i, (row, of) in enumerate(zip(rows, first.tolist(), strict=True))
    ]
    exact = contradictory = 0
    for same in sets_of(first):
        rows_alike = [rows[i] for i in same]
        if len({row.label for row in rows_alike}) > 1:
            contradictory += len(rows_alike)
            keeps[same[0]] = None
            continue
        # The first by content, so that the order of the rows plays no part.
        keeps[same[0]] = min(
            rows_alike, key=lambda r: (r.text, r.completions, r.group or "", r.id or "")
        )
        exact += len(rows_alike) - 1
    return [row for row in keeps if row is not None], exact, contradictory


def contradicted(rows: Sequence[Row], once: Sequence[Row]) -> dict[int | str, tuple[int, int]]:
    """Of each label, how many rows and texts were left out since other rows contradict them.

    Args:
        rows: all.
        once: those that `distinct` keeps of them.
    """
    kept = {row.compared for row in once}
    out = [(row.label, row.compared) for row in rows if row.compared not in kept]
    texts = Counter(label for label, _ in {*out})
    return {label: (n, texts[label]) for label, n in Counter(label for label, _ in out).items()}


def example_of(row: Row) -> Example:
    """A row as an example, with an id and a group made from its texts where it has none.

    Preferences with the same prompt, or with the same opening of a conversation, then have one
    group.
    """
    # Every text is there once, so that text and group make an id.
    id = stable_id(row.text, *row.completions, row.group or "") if row.id is None else row.id
    group = row.group or row.opening
    if group is None:
        compared = row.compared
        alone = (row.question,) if row.question else compared
        group = stable_id("text", *(compared[:1] if row.text.strip() else alone))
    item = Item(id, group, row.text, row.completions, row.dialogues, pair=row.pair)
    return Example(item, row.label, row.difficulty, row.accepted, row.subset, row.question)


def _joined(examples: Sequence[Example], families: Sequence[Sequence[int]]) -> list[Example]:
    """The examples, in which groups that a family of near-duplicates links have one name."""
    root = union(
        (examples[family[0]].item.group, examples[position].item.group)
        for family in families
        for position in family[1:]
    )
    return [
        e
        if (name := root(e.item.group)) == e.item.group
        else replace(e, item=replace(e.item, group=name))
        for e in examples
    ]


def _check_classes(
    examples: Sequence[Example],
    classes: Sequence[str],
    about: str,
    left_out: Callable[[], Mapping[int | str, tuple[int, int]]],
) -> None:
    """Refuse a class with too few examples; ``left_out`` tells of contradictions, by label."""
    counts = Counter(e.label for e in examples)
    for label, title in enumerate(classes):
        if counts[label] < len(SPLITS):
            rows, texts = left_out().get(label, (0, 0))
            if counts[label] + texts >= len(SPLITS):
                raise UserError(
                    f"Of class {title!r} of {about}, {rows:,} rows were left out since other rows "
                    f"have the same content and another label, and {counts[label]} are left, too "
                    f"few for the {len(SPLITS)} splits: give all that is the same one label, or "
                    "name another column with --label-column."
                )
            raise UserError(
                f"Class {title!r} of {about}, one of {len(classes)}, has too few different "
                f"examples ({counts[label]}) for the {len(SPLITS)} splits: add examples, "
                "or name another column with --label-column."
            )
    if len(examples) < len(SPLITS):
        raise UserError(
            f"{about} has too few different examples ({len(examples)}) for the {len(SPLITS)} "
            "splits: add some."
        )


def _check_families(families: Sequence[Sequence[int]], count: int, about: str) -> None:
    largest = max(map(len, families), default=0)
    if largest > Shares().weak_train * count:
        raise UserError(
            f"{about} has {largest:,} of {count:,} texts in one family of near-duplicates, which "
            "no split can hold: take what they share out of the texts, "
            "or use --no-near-duplicates."
        )


def _check_shrunk(
    count: int, sizes: Mapping[str, int], asked: Mapping[str, int], classes: int, about: str
) -> None:
    """Refuse a split that was large enough as it was asked for, and is not once all are smaller."""
    for split, n in sizes.items():
        if n < classes <= asked[split]:
            raise UserError(
                f"{about} has {count:,} examples to use, too few for the sizes asked for, and with "
                f"all of them smaller alike (--shrink) a {split} of {asked[split]:,} would have "
                f"{n:,}: add examples, or ask for less of the others."
            )


def _check_sizes(
    count: int, sizes: Mapping[str, int], classes: int, about: str, balance: bool
) -> None:
    for split, n in sizes.items():
        if n < classes:
            raise UserError(
                f"A {split} of {n} is too small for the {classes} classes of {about}: "
                f"ask for {classes} or more."
            )
    if sizes and count < (need := least(sizes, classes)):
        even = " of even classes" if balance else ""
        raise UserError(
            f"{about} has {count:,} examples{even}, and the splits asked for need {need:,}: "
            "lower --n-train, --n-validation or --n-test, or add examples."
        )
