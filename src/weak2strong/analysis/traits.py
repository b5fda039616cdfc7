"""What may tell how easy a task is to elicit: numbers of each task that stand beside PGR and gain.

All of them can be read from a finished run. Those that are *shared* are terms of the formula of
gain or PGR, or nearly so, as gain is student minus floor, PGR is gain over gap, and misfit is a
part of the gain: chance in such a term moves both sides, so that a correlation is partly built in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.analysis.analyses.misfit import squared_misfit
from weak2strong.analysis.audit.auc import auc
from weak2strong.analysis.estimates import seed_means
from weak2strong.analysis.tested import Tested
from weak2strong.methods import METHODS
from weak2strong.methods.reference import names_in

if TYPE_CHECKING:
    import polars as pl

    from weak2strong.analysis.finished import FinishedRun


@dataclass(frozen=True)
class Trait:
    """A number of a task.

    Attributes:
        name: of the field.
        title: for people.
        about: what it is, for a note.
        lacking: how to get it, where a run has it for no task.
        shared: whether gain and PGR are computed of it.
    """

    name: str
    title: str
    about: str
    lacking: str = ""
    shared: bool = False


_PROMPTED = (
    "no method of the run asks the pretrained student so (add the one that `w2s methods` lists to "
    "--methods; the student must be a language model)"
)

TRAITS = (
    Trait(
        "zero_shot",
        "zero-shot",
        "score of the pretrained student, asked in words",
        _PROMPTED,
    ),
    Trait(
        "few_shot",
        "few-shot",
        "the same after examples with ground truth",
        _PROMPTED,
    ),
    Trait(
        "probe",
        "probe",
        "score of a logistic probe with ground truth on the frozen student",
        "answers in words have no probe",
    ),
    Trait("floor", "floor", "score of the supervisor", shared=True),
    Trait("gap", "gap", "ceiling minus floor", shared=True),
    Trait(
        "misfit",
        "misfit",
        "mean squared distance of student and weak labels",
        "answers in words have no probabilities",
        shared=True,
    ),
    Trait(
        "overlap",
        "overlap density",
        "share of examples with patterns for supervisor and student",
        "the weak labels of each task are all as confident, or all examples as like the hard ones",
    ),
    Trait(
        "noise_sure",
        "noise: hesitant",
        "ROC AUC by which the weak label's confidence tells right from wrong labels",
        "the weak labels are all as confident, or answers in words",
    ),
    Trait(
        "noise_uneven",
        "noise: one-sided",
        "difference between the classes' shares of wrong weak labels, the largest",
        "answers in words have no classes",
    ),
    Trait(
        "noise_spread",
        "noise: spread",
        "right labels around wrong ones / around all, in the student's activations: 1 is spread "
        "at random, 0 islands",
        "no class has wrong weak labels in every seed",
    ),
)

OUTCOMES = {"pgr": "PGR", "gain": "gain"}
"""What is to be explained, with titles."""

FROM_OVERLAP = ("overlap", "noise_spread")
"""The traits that come from the tables of `w2s overlap`."""


def task_rows(
    run: FinishedRun,
    methods: Sequence[str],
    overlap: pl.DataFrame | None = None,
    expansion: pl.DataFrame | None = None,
) -> Iterator[dict[str, Any]]:
    """A row a task and method: every trait and outcome, null where there is none.

    ``pgr`` is null on tasks that no mean of PGR has (no gap, saturated, or a supervisor not
    clearly above chance), ``gain`` on those that are saturated or whose supervisor is not.

    Args:
        run: of several tasks.
        methods: of the run, whose students' outcomes are explained.
        overlap: the tables of `w2s overlap` on the run, if there are any.
        expansion: likewise.
    """
    told = {} if overlap is None or expansion is None else told_by_overlap(overlap, expansion)
    over = run.over
    used, saturated = (over.used, over.saturated) if over else ((), ())
    for task, lines in run.by_task.items():
        by_method = {line.method: line for line in lines}
        tested = run.tested[task]
        traits = {
            "zero_shot": _student_score(by_method, "zero-shot"),
            "few_shot": _student_score(by_method, "few-shot"),
            "probe": lines[0].probe_ceiling,
            "floor": lines[0].recovered.floor,
            "gap": lines[0].recovered.gap,
            **noise(tested),
            **{trait: told.get(trait, {}).get(task) for trait in FROM_OVERLAP},
        }
        for method in methods:
            line = by_method[method]
            r = line.recovered
            counts = line.supervised and task not in saturated
            yield {
                "task": task,
                "method": method,
                "oracle": line.oracle,
                "metric": line.metric,
                "pgr": r.value if task in used else None,
                "gain": r.student - r.floor if counts else None,
                **traits,
                "misfit": _misfit(tested, method),
            }


def explained_methods(methods: Sequence[str]) -> list[str]:
    """The methods whose outcomes are explained: those that are no trait themselves."""
    return [method for method in methods if _trait_of(method) is None]


def _trait_of(method: str) -> str | None:
    name = names_in(method)[-1]
    return METHODS.get(name).trait if name in set(METHODS) else None


def _student_score(lines: Mapping[str, Any], trait: str) -> float | None:
    """The score of the students of the first method that declares a trait."""
    of = (line.recovered.student for name, line in lines.items() if _trait_of(name) == trait)
    return next(of, None)


def _misfit(tested: Tested, method: str) -> float | None:
    """The mean squared distance of student and weak labels; None of answers in words."""
    if tested.floor.ndim < 3:
        return None
    measured = squared_misfit(tested.students[method], tested.floor, tested.labels)
    return float(measured.misfit.mean())


def noise(tested: Tested) -> dict[str, float | None]:
    """Of which type the errors of weak labels are, on test: means over seeds.

    ``noise_sure`` is the ROC AUC by which confidence tells right weak labels from wrong ones: 0.5
    where errors are made as surely as right answers, 1 where the supervisor hesitates before each.
    ``noise_uneven`` is the largest difference of two classes' shares of wrong labels: 0 where each
    class has its share, near 1 where one class takes the other's place.
    """
    found = dict[str, float | None](noise_sure=None, noise_uneven=None)
    if tested.floor.ndim < 3:
        return found
    right, sure = tested.right["floor", ""], tested.floor.max(axis=2)
    both = [0 < of_seed.sum() < len(of_seed) for of_seed in right]
    if all(both) and np.ptp(sure) > 0:
        areas = [auc(c, r).value for c, r in zip(sure, right, strict=True)]
        found["noise_sure"] = float(np.mean(areas))
    shares = [
        seed_means(~right, np.broadcast_to(tested.labels == label, right.shape))
        for label in np.unique(tested.labels)
    ]
    found["noise_uneven"] = float(np.ptp(shares, axis=0).mean())
    return found


def told_by_overlap(overlap: pl.DataFrame, expansion: pl.DataFrame) -> dict[str, dict[str, float]]:
    """The traits `FROM_OVERLAP`, by name and task, without those that a task has not.

    Args:
        overlap: the first table of `w2s overlap`.
        expansion: the second one.
    """
    return dict(zip(FROM_OVERLAP, (_densities(overlap), _spreads(expansion)), strict=True))


def _densities(overlap: pl.DataFrame) -> dict[str, float]:
    """The overlap density of each task, mean over seeds, the same for all methods."""
    rows = overlap.filter(overlap["seed"].is_null(), region="overlap").unique("task")
    return dict(rows.select("task", "share").iter_rows())


def _spreads(expansion: pl.DataFrame) -> dict[str, float]:
    """Right labels around wrong ones over those around all, a mean over classes by task."""
    import polars as pl

    rows = expansion.filter(pl.col("seed").is_null()).unique(("task", "class"))
    ratio = pl.col("good_around_wrong") / pl.col("good_around_all")
    means = rows.filter(pl.col("good_around_all") > 0).group_by("task").agg(ratio.mean().alias("r"))
    return {task: r for task, r in means.iter_rows() if r is not None}
