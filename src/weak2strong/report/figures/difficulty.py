"""Scores from the easiest test examples of a task to the hardest, where it tells difficulties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.analyses.difficulty import in_buckets, quarters
from weak2strong.analysis.estimates import seed_scores
from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric, metric_title
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import PAPER, Styles, curves, new_figure, style_of

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

QUARTERS = ("easiest quarter", "second", "third", "hardest quarter")


def data(run: FinishedRun) -> pl.DataFrame | None:
    """A row a task, part, role, method and seed; None where no task tells easy from hard.

    Parts are the buckets of `analysis.analyses.difficulty`, ``part`` 0 being the easiest,
    ``from`` and ``to`` their ends. Of several tasks they are quarters, so that means can be taken:
    a bucket of equally hard examples stands in every quarter that begins in it. Without tasks of
    which some bucket has no score.
    """
    import numpy as np
    import polars as pl

    found = []
    for task, tested in run.tested.items():
        if tested.difficulty is None:
            continue
        score = metric(tested.kind, tested.metric)
        rows = [
            (task, tested.metric, part, bucket.low, bucket.high, *who, seed, x)
            for part, bucket, who, answers in in_buckets(tested)
            for seed, x in enumerate(seed_scores(answers, tested.labels[bucket.members], score))
        ]
        held = quarters(tested.difficulty)
        if len(set(held)) > 1 and np.isfinite([row[-1] for row in rows]).all():
            found.append((rows, held))
    names = ["task", "metric", "part", "from", "to", "role", "method", "seed", "score"]
    rows = [row for of, _ in found for row in of]
    if len(found) > 1:
        rows = [
            (task, on, quarter, *rest)
            for of, held in found
            for quarter, bucket in enumerate(held)
            for task, on, part, *rest in of
            if part == bucket
        ]
    return pl.DataFrame(rows, schema=names, orient="row") if rows else None


def _means(frame: pl.DataFrame) -> pl.DataFrame:
    """Score a role, method and part, mean over tasks and seeds; low and high are of the seeds."""
    import polars as pl

    of, score = ["role", "method", "part"], pl.col("score")
    return (
        frame.group_by(*of, "seed")
        .agg(score.mean())
        .group_by(of)
        .agg(score.mean(), score.min().alias("low"), score.max().alias("high"))
        .sort(of)
    )


def _parts(frame: pl.DataFrame) -> list[str]:
    """What the parts are called, easy to hard."""
    if frame["task"].n_unique() > 1:
        return list(QUARTERS)
    ends = frame.select("part", "from", "to").unique().sort("part")
    return [f"{_short(low)} to {_short(high)}" for _, low, high in ends.iter_rows()]


def _short(end: float) -> str:
    """An end of a bucket, to four digits or to the unit."""
    return f"{end:.4g}" if abs(end) < 1e4 else f"{end:,.0f}"


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A curve a role and method."""
    models, names = curves(_means(frame), styles), _parts(frame)
    figure, axes = new_figure(height=3.1)
    for i, (name, curve) in enumerate(models):
        style = style_of(name, styles)
        # Side by side, so that intervals do not hide each other.
        x = [p + 0.5 * (i + 0.5) / len(models) - 0.25 for p in curve["part"]]
        axes.vlines(x, curve["low"].to_list(), curve["high"].to_list(), color=style.colour, lw=1)
        axes.plot(
            x,
            curve["score"].to_list(),
            marker=style.mark,
            color=style.colour,
            markeredgecolor=PAPER,
            markeredgewidth=0.5,
            markersize=6,
            label=name,
        )
    axes.set_xticks(range(len(names)), names)
    if names != list(QUARTERS):
        axes.set_xlabel("difficulty, in the task's own unit")
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.02), min(high, 1.02))
    axes.set_ylabel(f"{_metric(frame)} on the test set")
    axes.grid(axis="y")
    figure.legend(loc="outside right upper")
    return figure


def _metric(frame: pl.DataFrame) -> str:
    name: str = frame["metric"][0]
    return metric_title(name)


def title(frame: pl.DataFrame) -> str:
    """How much the supervisor and its students lose from easy to hard."""
    means, last = _means(frame), frame["part"].max()

    def fall(role: str) -> float:
        of = means.filter(role=role)
        ends = (of.filter(part=part)["score"].to_list() for part in (0, last))
        easy, hard = (sum(x) / len(x) for x in ends)
        return hard - easy

    part = "quarter" if frame["task"].n_unique() > 1 else "bucket"
    return (
        f"From the easiest to the hardest {part}, supervisors' {_metric(frame)} changes by "
        f"{fall('floor'):+.2f}, their students' by {fall('student'):+.2f}"
    )


def alt(frame: pl.DataFrame) -> str:
    """Every point."""
    return (
        "; ".join(
            f"{name}: " + ", ".join(f"{x:.2f}" for x in curve["score"])
            for name, curve in curves(_means(frame))
        )
        + f", for {', '.join(_parts(frame))}."
    )


def note(frame: pl.DataFrame) -> str:
    """What the parts and lines are."""
    tasks = frame["task"].n_unique()
    if tasks > 1:
        parts = (
            f"Quarters of the test examples by difficulty, within each of the {tasks} tasks that "
            "tell it; equally hard examples stay together, so that a task may have fewer parts. "
            "Means over these tasks and seeds."
        )
    else:
        parts = (
            "Buckets of test examples by difficulty, cut at its quartiles; a bucket ends before "
            "its upper number, the last one with it. Means over seeds."
        )
    return f"{parts} Lines: from the lowest seed to the highest."


DIFFICULTY = FigureKind("difficulty", data, draw, title, alt, note)
