"""From the test predictions of a run to one line a task and method."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.analysis.intervals import Interval
from weak2strong.analysis.oracles import oracles
from weak2strong.analysis.recovered import (
    HONEST_SEEDS,
    Recovered,
    UndefinedScoreError,
    recovered,
    recovered_by_method,
)
from weak2strong.config.study import StudyConfig
from weak2strong.engine.work import Work
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric, normalised, usual_metric
from weak2strong.ground.predictions import values_in
from weak2strong.methods.reference import parts_of, passes_intermediates
from weak2strong.protocol.needs import intermediates_of
from weak2strong.tasks.kinds import labels_from_lists

if TYPE_CHECKING:
    import polars as pl


SATURATED = 0.99
"""A score above which nothing is left to tell apart."""

CUT = 0.01
"""The share of texts that a model may cut without a word about it."""


@dataclass(frozen=True)
class Spent:
    """What a run spent on the students of one task and method.

    Attributes:
        seconds: over all seeds; what another method had made before took none.
        stages: that they asked for.
        reused: how many of these were there.
    """

    seconds: float
    stages: int
    reused: int

    @staticmethod
    def on(task: str, method: str, work: Sequence[Work]) -> Spent | None:
        """Added up over the seeds."""
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
    """What a study found for one task and method, on one metric.

    Attributes:
        task: name.
        weak: the supervisor's model, or the file of weak labels.
        strong: the model of students and ceiling.
        method: name.
        metric: name.
        recovered: floor, student, ceiling and PGR with intervals.
        probe_ceiling: score of a probe with ground truth on the frozen strong model; None
            for tasks without classes.
        ngrams: score of a character n-gram model with ground truth.
        chance: score of guessing, None where the metric has no such level.
        truncated: share of the task's texts that a model does not read to their end, by
            model, as far as it was counted.
        oracle: whether students saw ground truth: all stopped on it, or the method asks for it.
        spent: what the run that wrote this spent on the students; None if it did not say.
        reading: the same as ``recovered`` with ceilings that have read the texts first, as the
            students have; None where these have not.
        between: models that labels pass through on their way from ``weak`` to ``strong``.
    """

    task: str
    weak: str
    strong: str
    method: str
    metric: str
    recovered: Recovered
    probe_ceiling: float | None
    ngrams: float
    chance: float | None
    truncated: Mapping[str, float] = field(default_factory=dict)
    oracle: bool = False
    spent: Spent | None = None
    reading: Recovered | None = None
    between: tuple[str, ...] = ()

    @property
    def chain(self) -> tuple[str, ...]:
        """The models in the order in which labels pass them; empty without any between."""
        return (self.weak, *self.between, self.strong) if self.between else ()

    @property
    def supervised(self) -> bool:
        """Whether the floor's interval lies above chance, as far as there is such a level."""
        return self.chance is None or self.recovered.floor_interval.low > self.chance

    @property
    def below_chance(self) -> dict[str, float]:
        """The scores by role whose intervals lie below chance, as far as there is such a level.

        None of answers in words: these can be wrong without being the contrary of right.
        """
        if self.metric == "exact_match":
            return {}
        r = self.recovered
        roles: dict[str, tuple[float, Interval]] = {
            "floor": (r.floor, r.floor_interval),
            f"student ({self.method})": (r.student, r.student_interval),
            "ceiling": (r.ceiling, r.ceiling_interval),
        }
        return {
            role: score
            for role, (score, interval) in roles.items()
            if self.chance is not None and interval.high < self.chance
        }

    @property
    def saturated(self) -> bool:
        """Whether floor, student and ceiling are all nearly perfect."""
        r = self.recovered
        return min(r.floor, r.student, r.ceiling) > SATURATED


def summarise(
    config: StudyConfig,
    predictions: pl.DataFrame,
    on: str | None = None,
    truncated: Mapping[str, Mapping[str, float]] | None = None,
    work: Sequence[Work] = (),
) -> list[Line]:
    """One line a task and method, in the order of the study.

    Args:
        config: the study.
        predictions: of its run (see `weak2strong.engine.record`).
        on: name of a metric for which more is better; the study's own if None.
        truncated: the share of the texts that a model cuts, by task and model.
        work: what the run spent.

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
        probe = answers.score("probe", score) if answers.have("probe") else None
        ngrams = answers.score("ngrams", score)
        students = {method: answers.of("student", method) for method in config.methods}
        test = (answers.labels, answers.groups, score)
        try:
            by_method = recovered_by_method(floor, students, ceiling, *test)
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
                    probe_ceiling=probe,
                    ngrams=ngrams,
                    chance=_chance(scored_by, answers.labels),
                    truncated=(truncated or {}).get(name, {}),
                    oracle=config.strong_training.stopping == "oracle" or method in see_truth,
                    spent=Spent.on(name, method, work),
                    reading=alike or None,
                    between=between if passes_intermediates(method) else (),
                )
            )
    return lines


def warnings_of(lines: list[Line]) -> list[str]:
    """What a reader of the table has to know, one sentence each."""
    undefined = [x for x in lines if x.recovered.undefined and not x.saturated]
    warnings = [
        *_told(
            [x for x in lines if x.saturated],
            lambda x: (
                f"{x.task}: floor, student and ceiling are all above {SATURATED:.2f}: "
                "the task is too easy to tell anything apart."
            ),
            f"floor, student and ceiling are all above {SATURATED:.2f}, "
            "so they are too easy to tell anything apart",
        ),
        *_told(
            [x for x in undefined if x.recovered.gap < 0],
            _floor_wins,
            "PGR is undefined, the supervisor scoring better than the ceiling",
        ),
        *_told(
            [x for x in undefined if x.recovered.gap >= 0],
            lambda x: _undefined([y for y in lines if y.task == x.task], x),
            "PGR is undefined, the ceiling being not clearly above the floor",
        ),
        *_told(
            [x for x in lines if (x.probe_ceiling or 0) > x.recovered.ceiling],
            lambda x: _probe_wins([y for y in lines if y.task == x.task]),
            "a logistic probe with ground truth on the frozen strong model beats the ceiling "
            "(column probe), which is too low, and PGR too high",
        ),
        *_told(
            [x for x in lines if x.below_chance],
            lambda x: _below_chance([y for y in lines if y.task == x.task]),
            "a score is below chance, which is worse than knowing nothing: look at the labels",
        ),
        *_told(
            [x for x in lines if not x.supervised and "floor" not in x.below_chance],
            lambda x: (
                f"{x.task}: the floor, {x.recovered.floor:.3f}, is not clearly above chance "
                f"({x.chance:.3f}): the supervisor may know nothing."
            ),
            "the floor is not clearly above chance, so the supervisor may know nothing",
        ),
        *_told(
            [x for x in lines if max(x.truncated.values(), default=0) > CUT],
            _cut,
            f"a model cuts more than {CUT:.0%} of the texts",
        ),
    ]
    if oracles := dict.fromkeys(x.method for x in lines if x.oracle):
        every = len(oracles) == len({x.method for x in lines})
        warnings.append(
            f"{'All students' if every else 'Students of ' + ', '.join(oracles)} saw ground truth "
            "(oracle): their scores and PGR are upper bounds, not results of weak supervision."
        )
    return warnings + few_seeds({x.recovered.seeds for x in lines})


def few_seeds(counts: set[int]) -> list[str]:
    """What intervals over few seeds do not cover, a sentence for each such number of seeds."""
    warnings = []
    if 1 in counts:
        warnings.append("One seed: intervals cover the draw of test examples only, not the seed.")
    warnings.extend(
        f"{n} seeds: intervals may be too narrow; from {HONEST_SEEDS} seeds on "
        "they covered as they should in simulations (docs/statistics.md)."
        for n in sorted(counts)
        if 1 < n < HONEST_SEEDS
    )
    return warnings


FEW = 3
"""Tasks up to which each has its own sentence about the same concern."""


def _told(lines: list[Line], each: Callable[[Line], str], of_many: str) -> list[str]:
    """A sentence for each of a few tasks, or one about many."""
    tasks = list(dict.fromkeys(x.task for x in lines))
    if len(tasks) > FEW:
        return [f"on {len(tasks)} tasks, {of_many}: {', '.join(tasks)}."]
    return list(dict.fromkeys(map(each, lines)))


def _undefined(lines: list[Line], line: Line) -> str:
    """Why a line has no PGR; its method is named unless all of the task's lines say the same."""
    alike = {x.recovered.undefined for x in lines} == {line.recovered.undefined}
    who = line.task if alike else f"{line.task}, {line.method}"
    return f"{who}: PGR is undefined. {line.recovered.undefined}"


def _floor_wins(line: Line) -> str:
    r, gap = line.recovered, line.recovered.gap_interval
    return (
        f"{line.task}: PGR is undefined. The floor, {r.floor:.3f}, is above the ceiling, "
        f"{r.ceiling:.3f}: the supervisor scores better than the ceiling "
        f"({100 * gap.level:g}% interval of the gap: {gap.low:.3f} to {gap.high:.3f})."
    )


def _below_chance(lines: list[Line]) -> str:
    """Which scores on one task are worse than guessing."""
    scores = {role: score for x in lines for role, score in x.below_chance.items()}
    listed = " and ".join(f"{role} {score:.3f}" for role, score in scores.items())
    return (
        f"{lines[0].task}: {listed} below chance ({lines[0].chance:.3f}), which is worse than "
        "knowing nothing: look at the labels."
    )


def _cut(line: Line) -> str:
    """Who does not read the texts of a task to their end."""
    shares = (f"{n:.1%} of the texts for {x}" for x, n in line.truncated.items() if n > CUT)
    return f"{line.task}: texts are longer than a model reads, and are cut: {', '.join(shares)}."


def _probe_wins(lines: list[Line]) -> str:
    """What a probe above the ceiling means for the methods on one task."""
    one, r = lines[0], lines[0].recovered
    text = (
        f"{one.task}: a logistic probe with ground truth on the frozen {one.strong} scores "
        f"{one.probe_ceiling:.3f}, the finetuned ceiling {r.ceiling:.3f}: the ceiling is too low"
    )
    gap = (one.probe_ceiling or 0) - r.floor
    against = [
        f"{(x.recovered.student - r.floor) / gap:.2f} ({x.method})"
        for x in lines
        if x.recovered.value is not None
    ]
    if against:
        text += f", and PGR too high; against the probe's score it would be {', '.join(against)}"
    return text + "."


class Answers:
    """The answers on one task as arrays, examples in the order of their ids."""

    def __init__(self, rows: pl.DataFrame, seeds: int):
        import polars as pl

        who = ["role", "method", "seed"]
        rows = rows.sort(*who, "id")
        self._seeds = seeds
        self.kind = str(rows["kind"][0])
        # All at once: of one role and seed after another it takes many times as long.
        self._values = values_in(rows, self.kind)
        self._ids = rows["id"].to_numpy()
        ends = rows.group_by(who, maintain_order=True).agg(pl.len())["len"].to_numpy().cumsum()
        starts = [0, *ends[:-1]]
        keys = rows[starts].select(who).rows()
        self._parts = {k: slice(*ends) for k, *ends in zip(keys, starts, ends, strict=True)}
        self._one = self._parts["ngrams", "", -1]
        one = rows[self._one]
        self.labels = labels_from_lists(one["kind"][0], one["label"].to_list())
        self.groups = one["group"].to_numpy()

    def of(self, role: str, method: str = "") -> np.ndarray:
        """Answers of one role, (seeds, examples, …)."""
        return np.stack([self.one(role, method, seed) for seed in range(self._seeds)])

    def have(self, role: str, method: str = "") -> bool:
        """Whether there are any of that role."""
        return any(part[:2] == (role, method) for part in self._parts)

    def score(self, role: str, score: Callable[..., float]) -> float:
        """The metric of a check, which has no seed."""
        return float(score(self.one(role, "", -1), self.labels))

    def one(self, role: str, method: str, seed: int) -> np.ndarray:
        """Answers (examples, …) of one role and seed."""
        part = self._parts.get((role, method, seed))
        if part is None or not np.array_equal(self._ids[part], self._ids[self._one]):
            raise ValueError(f"{role} {method} seed {seed}: other examples than the rest")
        return self._values[part]


def _chance(on: str, labels: np.ndarray) -> float | None:
    """The score of knowing nothing but how often each class or target occurs."""
    if on == "roc_auc":
        return 0.5
    if on == "accuracy":
        return float(np.bincount(labels).max() / len(labels))
    if on == "exact_match":
        targets = Counter(normalised(accepted[0]) for accepted in labels)
        return max(targets.values()) / len(labels)
    return None
