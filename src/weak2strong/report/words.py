"""What a run found, in plain words: one sentence about each method, and the words of headlines."""

from __future__ import annotations

from weak2strong.analysis.contrasts import Difference
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.intervals import Interval
from weak2strong.analysis.over_tasks import OverTasks
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import WIDE, counted, is_wide, number_text
from weak2strong.methods import BASELINE

UNSUPERVISED = "their supervisors are not clearly above chance"
"""Why scores above a supervisor's are no success."""


def sentences(run: FinishedRun) -> dict[str, str]:
    """One sentence or two for each method.

    Its PGR with the interval, or why there is none; and its paired difference to the baseline.
    """
    return {m: f"{_sentence(run, m)}{_against_baseline(run, m)}" for m in run.config.methods}


def _sentence(run: FinishedRun, method: str) -> str:
    line = next(x for x in run.lines() if x.method == method)
    oracle = " (an upper bound: it sees ground truth)" if line.oracle else ""
    if run.over is not None:
        return f"{_over_tasks(run, run.over, method)}{oracle}."
    r = line.recovered
    scores = (
        f"Students reach {r.student:.3f} {metric_title(line.metric)}, where their supervisors have "
        f"{r.floor:.3f} and the ceiling {r.ceiling:.3f}"
    )
    if r.value is None or r.interval is None:
        reason = r.undefined or ""
        return f"{scores}{oracle}. PGR is undefined: {reason[:1].lower()}{reason[1:]}"
    if not line.supervised:
        numbers = _with_interval(r.value, r.interval)
        return f"{scores}{oracle}. But {UNSUPERVISED}: this is no weak supervision (PGR {numbers})."
    return f"{scores}: they {recovery(r.value, r.interval, 'PGR')}{oracle}."


def _over_tasks(run: FinishedRun, over: OverTasks, method: str) -> str:
    """The mean PGR of a method over the tasks with a gap, else the PGR of all tasks together."""
    pgr, used, tasks = over.methods[method], len(over.used), len(run.by_task)
    if pgr.mean is not None and pgr.mean_interval is not None:
        having = "a gap and a supervisor above chance" if over.unsupervised else "a gap"
        which = (
            f"{used} tasks" if used == tasks else f"the {used} of {tasks} tasks that have {having}"
        )
        share = recovery(pgr.mean, pgr.mean_interval, "mean PGR", " on average")
        text = f"On {which}, students {share}"
        return f"{text}; but {UNSUPERVISED}" if not run.claims.supervised else text
    if pgr.pooled is not None and pgr.pooled_interval is not None:
        share = recovery(pgr.pooled, pgr.pooled_interval, "pooled PGR")
        text = f"On all {tasks} tasks together, students {share}"
        return f"{text}; but {UNSUPERVISED}" if not run.claims.supervised else text
    return f"PGR is undefined: {no_gap(over, tasks)}"


def no_gap(over: OverTasks, tasks: int) -> str:
    """Why there is no PGR over so many tasks, as a clause."""
    return (
        f"on {len(over.flat)} of {tasks} tasks, and on all together, the ceiling is not clearly "
        "above the floor"
    )


def recovery(value: float, interval: Interval, name: str, how: str = "") -> str:
    """What a PGR and its interval say of students, with both in brackets."""
    if is_wide({"pgr_low": interval.low, "pgr_high": interval.high}):
        return (
            f"may recover the gap or not{how}: the interval of {name} reaches beyond -{WIDE:g} or "
            f"{WIDE:g}, which says nothing"
        )
    share = f"{100 * abs(value):.0f}% of the gap"
    verb = f"are not clearly better than their supervisors, recovering {share}"
    if value < 0:
        verb = f"are not clearly worse than their supervisors, losing {share}"
    if interval.low > 0:
        verb = f"recover {share}"
    elif interval.high < 0:
        verb = f"do worse than their supervisors, losing {share}"
    return f"{verb}{how} ({name} {_with_interval(value, interval)})"


def _with_interval(value: float, interval: Interval) -> str:
    if is_wide({"pgr_low": interval.low, "pgr_high": interval.high}):
        return f"undefined, its interval reaching beyond -{WIDE:g} or {WIDE:g}"
    level = f"{100 * interval.level:g}%"
    return f"{value:.2f}, {level} interval {interval.low:.2f} to {interval.high:.2f}"


def _against_baseline(run: FinishedRun, method: str) -> str:
    """The paired difference to the baseline in a sentence; nothing where there is none."""
    difference = run.claims.differences.get(method)
    if not difference:
        return ""
    fewer = run.over is not None and len(run.over.used) < len(difference.by_task)
    every = "" if run.claims.saturated else "all "
    over = f"over {every}{len(difference.by_task)} tasks, " if fewer else ""
    return f" {against(method, BASELINE, difference, over)}."


def against(one: str, other: str, difference: Difference, over: str = "") -> str:
    """What a paired difference says of two methods; ``over`` says of which tasks, if of others."""
    x = difference
    numbers = f"95% interval {signed(x.interval.low)} to {signed(x.interval.high)}"
    how = f"{over}paired by seed and test example"
    if not x.interval.high > x.interval.low and not x.value:
        return f"Students of {one} score the same as those of {other}"
    if not x.sign:
        return (
            f"Students of {one} and {other} do not clearly differ: {signed(x.value)} ({numbers}, "
            f"{how})"
        )
    than = "higher" if x.sign > 0 else "lower"
    size = f"{abs(x.value):.3f}"
    return f"Students of {one} score {size} {than} than those of {other} ({numbers}, {how})"


def left_out_as_saturated(tasks: int, cut: float) -> str:
    """A sentence on the tasks that no mean counts, for the note of a figure."""
    return (
        f"No mean counts {counted(tasks, 'task')} with floor and ceiling above {cut:g} (saturated)."
    )


def signed(value: float) -> str:
    """A difference with three decimals and its sign."""
    return number_text(value, 3, sign=True)
