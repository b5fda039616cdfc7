"""From the test predictions of a run to one line a task and method."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.analysis.answers import Answers
from weak2strong.analysis.oracles import oracles
from weak2strong.analysis.recovered import (
    Recovered,
    UndefinedScoreError,
    recovered,
    recovered_by_method,
)
from weak2strong.config.study import SATURATED, StudyConfig, Vary
from weak2strong.engine.work import Work
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric, range_of, usual_metric
from weak2strong.ground.own_metrics import OwnMetric
from weak2strong.ground.predictions import WRITTEN
from weak2strong.ground.weighted import Score
from weak2strong.ground.written import SaysTheSame
from weak2strong.methods.reference import parts_of, passes_intermediates
from weak2strong.protocol.learned import Learned
from weak2strong.protocol.needs import intermediates_of

if TYPE_CHECKING:
    import polars as pl


def saturated(floor: float, ceiling: float, cut: float) -> bool:
    """Whether a task counts for no method, since floor and ceiling are nearly perfect.

    Students play no part in it: no method gains from a task that it spoils.
    """
    return min(floor, ceiling) > cut


def cut_on(cut: float, score: Callable[..., Score]) -> float:
    """The cut of `saturated` for a metric: there is none where perfect models do not score 1."""
    return cut if range_of(score)[1] == 1 else math.inf


@dataclass(frozen=True)
class Spent:
    """What a run spent on the students of one task and method.

    Attributes:
        seconds: the time over all seeds; a stage that another method had made before takes none.
        stages: the number of stages that the students needed.
        reused: how many of these stages the store had.
    """

    seconds: float
    stages: int
    reused: int

    @staticmethod
    def on(task: str, method: str, work: Sequence[Work]) -> Spent | None:
        """The sum over the seeds; None where the run did not say."""
        steps = [w for w in work if (w.kind, w.task, w.method) == ("student", task, method)]
        if not steps:
            return None
        return Spent(
            sum(w.seconds for w in steps),
            sum(w.stages for w in steps),
            sum(w.reused for w in steps),
        )


@dataclass(frozen=True)
class Line:
    """The result of a study for one task and method, on one metric.

    Attributes:
        task: name.
        weak: the supervisor's model, or the file of weak labels.
        strong: the model of students and ceiling.
        method: name.
        metric: name.
        recovered: floor, student, ceiling and PGR with intervals.
        probe_ceiling: score of a probe with ground truth on the frozen strong model; None
            for tasks without classes.
        ngrams: score of a character n-gram model with ground truth; None for tasks without texts.
        chance: score of guessing, None where the metric has no such level.
        truncated: share of the task's texts that a model does not read to their end, by
            model, as far as it was counted.
        oracle: whether students saw ground truth: all stopped on it, or the method asks for it.
        spent: what the run spent on the students; None if it did not say.
        reading: the same as ``recovered``, with ceilings that have read the texts first, as the
            students have; None where the students have not.
        between: the models that labels pass on their way from ``weak`` to ``strong``.
        temperatures: at which the students of each seed learn their weak labels; empty where they
            learn them as the supervisor gives them.
        vary: what a seed draws, as in the study.
        learned: what supervisors, ceilings and these students took up of their labels, as far as
            the run says.
        written: whether answers are texts.
        cut: the score above which models can no longer be told apart.
    """

    task: str
    weak: str
    strong: str
    method: str
    metric: str
    recovered: Recovered
    probe_ceiling: float | None
    ngrams: float | None
    chance: float | None
    truncated: Mapping[str, float] = field(default_factory=dict)
    oracle: bool = False
    spent: Spent | None = None
    reading: Recovered | None = None
    between: tuple[str, ...] = ()
    temperatures: tuple[float, ...] = ()
    vary: Vary = "training"
    learned: tuple[Learned, ...] = ()
    written: bool = False
    cut: float = SATURATED

    @property
    def chain(self) -> tuple[str, ...]:
        """The models in the order in which labels pass them; empty without any between."""
        return (self.weak, *self.between, self.strong) if self.between else ()

    @property
    def supervised(self) -> bool:
        """Whether the supervisors at hand are clearly above chance, where there is such a level.

        Other seeds would give other supervisors, but the weak labels are those of these.
        """
        return self.chance is None or self.recovered.at_hand["floor"].low > self.chance

    @property
    def below_chance(self) -> dict[str, float]:
        """The scores clearly below chance, by role, as far as there is such a level.

        Of the models at hand, as in `supervised`.
        Answers in words have none: a wrong text is not the contrary of the right one.
        """
        if self.written:
            return {}
        r = self.recovered
        names = {"floor": "floor", "student": f"student ({self.method})", "ceiling": "ceiling"}
        return {
            name: getattr(r, role)
            for role, name in names.items()
            if self.chance is not None and r.at_hand[role].high < self.chance
        }

    @property
    def saturated(self) -> bool:
        """Whether floor, student and ceiling are all nearly perfect."""
        r = self.recovered
        return min(r.floor, r.student, r.ceiling) > self.cut

    @property
    def too_easy(self) -> bool:
        """Whether the task counts for no method (see `saturated`)."""
        return saturated(self.recovered.floor, self.recovered.ceiling, self.cut)


def summarise(
    config: StudyConfig,
    predictions: pl.DataFrame,
    on: str | None = None,
    truncated: Mapping[str, Mapping[str, float]] | None = None,
    work: Sequence[Work] = (),
    temperatures: Mapping[str, Sequence[float]] | None = None,
    learned: Sequence[Learned] = (),
) -> list[Line]:
    """One line a task and method, in the order of the study.

    Args:
        config: the study.
        predictions: of its run (see `weak2strong.engine.record`).
        on: the name of a metric for which more is better; the study's own if None.
        truncated: the share of the texts that a model cuts, by task and model.
        work: what each step of the run took.
        temperatures: at which the students of each seed learn their weak labels, by task.
        learned: what each finetuning of the run took up of its labels.

    Raises:
        UserError: where a test set is too small for the metric.
    """
    lines, see_truth = [], oracles(predictions)
    between = tuple(model.name for model in intermediates_of(config))
    for name in predictions["task"].unique(maintain_order=True):
        rows = predictions.filter(task=name)
        kind = rows["kind"][0]
        scored_by = on or config.metric or usual_metric(kind)
        score = metric(kind, scored_by)
        answers = Answers(rows, config.seeds)
        floor, ceiling = answers.of("floor"), answers.of("ceiling")
        named = [name for name in ("probe", "ngrams") if answers.have(name)]
        checks = {name: answers.check(name) for name in named}
        scores = {name: answers.score(name, score) for name in named}
        students = {method: answers.of("student", method) for method in config.methods}
        test = (answers.labels, answers.groups, score)
        try:
            by_method = recovered_by_method(floor, students, ceiling, *test, checks=checks)
        except UndefinedScoreError as e:
            raise UserError(f"{name} cannot be scored by {scored_by}. {e}") from e
        for method, student in students.items():
            reading = next((p for p in parts_of(method) if answers.have("ceiling", p)), None)
            alike = reading and recovered(floor, student, answers.of("ceiling", reading), *test)
            lines.append(
                Line(
                    task=name,
                    weak=config.weak_name,
                    strong=config.strong.name,
                    method=method,
                    metric=scored_by,
                    recovered=by_method[method],
                    probe_ceiling=scores.get("probe"),
                    ngrams=scores.get("ngrams"),
                    chance=_chance(kind, scored_by, answers.labels),
                    truncated=(truncated or {}).get(name, {}),
                    oracle=config.strong_training.stopping == "oracle" or method in see_truth,
                    spent=Spent.on(name, method, work),
                    reading=alike or None,
                    between=between if passes_intermediates(method) else (),
                    temperatures=tuple((temperatures or {}).get(name, ())),
                    vary=config.vary,
                    cut=cut_on(config.saturated, score),
                    learned=tuple(
                        x for x in learned if x.task == name and x.method in (None, method)
                    ),
                    written=kind in WRITTEN,
                )
            )
    return lines


def _chance(kind: str, on: str, labels: np.ndarray) -> float | None:
    """The score of a model that only knows how often each class or target occurs."""
    score = metric(kind, on)
    if isinstance(score, OwnMetric):
        return score.chance
    if isinstance(score, SaysTheSame):
        targets = Counter(text for accepted in labels for text in score.accepted(accepted[:1]))
        return max(targets.values(), default=0) / len(labels)
    if on == "roc_auc":
        return 0.5
    if on == "matthews":
        return 0.0
    if on in ("accuracy", "f1"):
        shares = np.bincount(labels) / len(labels)
        if on == "accuracy":
            return float(shares.max())
        # Whoever always says one class is right in its share of the answers, and misses none.
        constant = 2 * shares / (1 + shares)
        return float(constant[-1] if len(shares) == 2 else constant.max() / len(shares))
    return None
