"""Bars by setting: supervisor, students of each method, ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric_title
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import (
    CEILING,
    FLOOR,
    INK,
    MUTED,
    PAPER,
    Styles,
    new_figure,
    number_text,
    row_labels,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

NAMES = {"floor": "supervisor (floor)", "ceiling": "ceiling"}


def data(run: FinishedRun) -> pl.DataFrame:
    """A row a task and setting: score with interval, chance and the metric's name."""
    import polars as pl

    rows = []
    for task, lines in run.by_task.items():
        r = lines[0].recovered
        settings = [
            ("floor", "", r.floor, r.floor_interval),
            *(
                ("student", x.method, x.recovered.student, x.recovered.student_interval)
                for x in lines
            ),
            ("ceiling", "", r.ceiling, r.ceiling_interval),
        ]
        for role, method, score, interval in settings:
            ends = (interval.low, interval.high)
            rows.append((task, role, method, score, *ends, lines[0].chance, lines[0].metric))
    columns = ["task", "role", "method", "score", "low", "high", "chance", "metric"]
    return pl.DataFrame(rows, schema=columns, orient="row", schema_overrides={"chance": pl.Float64})


def means(frame: pl.DataFrame) -> pl.DataFrame:
    """The mean over tasks of each setting; its interval where there is one task."""
    import polars as pl

    one = frame["task"].n_unique() == 1
    ends = pl.col("low", "high").first() if one else pl.lit(None).alias("low")
    found = frame.group_by("role", "method", maintain_order=True).agg(
        pl.col("score").mean(), ends, *([] if one else [pl.lit(None).alias("high")])
    )
    order = {"floor": 0, "student": 1, "ceiling": 2}
    return found.sort(pl.col("role").replace_strict(order), maintain_order=True)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Horizontal bars from 0; where there are several tasks, each is a dot."""
    shown = list(means(frame).iter_rows(named=True))
    figure, axes = new_figure(height=0.75 + 0.3 * len(shown))
    several = frame["task"].n_unique() > 1
    for y, row in enumerate(shown):
        colour = _colour(row["role"], row["method"], styles)
        axes.barh(y, row["score"], height=0.62, color=colour)
        right = row["score"]
        if several:
            scores = frame.filter(role=row["role"], method=row["method"])["score"].to_list()
            axes.plot(
                scores,
                [y] * len(scores),
                "o",
                markersize=3.2,
                color=PAPER,
                markeredgecolor=INK,
                markeredgewidth=0.7,
            )
            right = max(scores)
        else:
            # A light line beneath, so that the interval is seen on a dark bar too.
            for colour, width in ((PAPER, 3.2), (INK, 1.4)):
                axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=width)
            right = max(right, row["high"])
        axes.annotate(
            f"{row['score']:.3f}", (right, y), (5, 0), textcoords="offset points", va="center"
        )
    chances = frame["chance"].drop_nulls().unique()
    if len(chances) == 1:
        axes.axvline(chances[0], color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)))
        axes.annotate(
            "chance",
            (chances[0], 1),
            (3, 1),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=8,
            color=MUTED,
        )
    row_labels(axes, [NAMES.get(row["role"]) or row["method"] for row in shown])
    top = float(frame["high"].max() if not several else frame["score"].max())  # pyright: ignore
    axes.set_xlim(0, max(1.0, top) * 1.1)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    metric = metric_title(frame["metric"][0])
    axes.set_xlabel(f"{metric} on the test set" + (", mean over tasks" if several else ""))
    return figure


def title(frame: pl.DataFrame) -> str:
    """How many methods' students pass their supervisor, and how many reach the ceiling."""
    m = means(frame)
    floor, ceiling = m.filter(role="floor")["score"][0], m.filter(role="ceiling")["score"][0]
    scores = m.filter(role="student")["score"].to_list()
    above, reached = sum(s > floor for s in scores), sum(s >= ceiling for s in scores)
    methods = f"{len(scores)} methods" if len(scores) > 1 else "1 method"
    return (
        f"Students of {above} of {methods} score above their supervisor; {reached} reach the "
        "ceiling"
    )


def alt(frame: pl.DataFrame) -> str:
    """Every bar."""
    several = frame["task"].n_unique() > 1
    rows = means(frame).iter_rows(named=True)
    bars = (
        f"{NAMES.get(r['role'], r['method'])} "
        + number_text((r["score"],) if several else (r["score"], r["low"], r["high"]), 3)
        for r in rows
    )
    return "Bars: " + "; ".join(bars) + "."


def note(frame: pl.DataFrame) -> str:
    """What bars, dots and lines are."""
    tasks = frame["task"].n_unique()
    if tasks > 1:
        return f"Bars: means over {tasks} tasks and all seeds. Circles: tasks."
    return "Bars: means over seeds. Lines: 95% intervals over seeds and test examples."


def _colour(role: str, method: str, styles: Styles) -> str:
    return {"floor": FLOOR, "ceiling": CEILING}.get(role) or styles[method].colour


SCORES = FigureKind("scores", data, draw, title, alt, note)
