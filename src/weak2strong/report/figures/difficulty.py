"""Scores from the easiest test examples to the hardest, for tasks that know difficulties."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.analyses.difficulty import in_buckets, quarters
from weak2strong.analysis.estimates import seed_scores
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.tested import Tested
from weak2strong.ground.metrics import metric, metric_title
from weak2strong.report.figures.drawing import curve, new_figure
from weak2strong.report.figures.kind import (
    Description,
    FigureKind,
    by_model,
    marked,
    oracles_note,
    saw_truth,
)
from weak2strong.report.figures.style import Styles, model_style

QUARTERS = ["easiest quarter", "second", "third", "hardest quarter"]


def data(run: FinishedRun) -> pl.DataFrame | None:
    """One row for each task, part of the test set, model and seed.

    The parts of one task are the buckets of `weak2strong.analysis.analyses.difficulty`; ``part`` 0
    is the easiest, and ``from`` and ``to`` are its ends. The parts of several tasks are quarters,
    so that means can be taken: a bucket of equally hard examples stands in every quarter that
    begins in it. ``oracle`` marks students that saw ground truth. A task is left out where some
    bucket has no score. There is no frame where no task tells easy from hard.
    """
    frames, sees_truth = [], saw_truth(run)
    for task, tested in run.tested.items():
        if tested.difficulty is None:
            continue
        bucket_of_quarter = quarters(tested.difficulty)
        frame = _buckets(task, tested).with_columns(oracle=sees_truth)
        if len(set(bucket_of_quarter)) > 1 and frame["score"].is_finite().all():
            frames.append((frame, bucket_of_quarter))
    if len(frames) < 2:
        return frames[0][0] if frames else None
    return pl.concat(
        frame.filter(part=bucket).with_columns(part=pl.lit(quarter, pl.Int64))
        for frame, bucket_of_quarter in frames
        for quarter, bucket in enumerate(bucket_of_quarter)
    )


def _buckets(task: str, tested: Tested) -> pl.DataFrame:
    """One row for each bucket, model and seed of one task."""
    score = metric(tested.kind, tested.metric)
    rows = [
        (task, tested.metric, number, bucket.low, bucket.high, *who, seed, x)
        for number, bucket, who, answers in in_buckets(tested)
        for seed, x in enumerate(seed_scores(answers, tested.labels[bucket.members], score))
    ]
    columns = ["task", "metric", "part", "from", "to", "role", "method", "seed", "score"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _means(frame: pl.DataFrame) -> pl.DataFrame:
    """The mean score of each model and part over tasks and seeds; low and high are over seeds."""
    keys, score = ["role", "method", "part"], pl.col("score")
    seeds = frame.group_by(*keys, "seed", maintain_order=True).agg(score.mean())
    ends = (score.min().alias("low"), score.max().alias("high"))
    return seeds.group_by(keys, maintain_order=True).agg(score.mean(), *ends)


def _parts(frame: pl.DataFrame) -> list[str]:
    """The names of the parts, from easy to hard."""
    if frame["task"].n_unique() > 1:
        return QUARTERS
    ends = frame.select("part", "from", "to").unique().sort("part")
    return [f"{_end_text(low)} to {_end_text(high)}" for _, low, high in ends.iter_rows()]


def _end_text(end: float) -> str:
    """An end of a bucket, to four digits or to the unit."""
    return f"{end:.4g}" if abs(end) < 1e4 else f"{end:,.0f}"


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a curve for each model."""
    models, parts = by_model(_means(frame)), _parts(frame)
    figure, axes = new_figure(height=3.1)
    for i, (name, rows) in enumerate(zip(marked(frame, models), models.values(), strict=True)):
        style = model_style(rows["role"][0], rows["method"][0], styles)
        # Side by side, so that intervals do not hide each other.
        x = [part + 0.5 * (i + 0.5) / len(models) - 0.25 for part in rows["part"]]
        axes.vlines(x, *(rows[end].to_list() for end in ("low", "high")), color=style.colour, lw=1)
        curve(axes, x, rows["score"].to_list(), style, label=name, markeredgewidth=0.5)
    axes.set_xticks(range(len(parts)), parts)
    if parts != QUARTERS:
        axes.set_xlabel("difficulty, in the task's own unit")
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.02), min(high, 1.02))
    axes.set_ylabel(f"{metric_title(frame['metric'][0])} on the test set")
    axes.grid(axis="y")
    figure.legend(loc="outside right upper")
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say how scores change from easy to hard, and every point."""
    means, parts, tasks = _means(frame), _parts(frame), frame["task"].n_unique()
    role_means = means.group_by("role", "part").agg(pl.col("score").mean())
    ends = {(role, part): score for role, part, score in role_means.iter_rows()}
    floor, student = (ends[role, len(parts) - 1] - ends[role, 0] for role in ("floor", "student"))
    texts = (
        f"{name}: " + ", ".join(f"{x:.2f}" for x in rows["score"])
        for name, rows in by_model(means).items()
    )
    several = (
        f"Quarters of the test examples by difficulty, within each of the {tasks} tasks that "
        "tell it; equally hard examples stay together, so that a task may have fewer parts. "
        "Means over these tasks and seeds."
    )
    one = (
        "Buckets of test examples by difficulty, cut at its quartiles; a bucket ends before "
        "its upper number, the last one with it. Means over seeds."
    )
    return Description(
        title=f"From the easiest to the hardest {'quarter' if tasks > 1 else 'bucket'}, "
        f"supervisors' {metric_title(frame['metric'][0])} changes by {floor:+.2f}, their "
        f"students' by {student:+.2f}",
        alt=f"{'; '.join(texts)}, for {', '.join(parts)}.",
        note=f"{several if tasks > 1 else one} Lines: from the lowest seed to the highest."
        f"{oracles_note(frame, titled=False)}",
    )


DIFFICULTY = FigureKind("difficulty", data, draw, describe)
