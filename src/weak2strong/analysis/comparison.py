"""Methods of finished runs against a baseline: from the runs to the table of the comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from weak2strong.analysis.compare import (
    Compared,
    Comparison,
    compare,
    p_text,
    signed,
    test_name,
)
from weak2strong.analysis.differences import ROLES, Score
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.oracles import oracles
from weak2strong.analysis.over_tasks import OnTheseTasks, on_these_tasks, sharing_tasks
from weak2strong.analysis.scores import pgr_scores, read_scores, student_scores
from weak2strong.analysis.settings_table import differ_in_settings, settings_document
from weak2strong.analysis.warnings import stopped_on_truth
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import (
    Column,
    Document,
    Row,
    Table,
    count,
    counted,
    number_text,
    words,
)
from weak2strong.methods import BASELINE
from weak2strong.methods.reference import is_oracle

COLUMNS = (
    "Pairs of p-values are one-sided (the method is better) and two-sided. Signed ranks and signs "
    "are exact and leave ties out; dz is the mean difference over its standard deviation."
)

LEVEL = 0.05
"""The usual level of the tests together."""

VISIBLE = 1.005
"""From this factor on, it is said by how much an interval is wider."""

TESTS = {"wilcoxon": "Wilcoxon", "t": "t", "sign": "sign"}


def compare_runs(
    runs: Sequence[FinishedRun],
    csv: Path | None = None,
    baseline: str = BASELINE,
    score: Literal["student", "pgr"] = "student",
    metric: str | None = None,
    test: str | None = None,
    level: float = LEVEL,
    between: Literal["methods", "settings"] | None = None,
) -> Document:
    """Compare the methods of runs, or of a file of scores, with a baseline; or runs' settings.

    Args:
        runs: finished runs; may be empty beside a file.
        csv: a file of scores from elsewhere, more being better.
        baseline: the method that the others are compared with; or ``floor`` or ``ceiling``: the
            supervisors or the ceilings, with which all methods are compared.
        score: what is compared: the student's score, or PGR.
        metric: another metric than the study's.
        test: another primary test than the study's.
        level: of the tests together, after Holm.
        between: what is compared: methods with the baseline, or every run with the first, which
            differs in a setting. By default settings, where the runs are there for it (see
            `differ_in_settings`) and nothing is asked for that concerns methods alone.

    Raises:
        UserError: where these cannot be compared.
    """
    of_methods = (csv, baseline, score, test, level) != (None, BASELINE, "student", None, LEVEL)
    if between == "settings":
        if of_methods or len(runs) < 2:
            raise UserError(
                "--between settings takes two runs or more, the first being the reference, and no "
                "--baseline, --csv, --score, --test or --level, which concern methods."
            )
        return settings_document(runs, metric)
    if between is None and not of_methods and differ_in_settings(runs):
        return settings_document(runs, metric)
    metric = metric or _same([r.config.metric or "accuracy" for r in runs], "metric", "score")
    test, warnings = _primary_test(runs, test)
    named = any(baseline in run.config.methods for run in runs)
    roles = (baseline,) if baseline in ROLES and not named else ()
    scores, left_out = _scores(runs, csv, score, metric, roles)
    scores, see_truth = _without_oracles(runs, scores, baseline)
    alone = len(runs) == 1 and not csv and baseline in (*roles, *runs[0].config.methods)
    luck = _luck(runs[0], baseline, metric, score, scores) if alone else {}
    in_common = {method: of.shared for method, of in luck.items()}
    comparison = compare(scores, baseline, test, level, in_common)
    what = metric_title(metric)
    if runs:
        what = f"PGR on {what}" if score == "pgr" else f"{what} of the student"
    more = (*warnings, *left_out, *see_truth, *_concerns(runs, scores, comparison, luck))
    comparison = replace(comparison, warnings=(*comparison.warnings, *more))
    return comparison_document(comparison, what, luck if score == "student" else None)


def _luck(
    run: FinishedRun,
    baseline: str,
    metric: str,
    score: Literal["student", "pgr"],
    scores: Sequence[Score],
) -> dict[str, OnTheseTasks]:
    """For each method its mean difference for the tasks of a run, and what tasks share of it."""
    under = {s.task: 1.0 for s in scores}
    if score == "pgr":
        of_task = {line.task: line.recovered for line in run.lines(metric)}
        under = {task: of_task[task].gap for task in under}
    return on_these_tasks(run.config, run.predictions, baseline, metric, under)


def _same(names: Sequence[str], what: str, default: str, flag: str = "--metric") -> str:
    """The one name that all studies have."""
    different = list(dict.fromkeys(names))
    if len(different) > 1:
        raise UserError(f"The runs differ in {what} ({', '.join(different)}): choose with {flag}.")
    return different[0] if different else default


def _primary_test(runs: Sequence[FinishedRun], test: str | None) -> tuple[str, list[str]]:
    """The primary test, and a warning where it is not the one that a study had named."""
    named = [r.config.primary_test for r in runs]
    if test is None:
        return _same(named, "primary_test", "wilcoxon-one-sided", "--test"), []
    if all(name == test for name in named):
        return test, []
    return test, [
        f"The study had named {' and '.join(dict.fromkeys(named))} as its primary test: "
        "with another one this comparison is exploratory."
    ]


def _scores(
    runs: Sequence[FinishedRun],
    csv: Path | None,
    score: str,
    metric: str,
    roles: Sequence[str] = (),
) -> tuple[list[Score], list[str]]:
    """All scores of methods, and of further roles, and sentences about tasks that were left out."""
    if csv and score == "pgr":
        raise UserError("A file of scores has no floor and ceiling: leave out --score pgr.")
    scores: list[Score] = read_scores(csv) if csv else []
    flat: list[str] = []
    for run in runs:
        if score == "student":
            scores += student_scores(run.config, run.cells, metric, roles)
            continue
        of_run, without = pgr_scores(run.config, run.cells, run.lines(metric), roles)
        scores += of_run
        flat += without
    if not scores:
        raise UserError("No task has a gap: compare the students' scores, without --score pgr.")
    scores, left_out = _unsaturated(runs, scores, metric)
    if flat:
        left_out.append(
            "Left out since the interval of the gap reaches 0: "
            f"{', '.join(dict.fromkeys(flat))}; the comparison speaks of tasks with a gap."
        )
    return scores, left_out


def _unsaturated(
    runs: Sequence[FinishedRun], scores: list[Score], metric: str
) -> tuple[list[Score], list[str]]:
    """The scores of the tasks that are not saturated in any run, and a sentence about the others.

    One task alone is compared over its seeds, saturated or not.

    Raises:
        UserError: where all of several tasks are saturated.
    """
    tasks = {s.task for s in scores}
    left = [t for t in dict.fromkeys(t for r in runs for t in r.too_easy(metric)) if t in tasks]
    if len(tasks) < 2 or not left:
        return scores, []
    cuts = " or ".join(f"{cut:g}" for cut in dict.fromkeys(run.cut for run in runs))
    which = f"floor and ceiling are both above {cuts} (saturated)"
    if len(left) == len(tasks):
        raise UserError(f"On every task {which}: give --saturated 1 to compare methods there.")
    return [s for s in scores if s.task not in left], [
        f"Left out since {which}; --saturated 1 keeps them: {', '.join(left)}."
    ]


def _without_oracles(
    runs: Sequence[FinishedRun], scores: Sequence[Score], baseline: str
) -> tuple[list[Score], list[str]]:
    """The scores of the methods that see no ground truth, and a sentence about the others."""
    see_truth = frozenset[str]().union(*(oracles(run.predictions) for run in runs))
    methods = {s.method for s in scores} - {baseline}
    left = sorted(m for m in methods if m in see_truth or is_oracle(m))
    if not left:
        return list(scores), []
    return [s for s in scores if s.method not in left], [
        f"Left out since they saw ground truth (oracle): {', '.join(left)}."
    ]


def _concerns(
    runs: Sequence[FinishedRun],
    scores: Sequence[Score],
    c: Comparison,
    luck: Mapping[str, OnTheseTasks],
) -> list[str]:
    """What must be known of the runs: tasks that are not independent, students that saw truth.

    Args:
        runs: the runs.
        scores: those that are compared.
        c: their comparison.
        luck: for each method what tasks share of its difference; empty where it is not known.
    """
    import polars as pl

    if not runs:
        return []
    used = sorted({s.task for s in scores})
    held = [r.predictions.select("task", "group").filter(pl.col("task").is_in(used)) for r in runs]
    tasks, warnings = sharing_tasks(pl.concat(held)), []
    if tasks and c.unit == "task":
        shares = ", ".join(f"{method} {luck[method].common:.0%}" for method in c.family if luck)
        warnings.append(
            f"{counted(len(tasks), 'task')} {'share' if len(tasks) > 1 else 'shares'} test "
            "entities with another one. "
            + (
                "p-values and intervals over tasks count the luck in common, as this run shows it "
                f"(share of a difference's variance: {shares})."
                if luck
                else "The tests, and the interval over tasks, take tasks for independent: luck "
                "with an entity that helps a method on several tasks makes them too sure "
                "(docs/statistics.md says by how much). Of one run alone, it is counted."
            )
        )
    return [*warnings, *stopped_on_truth(run.config for run in runs)]


def comparison_document(
    c: Comparison, what: str, on_these: Mapping[str, OnTheseTasks] | None = None
) -> Document:
    """The comparison as a table and sentences.

    Args:
        c: the comparison.
        what: was scored, such as "accuracy of the student".
        on_these: for each method its mean difference for these tasks.
    """
    units = max(len(m.differences) for m in c.compared)
    these = "these tasks" if c.unit == "task" else "this task"
    head = [
        f"\nMethods against {ROLES.get(c.baseline, c.baseline)} over {units} {c.unit}s: {what}",
        f"Primary test: {test_name(c.test)}, level {c.level:g}, "
        f"Holm over a family of {counted(len(c.family), 'method')}.",
    ]
    columns = [
        words("method"),
        *(count(name) for name in ("wins", "ties", "losses")),
        Column("effect", "difference [95%]", _difference),
        *([Column("on_these_tasks", f"{these} [95%]", _on_these)] if on_these else []),
        Column("dz", "dz", lambda row: number_text(row["effect"]["dz"], 2), detail=True),
        *(Column(name, title, _pair(name), detail=True) for name, title in TESTS.items()),
        Column("adjusted", "Holm p", lambda row: p_text(row["adjusted"])),
    ]
    rows = [_row(m, on_these) for m in c.compared]
    facts = {n: getattr(c, n) for n in ("baseline", "unit", "test", "level", "family")}
    notes = [COLUMNS + _these(on_these, c.unit), *_widened(c), *(m.sentence for m in c.compared)]
    table = Table("compared", "", columns, rows, notes)
    return Document([table], facts | {"score": what}, head, warnings=c.warnings)


def _row(m: Compared, on_these: Mapping[str, OnTheseTasks] | None) -> dict[str, Any]:
    """All that is known of a method, as raw values."""
    row = asdict(m) | {"wins": m.wins, "ties": m.ties, "losses": m.losses}
    if on_these:
        here = on_these[m.method]
        row["on_these_tasks"] = [here.interval.low, here.interval.high]
        row["common_variance"] = here.common
    return row


def _these(on_these: Mapping[str, OnTheseTasks] | None, unit: str) -> str:
    """How the two intervals of a difference differ."""
    if not on_these:
        return ""
    covers = next(iter(on_these.values())).interval.covers
    if unit == "seed":
        return (
            " The difference's interval is over seeds: what other seeds would give on these very "
            f"test examples. The one for this task is over {covers}."
        )
    return (
        " The difference's interval is over tasks: what other tasks like these would give. "
        f"The one for these tasks is over {covers}, entities drawn once for all."
    )


def _widened(c: Comparison) -> list[str]:
    """By how much luck in common makes intervals over tasks wider, where that can be seen."""
    factors = {m.method: m.widened for m in c.compared if m.widened >= VISIBLE}
    if not factors:
        return []
    listed = ", ".join(f"{method} {factor:.2f}" for method, factor in factors.items())
    return [
        "Tasks that share test entities are not independent: luck in common makes the interval "
        f"over tasks so many times as wide, and p-values larger accordingly: {listed}."
    ]


def _difference(row: Row) -> str:
    e = row["effect"]
    if math.isnan(e["low"]):
        return signed(e["mean"])
    return f"{signed(e['mean'])} [{signed(e['low'])}, {signed(e['high'])}]"


def _on_these(row: Row) -> str:
    low, high = row["on_these_tasks"]
    return f"[{signed(low)}, {signed(high)}]"


def _pair(test: str) -> Any:
    def text(row: Row) -> str:
        p = row["tests"][test]
        return f"{p_text(p['one_sided'])} {p_text(p['two_sided'])}"

    return text
