"""Scores from the easiest fifth of each task to the hardest, where tasks tell difficulties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import CEILING, FLOOR, PAPER, Look, Looks, new
from weak2strong.report.finished import Finished

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

PARTS = 5
NAMES = ("easiest fifth", "second", "third", "fourth", "hardest fifth")


def data(run: Finished) -> pl.DataFrame | None:
    """A row a role, method and fifth of difficulty; None where no task knows difficulties.

    Fifths are cut by rank within a task. Columns part (0 is easiest), accuracy (mean over the
    tasks), and low and high, the least and most of the seeds' accuracies.
    """
    import polars as pl

    if "difficulty" not in run.predictions.columns or not run.has_classes:
        return None
    test = run.predictions.filter(role="names").drop_nulls("difficulty")
    if test["difficulty"].n_unique() < PARTS:
        return None
    rank, n = pl.col("difficulty").rank("ordinal"), pl.len()
    parts = test.select("task", "id", part=((rank - 1) * PARTS // n).over("task").cast(pl.Int64))
    of = ["role", "method", "part"]
    by_seed = (
        run.judged.join(parts, on=["task", "id"])
        .group_by("task", "seed", *of)
        .agg(accuracy=pl.col("right").mean())
        .group_by("seed", *of)
        .agg(accuracy=pl.col("accuracy").mean())
    )
    score = pl.col("accuracy")
    return (
        by_seed.group_by(of)
        .agg(score.mean(), score.min().alias("low"), score.max().alias("high"))
        .sort(of)
    )


def _curves(frame: pl.DataFrame, methods: list[str]) -> list[tuple[str, pl.DataFrame]]:
    roles = [("floor", ""), *(("student", m) for m in methods), ("ceiling", "")]
    named = {"floor": "supervisor", "ceiling": "ceiling"}
    return [(named.get(r, m), frame.filter(role=r, method=m)) for r, m in roles]


def draw(frame: pl.DataFrame, looks: Looks) -> Figure:
    """A curve a role and method."""
    there = set(frame["method"])
    curves = _curves(frame, [m for m in looks if m in there])
    figure, axes = new(height=3.1)
    for i, (name, curve) in enumerate(curves):
        look = looks.get(name) or Look(FLOOR if name == "supervisor" else CEILING, "o")
        # Side by side, so that intervals do not hide each other.
        x = [p + 0.5 * (i + 0.5) / len(curves) - 0.25 for p in curve["part"]]
        axes.vlines(x, curve["low"].to_list(), curve["high"].to_list(), color=look.colour, lw=1)
        axes.plot(
            x,
            curve["accuracy"].to_list(),
            marker=look.mark,
            color=look.colour,
            markeredgecolor=PAPER,
            markeredgewidth=0.5,
            markersize=6,
            label=name,
        )
    axes.set_xticks(range(PARTS), NAMES)
    axes.set_ylabel("accuracy on the test set")
    axes.grid(axis="y")
    figure.legend(loc="outside right upper")
    return figure


def title(frame: pl.DataFrame) -> str:
    """How much the supervisor and its students lose from easy to hard."""

    def fall(role: str) -> float:
        of = frame.filter(role=role)
        ends = (of.filter(part=part)["accuracy"].to_list() for part in (0, PARTS - 1))
        easy, hard = (sum(x) / len(x) for x in ends)
        return hard - easy

    return (
        f"From the easiest to the hardest fifth, supervisors' accuracy changes by "
        f"{fall('floor'):+.2f}, their students' by {fall('student'):+.2f}"
    )


def alt(frame: pl.DataFrame) -> str:
    """Every point."""
    methods = sorted(set(frame.filter(role="student")["method"]))
    return (
        "; ".join(
            f"{name}: " + ", ".join(f"{x:.2f}" for x in curve["accuracy"])
            for name, curve in _curves(frame, methods)
        )
        + ", from easiest to hardest fifth."
    )


def note(frame: pl.DataFrame) -> str:
    """What the fifths and lines are."""
    return (
        "Fifths of the test examples by difficulty, cut by rank within each task that gives it; "
        "means over tasks and seeds. Lines: from the lowest seed to the highest."
    )


DIFFICULTY = FigureKind("difficulty", data, draw, title, alt, note)
