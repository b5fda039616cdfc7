"""What a headline about a run may claim: paired differences, and which of them are clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from weak2strong.analysis.aggregate import Answered
from weak2strong.analysis.answers import Answers
from weak2strong.analysis.contrasts import Difference, Paired
from weak2strong.analysis.summary import Line
from weak2strong.config.study import StudyConfig
from weak2strong.ground.metrics import metric
from weak2strong.methods import BASELINE

if TYPE_CHECKING:
    import polars as pl

FALSE = 0.05
"""The chance of any false claim about all methods together."""


@dataclass(frozen=True)
class Claims:
    """What the answers of a run say of its methods, beside their scores.

    Attributes:
        tasks: the tasks of the run.
        supervised: the tasks whose supervisors are clearly above chance.
        saturated: the tasks that no mean counts, since floor and ceiling are nearly perfect; none
            where all are.
        gains: students minus their supervisors, mean over the supervised tasks that are not
            saturated, by method.
        behind: students minus the ceilings, likewise. Without such a task both are empty.
        differences: students minus those of `BASELINE`, mean over all tasks that are not saturated,
            by method; empty where the run has no baseline, and without methods that see ground
            truth. As the column *these tasks* of `w2s compare`.
        clear: the methods of ``differences`` that are clearly better than the baseline (1), clearly
            worse (-1), or neither (0): by intervals at the level ``1 - FALSE / m`` for m methods
            (Bonferroni), since the largest of many differences is large by luck.
    """

    tasks: tuple[str, ...]
    supervised: tuple[str, ...]
    saturated: tuple[str, ...]
    gains: Mapping[str, Difference]
    behind: Mapping[str, Difference]
    differences: Mapping[str, Difference]
    clear: Mapping[str, int]


def claims(config: StudyConfig, predictions: pl.DataFrame, lines: Sequence[Line]) -> Claims:
    """What a headline about a run may claim.

    Args:
        config: the study.
        predictions: of its run.
        lines: of the same run, which tell the metric, supervisors at chance, and oracles.
    """
    firsts = {line.task: line for line in reversed(lines)}
    tasks = tuple(dict.fromkeys(line.task for line in lines))
    supervised = tuple(task for task in tasks if firsts[task].supervised)
    kept = tuple(task for task in tasks if not firsts[task].too_easy) or tasks
    averaged = tuple(task for task in supervised if task in kept) or supervised
    methods = tuple(config.methods)
    floor, ceiling, *students = ("floor", ""), ("ceiling", ""), *(("student", m) for m in methods)
    who = [floor, ceiling, *students]
    on = lines[0].metric
    paired = Paired(
        {
            task: Answered([a.of(*of) for of in who], a.labels, a.groups, metric(a.kind, on))
            for task in tasks
            for a in [Answers(predictions.filter(task=task), config.seeds)]
        },
        who,
    )
    gains, behind = {}, {}
    for method, student in zip(methods, students, strict=True) if averaged else ():
        gains[method] = paired.difference(student, floor, averaged)
        behind[method] = paired.difference(student, ceiling, averaged)
    fair = {line.method for line in lines if not line.oracle}
    others = [m for m in methods if m != BASELINE and m in fair] if BASELINE in fair else []
    base = ("student", BASELINE)
    differences = {m: paired.difference(("student", m), base, kept) for m in others}
    level = 1 - FALSE / max(len(others), 1)
    clear = {m: paired.difference(("student", m), base, kept, level).sign for m in others}
    saturated = tuple(task for task in tasks if task not in kept)
    return Claims(tasks, supervised, saturated, gains, behind, differences, clear)
