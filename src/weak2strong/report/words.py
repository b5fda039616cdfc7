"""What a run found in plain words: one sentence a method."""

from __future__ import annotations

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.intervals import Interval
from weak2strong.ground.metrics import metric_title


def sentences(run: FinishedRun) -> dict[str, str]:
    """A sentence a method, with PGR and its interval, or why there is none."""
    return {method: _sentence(run, method) for method in run.config.methods}


def _sentence(run: FinishedRun, method: str) -> str:
    lines = [x for x in run.lines() if x.method == method]
    upper = " (an upper bound: it sees ground truth)" if lines[0].oracle else ""
    if run.over is not None:
        return _over_tasks(run, method) + upper + "."
    line = lines[0]
    r = line.recovered
    metric = metric_title(line.metric)
    told = (
        f"Students reach {r.student:.3f} {metric}, where their supervisors have {r.floor:.3f} "
        f"and the ceiling {r.ceiling:.3f}"
    )
    if r.value is None or r.interval is None:
        return f"{told}{upper}. PGR is undefined: {_lower(r.undefined or '')}"
    return f"{told}: they {_verb(r.value, r.interval)} (PGR {_pgr(r.value, r.interval)}){upper}."


def _over_tasks(run: FinishedRun, method: str) -> str:
    over = run.over
    assert over is not None
    a, used, every = over.methods[method], len(over.used), len(run.by_task)
    if a.mean is not None and a.mean_interval is not None:
        tasks = f"{used} tasks" if used == every else f"the {used} of {every} tasks that have a gap"
        text = _verb(a.mean, a.mean_interval)
        return f"On {tasks}, students {text} on average (mean PGR {_pgr(a.mean, a.mean_interval)})"
    if a.pooled is not None and a.pooled_interval is not None:
        text, pgr = _verb(a.pooled, a.pooled_interval), _pgr(a.pooled, a.pooled_interval)
        return f"On all {every} tasks together, students {text} (pooled PGR {pgr})"
    return (
        f"PGR is undefined: on {every - used} of {every} tasks, and on all together, the ceiling "
        "is not clearly above the floor"
    )


def _verb(value: float, interval: Interval) -> str:
    """What a PGR and its interval say."""
    share = f"{100 * value:.0f}% of the gap"
    if interval.low > 0:
        return f"recover {share}"
    if interval.high < 0:
        return "do worse than their supervisors"
    return f"are not clearly better than their supervisors, recovering {share}"


def _pgr(value: float, interval: Interval) -> str:
    return (
        f"{value:.2f}, {100 * interval.level:g}% interval {interval.low:.2f} to {interval.high:.2f}"
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
