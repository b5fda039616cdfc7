"""Scores as bars: the supervisor, the students of each method, the ceiling."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.contrasts import Difference
from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import counted, estimate_text
from weak2strong.report.figures.drawing import (
    new_figure,
    row_labels,
    score_bar,
    score_bars_note,
    text_above,
)
from weak2strong.report.figures.kind import (
    Description,
    FigureKind,
    fair,
    listed,
    marked,
    oracles_note,
)
from weak2strong.report.figures.style import DASHES, INK, MUTED, PAPER, Styles, model_style

NAMES = {"floor": "supervisor (floor)", "ceiling": "ceiling"}

APART = ("above_floor", "above_ceiling")
"""The columns of students' differences to supervisor and ceiling."""


def data(run: FinishedRun) -> pl.DataFrame:
    """One row for each task and model: the score and its interval, chance, the metric's name.

    ``supervised`` says whether the task's supervisors are clearly above chance, ``saturated``
    whether no mean counts it since floor and ceiling are above ``cut``. Rows of students
    also have ``above_floor`` and ``above_ceiling``, their paired differences to supervisor and
    ceiling with intervals; these are means over the tasks that are supervised and not saturated.
    ``oracle`` marks students that saw ground truth.
    """
    rows, claims, see_truth = [], run.claims, run.oracles
    for task, lines in run.by_task.items():
        first, r = lines[0], lines[0].recovered
        students = [
            ("student", x.method, x.recovered.student, x.recovered.student_interval) for x in lines
        ]
        for role, method, score, interval in (
            ("floor", "", r.floor, r.floor_interval),
            *students,
            ("ceiling", "", r.ceiling, r.ceiling_interval),
        ):
            ends = (interval.low, interval.high)
            row = (task, role, method, score, *ends, first.chance, first.metric)
            of = (claims.gains.get(method), claims.behind.get(method))
            apart = (x for d in of for x in _numbers(d if role == "student" else None))
            known = (task in claims.supervised, task in claims.saturated, first.cut)
            known = (*known, method in see_truth)
            rows.append((*row, *known, *apart))
    columns = ["task", "role", "method", "score", "low", "high", "chance", "metric", "supervised"]
    columns += ["saturated", "cut", "oracle"]
    differences = [f"{name}{end}" for name in APART for end in ("", "_low", "_high")]
    floats = dict.fromkeys(["chance", *differences], pl.Float64)
    schema = [*columns, *differences]
    return pl.DataFrame(rows, schema=schema, orient="row", schema_overrides=floats)


def _numbers(x: Difference | None) -> tuple[float | None, ...]:
    """A difference and the ends of its interval; None for one that is not there."""
    return (x.value, x.interval.low, x.interval.high) if x else (None, None, None)


def averaged(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of the tasks that are averaged, if there are any.

    Those whose supervisors are above chance: where a supervisor knows nothing, its students' scores
    say nothing of a method. And those that are not saturated.
    """
    for chosen in ("supervised", ~pl.col("saturated")):
        frame = rest if len(rest := frame.filter(chosen)) else frame
    return frame


def means(frame: pl.DataFrame) -> pl.DataFrame:
    """The mean score of each model over the tasks of `averaged`; its interval where one task is."""
    ends = pl.when(pl.len() == 1).then(pl.col("low", "high").first()).name.prefix("score_")
    models = averaged(frame).group_by("role", "method", maintain_order=True)
    return models.agg(pl.col("score").mean(), ends)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a horizontal bar for each model; circles are single tasks, crosses those left out."""
    bars, counting = means(frame), averaged(frame)
    figure, axes = new_figure(height=0.75 + 0.3 * len(bars))
    for y, (role, method, mean, *_) in enumerate(bars.iter_rows()):
        rows = counting.filter(role=role, method=method)
        others = frame.filter(role=role, method=method).join(rows, on="task", how="anti")
        colour = model_style(role, method, styles).colour
        score_bar(axes, y, mean, rows, colour, others["score"].to_list())
        for colour, width in ((PAPER, 3.0), (INK, 1.2)):
            crosses = {"markersize": 4.2, "color": colour, "markeredgewidth": width}
            axes.plot(others["score"], [y] * len(others), "x", **crosses)
    chances = frame["chance"].drop_nulls().unique()
    if len(chances) == 1:
        axes.axvline(chances[0], color=MUTED, linewidth=0.9, linestyle=DASHES)
        text_above(axes, chances[0], "chance", gap=3, ha="left")
    names = [NAMES.get(str(role), str(method)) for role, method, *_ in bars.iter_rows()]
    row_labels(axes, marked(frame, names))
    several = counting["task"].n_unique() > 1
    axes.set_xlim(0, 1.1 * max(1.0, *frame["score" if several else "high"]))
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    over = ", mean over tasks" if several else ""
    axes.set_xlabel(f"{metric_title(frame['metric'][0])} on the test set{over}")
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say how many methods are clearly apart from supervisor and ceiling, and every bar."""
    bars = means(frame)
    texts = (
        f"{NAMES.get(row['role'], row['method'])} {estimate_text(row, 'score')}"
        for row in bars.iter_rows(named=True)
    )
    tasks, counting = frame["task"].n_unique(), averaged(frame)["task"].n_unique()
    note = score_bars_note(counting)
    if counting < tasks:
        note += (
            f" Crosses: {counted(tasks - counting, 'more task')} without a supervisor that is "
            f"clearly above chance{_or_saturated(frame)}; no bar counts them."
        )
    if frame["supervised"].any():
        note += (
            " Clearly: the 95% interval of the difference, paired by seed and test example, leaves "
            "out 0."
        )
    return Description(
        title=_title(frame), alt=listed(texts, "Bars: "), note=note + oracles_note(frame)
    )


def _or_saturated(frame: pl.DataFrame) -> str:
    """Which further tasks no bar counts."""
    if not frame["saturated"].any():
        return ""
    return f", or with floor and ceiling above {frame['cut'][0]:g} (saturated)"


def _title(frame: pl.DataFrame) -> str:
    """How many methods are clearly above or below their supervisors, and below the ceiling."""
    tasks = frame.unique("task")
    supervised = int(tasks["supervised"].sum())
    if not supervised:
        return "Supervisors are not clearly above chance: students above them show nothing"
    students = fair(frame.filter(role="student")).unique("method", maintain_order=True)
    above, below = ((students[f"above_floor_{end}"] * s > 0).sum() for end, s in ENDS)
    _, under = ((students[f"above_ceiling_{end}"] * s > 0).sum() for end, s in ENDS)
    methods, tail = counted(len(students), "method"), ""
    counting = averaged(frame)["task"].n_unique()
    if counting < len(tasks):
        chance = f"whose supervisor{'s are' if counting > 1 else ' is'} above chance"
        which = [chance] if supervised < len(tasks) else []
        which += [f"that {'are' if counting > 1 else 'is'} not saturated"] * any(tasks["saturated"])
        tail = f" (on the {counting} of {len(tasks)} tasks {' and '.join(which)})"
    worse = f", those of {below} clearly below" if below else ""
    return (
        f"Students of {above} of {methods} are clearly above their supervisors{worse}; those of "
        f"{under or 'none'} clearly below the ceiling{tail}"
    )


ENDS = (("low", 1), ("high", -1))
"""The end of an interval that decides whether a difference is clearly above or below 0."""

SCORES = FigureKind("scores", data, draw, describe)
