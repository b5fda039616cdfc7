"""What a run found, in plain words: one sentence about each method."""

from __future__ import annotations

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.intervals import Interval
from weak2strong.analysis.over_tasks import OverTasks
from weak2strong.ground.metrics import metric_title


def sentences(run: FinishedRun) -> dict[str, str]:
    """One sentence for each method: its PGR with the interval, or why there is none."""
    return {method: _sentence(run, method) for method in run.config.methods}


def _sentence(run: FinishedRun, method: str) -> str:
    line = next(x for x in run.lines() if x.method == method)
    oracle = " (an upper bound: it sees ground truth)" if line.oracle else ""
    if run.over is not None:
        return f"{_over_tasks(run.over, len(run.by_task), method)}{oracle}."
    r = line.recovered
    scores = (
        f"Students reach {r.student:.3f} {metric_title(line.metric)}, where their supervisors have "
        f"{r.floor:.3f} and the ceiling {r.ceiling:.3f}"
    )
    if r.value is None or r.interval is None:
        reason = r.undefined or ""
        return f"{scores}{oracle}. PGR is undefined: {reason[:1].lower()}{reason[1:]}"
    return f"{scores}: they {_recovery(r.value, r.interval, 'PGR')}{oracle}."


def _over_tasks(over: OverTasks, tasks: int, method: str) -> str:
    """The mean PGR of a method over the tasks with a gap, else the PGR of all tasks together."""
    pgr, used = over.methods[method], len(over.used)
    if pgr.mean is not None and pgr.mean_interval is not None:
        which = f"{used} tasks" if used == tasks else f"the {used} of {tasks} tasks that have a gap"
        recovery = _recovery(pgr.mean, pgr.mean_interval, "mean PGR", " on average")
        return f"On {which}, students {recovery}"
    if pgr.pooled is not None and pgr.pooled_interval is not None:
        recovery = _recovery(pgr.pooled, pgr.pooled_interval, "pooled PGR")
        return f"On all {tasks} tasks together, students {recovery}"
    return (
        f"PGR is undefined: on {tasks - used} of {tasks} tasks, and on all together, the ceiling "
        "is not clearly above the floor"
    )


def _recovery(value: float, interval: Interval, name: str, how: str = "") -> str:
    """What a PGR and its interval say of students, with both in brackets."""
    share = f"{100 * value:.0f}% of the gap"
    verb = f"are not clearly better than their supervisors, recovering {share}"
    if interval.low > 0:
        verb = f"recover {share}"
    elif interval.high < 0:
        verb = "do worse than their supervisors"
    level, low, high = f"{100 * interval.level:g}%", f"{interval.low:.2f}", f"{interval.high:.2f}"
    return f"{verb}{how} ({name} {value:.2f}, {level} interval {low} to {high})"
