"""Is the concept more salient in the student after weak finetuning? Five bars that tell.

Burns et al. 2023, section 5.2 and figure 11: a linear probe on the frozen strong model, of weak
labels and of ground truth; finetuning on weak labels, alone and followed by a linear probe of
ground truth; finetuning on ground truth. Where a probe with ground truth gains much from weak
finetuning before it, that has made the concept more linear.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from weak2strong.analysis.analyses import analysis, field_of
from weak2strong.analysis.estimates import columns, score_estimate
from weak2strong.analysis.intervals import Metric
from weak2strong.analysis.tested import Tested, TestedRun
from weak2strong.ground.table import Row, estimate
from weak2strong.methods import METHODS

BARS = ("lp(weak)", "lp(gt)", "ft(weak)", "ft(weak)+lp(gt)", "ft(gt)")
"""The bars in the order of the paper's figure: lp linear probe, ft finetuning, gt ground truth."""

CHECKS: Mapping[str, str] = {"lp(gt)": "check probe", "ft(gt)": "ceiling"}
"""Bars that are no method's; the students of a method are the bar that it declares."""


def source_of(bar: str, methods: Collection[str]) -> str:
    """Which answers a bar is, in a run with these methods."""
    if bar in CHECKS:
        return CHECKS[bar]
    declared = [name for name in METHODS if METHODS.get(name).saliency == bar]
    return f"method {next((name for name in declared if name in methods), declared[0])}"


def saliency_rows(tested: Tested, metric: Metric) -> Iterator[dict[str, Any]]:
    """A row a bar: the score, mean over seeds; null where the run lacks it.

    The probe on the frozen model is one for all seeds that share a split, so that its interval is
    then over test examples.
    """
    weights, groups = tested.weights, tested.group_count
    for bar, answers in bar_answers(tested).items():
        score = None
        if answers is not None:
            score = score_estimate(answers, tested.labels, metric, weights, groups)
        yield {"bar": bar, "of": source_of(bar, tested.students), **columns("score", score)}


def bar_answers(tested: Tested) -> dict[str, np.ndarray | None]:
    """Answers ``(S, n, k)`` of every bar, with S of 1 of a probe that serves all seeds; None where
    the run lacks it."""
    answers = {f"method {method}": of for method, of in tested.students.items()}
    answers["ceiling"] = tested.ceiling
    if tested.probe is not None:
        answers["check probe"] = tested.probe
    return {bar: answers.get(source_of(bar, tested.students)) for bar in BARS}


def _lacks(run: TestedRun) -> list[str]:
    if not run.written:
        return []
    return ["Saliency: linear probes tell classes apart, and answers in words are none."]


NOTE = (
    "lp: linear probe on the frozen model, ft: finetuning, weak: on weak labels, gt: on ground "
    "truth."
)


def _notes(rows: Sequence[Row]) -> list[str]:
    """What the bars are, and which of them the run lacks, on which tasks."""
    tasks = {row["task"] for row in rows}
    without = dict[tuple[str, str], list[str]]()
    for row in rows:
        if row["score"] is None:
            without.setdefault((row["bar"], row["of"]), []).append(row["task"])
    missing = []
    for (bar, of), lacking in without.items():
        where = f" on {', '.join(lacking)}" if len(lacking) < len(tasks) else ""
        missing.append(f"{bar} ({of}){where}")
    return [NOTE, *([f"A dash: the run lacks {', '.join(missing)}."] if missing else [])]


@analysis(
    "saliency",
    "a row a bar",
    title="Saliency: {metric} on test of probes and finetuning, on weak labels and on ground truth",
    across="bar",
    columns=[estimate(f"score_{field_of(bar)}", bar) for bar in BARS],
    notes=_notes,
    averaged=True,
    lacks=_lacks,
)
def saliency(run: TestedRun) -> Iterator[Row]:
    """The rows of `saliency_rows` for every task with classes."""
    return run.of_tasks(
        lambda tested: saliency_rows(tested, run.score), having=lambda _: not run.written
    )
