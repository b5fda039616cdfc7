"""Parts of data that have nothing in common: what two of them share is kept in the later one.

Two rows count as the same if they have a group or a text in common, or nearly a text, directly or
through other rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.beginnings import sharing
from weak2strong.tasks.cleaning import (
    Cleaning,
    distinct,
    example_of,
    has_equal_completions,
    opened,
)
from weak2strong.tasks.duplicates import near_duplicates
from weak2strong.tasks.kinds import undersampled
from weak2strong.tasks.rows import Row
from weak2strong.tasks.splits import balanced, normalised, union
from weak2strong.tasks.task import Example


def clean_parts(
    rows_of_parts: Sequence[Sequence[Row]],
    names: Sequence[str],
    classes: Sequence[str],
    options: DataOptions,
) -> tuple[list[list[Example]], Cleaning]:
    """The examples of several parts that have nothing in common, and what became of their rows.

    Args:
        rows_of_parts: rows of each part; what two parts have in common stays in the later one.
        names: of the parts, for errors.
        classes: names of the classes, if there are any.
        options: whether classes are made even, and near-duplicates looked for.

    Raises:
        UserError: where nothing of a part is left.
    """
    whole: list[tuple[Example, int]] = []
    kept: list[Row] = []
    exact = contradictory = 0
    for index, rows in enumerate(rows_of_parts):
        once, repeats, contradictions = distinct([r for r in rows if not has_equal_completions(r)])
        whole.extend((example_of(row), index) for row in once)
        kept += once
        exact, contradictory = exact + repeats, contradictory + contradictions
    texts = [e.item.content for e, _ in whole]
    families = near_duplicates(texts) if options.near_duplicates else []
    begun = sharing(texts) if options.group_beginnings else []
    stays, parts = apart(whole, [*families, *begun], len(rows_of_parts))
    for name, part in zip(names, parts, strict=True):
        if not part:
            raise UserError(
                f"Nothing of {name} is left to learn from or to test on, once what contradicts "
                "itself or stands in the other data, too, is left out: name other data."
            )
    conversations = opened([row for row, stay in zip(kept, stays, strict=True) if stay])
    balance = options.balance and undersampled(rows_of_parts[0][0].kind)
    even = [balanced(part) for part in parts] if balance else parts
    near, begun = (
        [n for same in sets if (n := sum(stays[i] for i in same)) > 1] for sets in (families, begun)
    )
    cleaning = Cleaning(
        read=sum(map(len, rows_of_parts)),
        exact=exact,
        contradictory=contradictory,
        near=sum(near),
        largest=max(near, default=0),
        uneven=sum(map(len, parts)) - sum(map(len, even)),
        spare=0,
        kept=sum(map(len, even)),
        across=len(whole) - sum(stays),
        alike=sum(has_equal_completions(row) for rows in rows_of_parts for row in rows),
        begun=sum(begun),
        opened=sum(conversations),
        conversations=len(conversations),
    )
    return even, cleaning


def given_splits(splits: Mapping[str, Sequence[Example]], cleaning: Cleaning) -> dict[str, Any]:
    """Attributes of a `FileTask` whose splits are given; examples in none of them are spare."""
    examples = sorted((e for part in splits.values() for e in part), key=lambda e: e.item.id)
    return {
        "load": lambda: examples,
        "given": {e.item.id: split for split, part in splits.items() for e in part},
        "cleaning": replace(cleaning, kept=len(examples), spare=cleaning.kept - len(examples)),
    }


def apart(
    whole: Sequence[tuple[Example, int]], families: Sequence[Sequence[int]], count: int
) -> tuple[list[bool], list[list[Example]]]:
    """Which of the examples stay, and the examples of each part.

    What two parts have in common, by text or group, stays in the later part. Examples that have
    something in common get the same group.

    Args:
        whole: examples, each with the index of its part.
        families: indices of examples whose texts are nearly the same.
        count: how many parts there are.
    """
    texts = [f"text {normalised(e.item.content)}" for e, _ in whole]
    links = [(f"group {e.item.group}", text) for (e, _), text in zip(whole, texts, strict=True)]
    links += [
        (text, f"text {normalised(read)}")
        for (e, _), text in zip(whole, texts, strict=True)
        for read in e.item.texts
    ]
    links += [(texts[family[0]], texts[i]) for family in families for i in family[1:]]
    root = union(links)
    last: dict[str, int] = defaultdict(int)
    group: dict[str, str] = {}
    for (e, index), text in zip(whole, texts, strict=True):
        last[root(text)] = max(last[root(text)], index)
        group[root(text)] = min(group.get(root(text), e.item.group), e.item.group)
    stays, parts = [], [[] for _ in range(count)]
    for (e, index), text in zip(whole, texts, strict=True):
        stays.append(index == last[root(text)])
        if stays[-1]:
            parts[index].append(replace(e, item=replace(e.item, group=group[root(text)])))
    return stays, parts
