"""The numbers of a task's splits, to look at before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from weak2strong.tasks.splits import SPLITS, Splits
from weak2strong.tasks.task import Item


def split_table(
    splits: Splits,
    classes: Sequence[str],
    lengths: Callable[[Sequence[Item]], list[int]] | None = None,
    longest: int | None = None,
) -> list[dict[str, Any]]:
    """One row a split.

    Args:
        splits: of a task.
        classes: names of its classes.
        lengths: gives the number of tokens of every text of some items; None without a model.
        longest: how many tokens of a text the model reads; None if there is no limit.

    Returns:
        For each split: ``split``, its name; ``examples`` and ``groups``, how many there are;
        ``classes``, the share of each class by name, None without classes; ``median_tokens`` and
        ``longest_tokens``; ``truncated``, the share of texts that are longer than ``longest``.
        What is not known is None.
    """
    return [_row(name, splits, classes, lengths, longest) for name in SPLITS]


def _row(
    name: str,
    splits: Splits,
    classes: Sequence[str],
    lengths: Callable[[Sequence[Item]], list[int]] | None,
    longest: int | None,
) -> dict[str, Any]:
    examples = splits.examples(name)
    counts = Counter(e.label for e in examples)
    tokens = lengths([e.item for e in examples]) if lengths and examples else []
    count = len(examples)
    cut_off = None
    if tokens and longest is not None:
        cut_off = sum(n > longest for n in tokens) / len(tokens)
    return {
        "split": name,
        "examples": count,
        "groups": len({e.item.group for e in examples}),
        "classes": {c: counts[i] / count if count else None for i, c in enumerate(classes)} or None,
        "median_tokens": median(tokens) if tokens else None,
        "longest_tokens": max(tokens) if tokens else None,
        "truncated": cut_off,
    }
