"""What filters leave out of the training set, and whether the weak labels there are wrong.

EleutherAI 2024, activation probes: a filter is good if the labels that it drops are wrong more
often than those that it keeps. Ground truth of the training set is used after training alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.analyses import analysis
from weak2strong.analysis.paired import effect
from weak2strong.analysis.tested import TestedRun
from weak2strong.engine.recorded import LEFT_OUT, RIGHT
from weak2strong.ground.table import Row, number

if TYPE_CHECKING:
    import polars as pl

MUCH = 0.1
"""The share of a training set above which a note tells of the tasks apart, as the post does."""

FEWEST = 3
"""Over so many tasks a mean difference has an interval."""


def filter_rows(agreement: pl.DataFrame | None) -> Iterator[dict[str, Any]]:
    """A row for each task and method that left examples out, over all seeds together.

    ``dropped`` and ``kept`` are mean numbers of examples a seed; ``wrong_dropped`` and
    ``wrong_kept`` are shares of wrong weak labels among all of them, and ``difference`` is the
    first minus the second.

    Args:
        agreement: of the run (see `weak2strong.engine.recorded.read_agreement`); nothing comes of
            None, and of that of an older run.
    """
    import polars as pl

    if agreement is None or RIGHT[0] not in agreement.columns:
        return
    seeds = agreement["seed"].n_unique()
    parts = agreement.filter(pl.col("split").is_in(["strong_train", LEFT_OUT]))
    by_part = parts.group_by("task", "method", "split", maintain_order=True).agg(
        pl.col("examples").sum(),
        ((1 - pl.col(RIGHT[0])) * pl.col("examples")).sum().alias("wrong"),
    )
    for (task, method), rows in by_part.group_by("task", "method", maintain_order=True):
        found = {split: (examples, wrong) for _, _, split, examples, wrong in rows.iter_rows()}
        if LEFT_OUT not in found or "strong_train" not in found:
            continue
        (dropped, wrong), (kept, wrong_kept) = found[LEFT_OUT], found["strong_train"]
        yield {
            "task": task,
            "method": method,
            "dropped": dropped / seeds,
            "kept": kept / seeds,
            "dropped_share": dropped / (dropped + kept),
            "wrong_dropped": wrong / dropped,
            "wrong_kept": wrong_kept / kept,
            "difference": wrong / dropped - wrong_kept / kept,
        }


def said_of(rows: Sequence[Row]) -> list[str]:
    """Of several tasks a sentence for each method, and one on those where it drops much."""
    sentences = []
    for method in dict.fromkeys(row["method"] for row in rows):
        every = [row for row in rows if row["method"] == method]
        if len(every) < 2:
            continue
        much = [row for row in every if row["dropped_share"] > MUCH]
        sentences.append(_sentence(method, every, f"on {_tasks(len(every))}"))
        if much and len(much) < len(every):
            where = f"on the {_tasks(len(much))} where it drops more than {MUCH:.0%}"
            sentences.append(_sentence(method, much, where))
    return sentences


def _tasks(number: int) -> str:
    return f"{number} task{'s' if number > 1 else ''}"


def _sentence(method: str, rows: Sequence[Row], where: str) -> str:
    """What a method drops on some tasks, and how much of it is wrong."""
    share, dropped, kept = (
        sum(row[name] for row in rows) / len(rows)
        for name in ("dropped_share", "wrong_dropped", "wrong_kept")
    )
    found = effect([row["difference"] for row in rows])
    text = (
        f"{method}, {where}: of the {share:.1%} that it drops, {dropped:.1%} is wrong, of the rest "
        f"{kept:.1%}"
    )
    if len(rows) < FEWEST:
        return f"{text}."
    return (
        f"{text}; the mean difference over tasks is {found.mean:+.3f} (95% t interval over tasks "
        f"{found.low:+.3f} to {found.high:+.3f})."
    )


NOTE = (
    "Of the examples of strong_train that a student did not learn from, and of those that it did: "
    "the share of weak labels that are wrong, over all seeds. Dropped is a mean over seeds. A "
    "filter is of use where what it drops is wrong more often than what it keeps."
)


@analysis(
    "filters",
    "a row a method that leaves out training examples",
    title="What filters drop: the share of wrong weak labels",
    columns=[
        number("dropped", digits=0),
        number("dropped_share", "share"),
        number("wrong_dropped", "wrong of dropped"),
        number("wrong_kept", "wrong of kept"),
        number("difference", "difference"),
    ],
    notes=lambda rows: [NOTE, *said_of(rows)],
)
def filters(run: TestedRun) -> Iterator[Row]:
    """The rows of `filter_rows`."""
    return filter_rows(run.agreement)
