"""Two runs that differ in a setting: in which, and what that does to their scores, paired.

Both runs answered the same test examples, and seed s of the one is paired with seed s of the other,
which share what the setting leaves alone: initialisation, order, often the supervisor. A difference
is run minus reference, a mean over tasks and seeds with the interval of
`weak2strong.analysis.contrasts`: over seeds and test examples, for these tasks. PGRs differ by a
difference of two ratios, whose interval is that of its delta method.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.analysis.aggregate import Answered
from weak2strong.analysis.answers import Answers
from weak2strong.analysis.contrasts import Difference, Paired
from weak2strong.analysis.summary import Line
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.metrics import less_is_better, metric, metrics_of, usual_metric

if TYPE_CHECKING:
    import polars as pl

NO_SETTINGS = ("tasks", "methods", "seeds", "metric", "primary_test", "saturated", "literature")
"""What two runs may differ in without differing in a setting."""

REFERENCE, RUN = "reference", "run"


@dataclass(frozen=True)
class Differs:
    """Settings in which two runs differ in the same way.

    Attributes:
        settings: their names as in a study file, with dots, such as ``strong_training.stopping``.
        reference: their value in the reference.
        run: their value in the other run.
    """

    settings: tuple[str, ...]
    reference: Any
    run: Any


@dataclass(frozen=True)
class Compared:
    """A score, or a PGR, in two runs.

    Attributes:
        role: ``floor``, ``student`` or ``ceiling``; ``pgr`` for the PGR of a method.
        method: of student and PGR; empty for the others.
        reference: the mean over tasks and seeds in the reference; None where PGR is undefined.
        run: the same in the other run.
        difference: run minus reference, paired; None where PGR is undefined in one of them.
    """

    role: str
    method: str
    reference: float | None
    run: float | None
    difference: Difference | None


@dataclass(frozen=True)
class SettingsCompared:
    """Two runs that differ in settings.

    Attributes:
        differs: in what they differ.
        metric: the name of the metric of all scores.
        tasks: the tasks that both have with the same test examples.
        left_out: why other tasks of both are left out, a sentence each.
        seeds: how many seeds both have.
        examples: how many test examples the tasks have together.
        rows: supervisors, students of each method of both, ceilings, and PGRs.
    """

    differs: tuple[Differs, ...]
    metric: str
    tasks: tuple[str, ...]
    left_out: tuple[str, ...]
    seeds: int
    examples: int
    rows: tuple[Compared, ...]

    @property
    def covers(self) -> str:
        """What the intervals take into account."""
        return next(row.difference.interval.covers for row in self.rows if row.difference)

    def values(self) -> list[dict[str, Any]]:
        """A row a score as raw values; see docs/json.md."""
        same = {"metric": self.metric, "tasks": len(self.tasks), "seeds": self.seeds}
        rows = []
        for row in self.rows:
            d = row.difference
            numbers = (d.value, d.interval.low, d.interval.high) if d else (None, None, None)
            names = ("difference", "difference_low", "difference_high")
            about = {"role": row.role, "method": row.method or None}
            about |= {"reference_score": row.reference, "score": row.run}
            by_task = dict(d.by_task) if d else None
            rows.append(
                about | dict(zip(names, numbers, strict=True)) | same | {"by_task": by_task}
            )
        return rows

    def table(self) -> pl.DataFrame:
        """The rows of `values` but for those by task."""
        import polars as pl

        rows = [{k: v for k, v in row.items() if k != "by_task"} for row in self.values()]
        return pl.DataFrame(rows, infer_schema_length=None)


def differing(reference: StudyConfig, run: StudyConfig) -> tuple[Differs, ...]:
    """The settings in which two studies differ; those with the same two values stand together."""
    (before, after) = (_flat(asdict(config)) for config in (reference, run))
    found = dict[str, Differs]()
    for name in dict.fromkeys((*before, *after)):
        values = (before.get(name), after.get(name))
        texts = [json.dumps(value, default=str, sort_keys=True) for value in values]
        if texts[0] != texts[1]:
            same = found.get(" ".join(texts))
            names = (*same.settings, name) if same else (name,)
            found[" ".join(texts)] = Differs(names, *values)
    return tuple(found.values())


def _flat(settings: Mapping[str, Any], under: str = "") -> dict[str, Any]:
    """Settings by their names with dots."""
    flat = {}
    for name, value in settings.items():
        if under or name not in NO_SETTINGS:
            inner = isinstance(value, Mapping) and value
            flat |= _flat(value, f"{under}{name}.") if inner else {f"{under}{name}": value}
    return flat


@dataclass(frozen=True)
class Side:
    """A finished run as far as it is compared.

    Attributes:
        config: its study.
        predictions: its test predictions.
        lines: its lines on a metric, or on that of the study; they say where PGR is undefined and
            which supervisors are at chance.
    """

    config: StudyConfig
    predictions: pl.DataFrame
    lines: Callable[[str | None], Sequence[Line]]

    def counted(self, on: str) -> set[tuple[str, str]]:
        """The tasks and methods whose PGR is in a mean over tasks: as in the tables of the run."""
        kind = self.predictions["kind"][0]
        usual = on == (self.config.metric or usual_metric(kind))
        lines = self.lines(None if usual else on)
        alone = len({line.task for line in lines}) == 1
        return {
            (line.task, line.method)
            for line in lines
            if line.recovered.value is not None
            and (alone or (line.supervised and not line.too_easy))
        }


def settings_compared(reference: Side, run: Side, on: str | None = None) -> SettingsCompared:
    """Compare two runs that differ in a setting.

    Args:
        reference: the run that is subtracted.
        run: the other run.
        on: a metric of which more is better; that of both studies if None.

    Raises:
        UserError: where they do not differ, differ in metric, or nothing can be paired.
    """
    differs = differing(reference.config, run.config)
    if not differs:
        raise UserError(
            "The runs differ in no setting, so that there is nothing to compare between them."
        )
    seeds = min(reference.config.seeds, run.config.seeds)
    pairs, left_out = _same_tests(reference, run, seeds)
    methods = [m for m in reference.config.methods if m in run.config.methods]
    on = _metric(reference, run, on, next(iter(pairs.values()))[0].kind)
    roles = [("floor", ""), *(("student", m) for m in methods), ("ceiling", "")]
    who = [(side, role, method) for side in (REFERENCE, RUN) for role, method in roles]
    paired = Paired({task: _answered(both, who, on) for task, both in pairs.items()}, who)
    rows = [_scores(paired, role, method) for side, role, method in who if side == RUN]
    counted = reference.counted(on) & run.counted(on)
    rows += [_pgr(paired, m, [task for task in pairs if (task, m) in counted]) for m in methods]
    examples = sum(len(task.labels) for task in paired.tasks.values())
    return SettingsCompared(
        differs, on, tuple(pairs), tuple(left_out), seeds, examples, tuple(rows)
    )


def _same_tests(
    reference: Side, run: Side, seeds: int
) -> tuple[dict[str, tuple[Answers, Answers]], list[str]]:
    """The answers to each task that both have with the same test examples, and other tasks.

    Raises:
        UserError: where there is no such task.
    """
    names = [list(dict.fromkeys(side.predictions["task"])) for side in (reference, run)]
    common = [task for task in names[0] if task in names[1]]
    if not common:
        raise UserError(
            f"The runs have no task in common ({', '.join(names[0])}; {', '.join(names[1])}), so "
            "that nothing can be paired: compare runs of the same tasks."
        )
    pairs, left_out = {}, []
    for task in common:
        one, other = (
            Answers(side.predictions.filter(task=task), seeds) for side in (reference, run)
        )
        if why := _unlike(one, other):
            left_out.append(f"{task}: the runs {why}.")
        else:
            pairs[task] = (one, other)
    if not pairs:
        raise UserError(
            f"Nothing can be paired, since {left_out[0].removesuffix('.')}: compare runs with the "
            "same split_seed, data and difficulty of the test."
        )
    return pairs, left_out


def _unlike(one: Answers, other: Answers) -> str | None:
    """Why the answers of two runs to a task cannot be paired; None where they can."""
    if one.kind != other.kind:
        return f"ask for {one.kind} and {other.kind}"
    if not np.array_equal(one.ids, other.ids):
        shared = len(np.intersect1d(one.ids, other.ids))
        return f"were tested on other examples ({shared:,} of {len(one.ids):,} in common)"
    if not all(np.array_equal(a, b) for a, b in zip(one.labels, other.labels, strict=True)):
        return "have other ground truth for the same test examples"
    return None


def _metric(reference: Side, run: Side, on: str | None, kind: str) -> str:
    """The metric of both, or the one that was asked for."""
    names = [side.config.metric or usual_metric(kind) for side in (reference, run)]
    if on is None and names[0] != names[1]:
        raise UserError(f"The runs differ in metric ({', '.join(names)}): choose with --metric.")
    name = on or names[0]
    known = [m for m in metrics_of(kind, name) if not less_is_better(m)]
    if name not in known:
        raise unknown_name("metric of which more is better", name, known)
    return name


def _answered(
    both: tuple[Answers, Answers], who: Sequence[tuple[str, str, str]], on: str
) -> Answered:
    """The answers of both runs to one task."""
    one, other = both
    roles = [(one if side == REFERENCE else other).of(role, m) for side, role, m in who]
    return Answered(roles, one.labels, one.groups, metric(one.kind, on))


def _scores(paired: Paired, role: str, method: str) -> Compared:
    """The score of one role in both runs."""
    reference, run = ((side, role, method) for side in (REFERENCE, RUN))
    before, after = (float(np.mean(list(paired.means(who).values()))) for who in (reference, run))
    return Compared(role, method, before, after, paired.difference(run, reference))


def _pgr(paired: Paired, method: str, tasks: Sequence[str]) -> Compared:
    """The mean PGR of a method in both runs, over the tasks where both have one that counts."""
    roles = {
        side: [(side, "floor", ""), (side, "student", method), (side, "ceiling", "")]
        for side in (REFERENCE, RUN)
    }
    if not tasks:
        return Compared("pgr", method, None, None, None)
    before, after = (paired.recovered(roles[side], tasks) for side in (REFERENCE, RUN))
    difference = paired.recovered_difference(roles[RUN], roles[REFERENCE], tasks)
    return Compared("pgr", method, before, after, difference)
