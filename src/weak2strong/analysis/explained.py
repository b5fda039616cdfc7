"""Which traits of tasks go with PGR and gain: rank correlations, and what they say in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from weak2strong.analysis.compare import p_text
from weak2strong.analysis.paired import holm
from weak2strong.analysis.ranks import FEWEST, least_clear, rank_correlation
from weak2strong.analysis.traits import FROM_OVERLAP, OUTCOMES, TRAITS
from weak2strong.ground.table import Row, counted, estimate_text

LEVEL = 0.05

MOST_TASKS = 50
"""No number of tasks above this is looked at to say how many it would take."""


def correlation_rows(tasks: Sequence[Row]) -> list[dict[str, Any]]:
    """A row an outcome, method and trait that some task has.

    ``r`` with its interval and ``p`` are null where there are too few tasks, or one side is the
    same on all; ``holm`` is p by Holm over all rows with a correlation, and ``clear`` whether that
    is at most `LEVEL`.

    Args:
        tasks: the rows of `weak2strong.analysis.traits.task_rows`.
    """
    rows = list[dict[str, Any]]()
    for outcome in OUTCOMES:
        for method in dict.fromkeys(row["method"] for row in tasks):
            of_method = [row for row in tasks if row["method"] == method]
            rows += _rows(of_method, outcome, method)
    p_values = {str(i): row["p"] for i, row in enumerate(rows) if row["p"] is not None}
    adjusted = holm(p_values)
    for i, row in enumerate(rows):
        row["holm"] = adjusted.get(str(i))
        row["clear"] = None if row["holm"] is None else row["holm"] <= LEVEL
    return rows


def _rows(tasks: Sequence[Row], outcome: str, method: str) -> Iterator[dict[str, Any]]:
    """The rows of one outcome and method, without what depends on all of them."""
    for trait in TRAITS:
        both = [
            (row[trait.name], row[outcome])
            for row in tasks
            if row[trait.name] is not None and row[outcome] is not None
        ]
        if all(row[trait.name] is None for row in tasks):
            continue
        found = rank_correlation(*np.array(both).reshape(-1, 2).T)
        yield {
            "outcome": outcome,
            "method": method,
            "trait": trait.name,
            "built_in": trait.shared,
            "tasks": len(both),
            "r": found and found.value,
            "r_low": found and found.low,
            "r_high": found and found.high,
            "p": found and found.p,
        }


def sentences(rows: Sequence[Row]) -> list[str]:
    """What the correlations say: those that are clear, or that none is, and what it would take.

    Args:
        rows: of `correlation_rows`.
    """
    tasks = max((row["tasks"] for row in rows), default=0)
    known = [row for row in rows if row["r"] is not None]
    if not known:
        why = (
            f"a rank correlation takes {FEWEST} tasks that count, and this run has {tasks}"
            if tasks < FEWEST
            else "PGR and gain, or all traits, are the same on every task"
        )
        return [f"Nothing can be said of what makes a task easy to elicit: {why}."]
    family = len(known)
    clear = [row for row in known if row["clear"]]
    said = [_clear(row, family) for row in sorted(clear, key=lambda row: row["p"])]
    if clear:
        return [*said, *_others(known, clear)]
    return [
        f"None of {counted(family, 'correlation')} is clear after Holm, so that these tasks do "
        f"not say what makes one easy to elicit. {_needed(tasks, family)}"
    ]


def _clear(row: Row, family: int) -> str:
    titles = {trait.name: trait.title for trait in TRAITS}
    direction = "rises" if row["r"] > 0 else "falls"
    part = ", which is partly built in" if row["built_in"] else ""
    return (
        f"{OUTCOMES[row['outcome']]} of {row['method']} {direction} with {titles[row['trait']]}: "
        f"rank correlation {estimate_text(row, 'r', 2, sign=True)} over "
        f"{row['tasks']} tasks, p {p_text(row['holm'])} after Holm over {family}{part}."
    )


def _others(known: Sequence[Row], clear: Sequence[Row]) -> list[str]:
    others = len(known) - len(clear)
    return [f"The other {counted(others, 'correlation')} may be chance."] if others else []


def _needed(tasks: int, family: int) -> str:
    """What a correlation must be to be clear, or how many tasks that takes."""
    least = least_clear(tasks, family, LEVEL)
    if least is not None:
        return f"With {tasks} tasks, one had to be {least:.2f} or more, up or down."
    more = (n for n in range(tasks + 1, MOST_TASKS) if least_clear(n, family, LEVEL) is not None)
    return (
        f"{tasks} tasks are too few: not even tasks in one order would be clear among so many "
        f"correlations; take {next(more)} tasks or more, or name fewer --methods."
    )


def lacking(
    tasks: Sequence[Row],
    folder: str = "RUN",
    told: Mapping[str, Mapping[str, float]] | None = None,
) -> list[str]:
    """A sentence for each trait that no task has: why, or how to get it.

    Args:
        tasks: rows of `weak2strong.analysis.traits.task_rows`.
        folder: of the run.
        told: what the tables of `w2s overlap` in this folder tell now (see
            `weak2strong.analysis.traits.told_by_overlap`); None where there are none.
    """
    said = []
    for trait in TRAITS:
        if not trait.lacking or any(row[trait.name] is not None for row in tasks):
            continue
        why = trait.lacking
        if trait.name in FROM_OVERLAP and told is None:
            why = f"`w2s overlap {folder}` finds it for `w2s explain {folder}`"
        elif trait.name in FROM_OVERLAP and told and told[trait.name]:
            why = f"`w2s overlap` was run later than this: run `w2s explain {folder}` again"
        said.append(f"Without {trait.title}: {why}.")
    return said


def trait_note(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the traits of the rows are, in one sentence each."""
    there = {row["trait"] for row in rows}
    return " ".join(f"{t.title}: {t.about}." for t in TRAITS if t.name in there)
