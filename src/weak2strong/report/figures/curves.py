"""Training curves: loss, validation score, learning rate and gradient norm, by step."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.table import counted
from weak2strong.protocol.learned import WINDOW
from weak2strong.report.figures.drawing import legend, panel_columns
from weak2strong.report.figures.kind import (
    Description,
    FigureKind,
    by_model,
    listed,
    marked,
    oracles_note,
    saw_truth,
)
from weak2strong.report.figures.style import Styles, model_style

TASKS = 6
"""So many tasks have panels; the data have all of them."""

MEASURES = {
    "loss": "loss",
    "validation": "validation\nscore",
    "rate": "learning\nrate",
    "gradient_norm": "gradient\nnorm",
}
"""The columns that the panels show, from top to bottom, and the labels of their axes."""

SMOOTHED = ("loss", "gradient_norm")
"""The measures that jump from batch to batch, most of all at the end of a pass over the data, where
a batch may have a few examples alone."""

KEYS = ("task", "role", "method", "seed")


def data(run: FinishedRun) -> pl.DataFrame | None:
    """One row for each step that the run folder has, of supervisors, students and ceilings.

    Of a student whose method finetunes several times, it is the last finetuning. ``rate`` is the
    learning rate of the trunk, or of the head where that alone is trained; ``oracle`` marks
    students that saw ground truth.
    """
    curves = run.curves
    if curves is None:
        return None
    own = curves.filter((pl.col("role") == "student") | (pl.col("method") == ""))
    last = own.filter(pl.col("fit") == pl.col("fit").max().over(KEYS))
    return last.select(
        *KEYS,
        "step",
        "steps",
        "loss",
        "validation",
        pl.coalesce("learning_rate", "head_rate").alias("rate"),
        "gradient_norm",
    ).with_columns(
        pl.col("role").replace("supervisor", "floor"),
        oracle=saw_truth(run) & (pl.col("role") == "student"),
    )


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a column for each task: the mean over seeds of each model, and each seed thin."""
    tasks = frame["task"].unique(maintain_order=True).to_list()[:TASKS]
    shown = {name: label for name, label in MEASURES.items() if frame[name].count()}
    figure, panels = panel_columns(tasks, [*shown.values()], 1.35 * len(shown), 3, one_scale=False)
    lines = {}
    for task, column in panels.items():
        for name, rows in by_model(frame.filter(task=task)).items():
            style = model_style(rows["role"][0], rows["method"][0], styles)
            (label,) = marked(frame, [_label(name)])
            lines[label] = {"color": style.colour}
            for axes, measure in zip(column, shown, strict=True):
                _curve(axes, rows.drop_nulls(measure), measure, style.colour)
    legend(figure, 4, lines)
    figure.supxlabel("step")
    return figure


def _label(name: str) -> str:
    return "supervisor (floor)" if name == "supervisor" else name


def _curve(axes: Axes, rows: pl.DataFrame, measure: str, colour: str) -> None:
    """Draw one measure of one model: the mean over seeds, and each seed."""
    if measure in SMOOTHED:
        rows = rows.with_columns(_smooth(measure))
    seeds = [seed for _, seed in rows.group_by("seed", maintain_order=True)]
    mark = {"marker": "o", "markersize": 2.5} if measure == "validation" else {}
    for seed in seeds if len(seeds) > 1 else ():
        axes.plot(seed["step"], seed[measure], color=colour, linewidth=0.6, alpha=0.35)
    mean = means(rows, measure)
    axes.plot(mean["step"], mean[measure], color=colour, linewidth=1.4, **mark)


def _smooth(measure: str) -> pl.Expr:
    """Of each training the mean over a tenth of its rows around each row."""
    return pl.col(measure).map_batches(_running).over(KEYS)


def _running(values: pl.Series) -> pl.Series:
    """The mean over a tenth of the values around each of them; at the ends over those there are."""
    return values.rolling_mean(max(1, round(WINDOW * len(values))), min_samples=1, center=True)


def means(rows: pl.DataFrame, measure: str) -> pl.DataFrame:
    """The mean over the seeds of one model; trainings of other lengths meet point by point."""
    number = pl.int_range(pl.len()).over("seed").alias("number")
    points = rows.with_columns(number).group_by("number", maintain_order=True)
    return points.agg(pl.col("step", measure).mean())


def _ends(frame: pl.DataFrame) -> pl.DataFrame:
    """Of each training the mean loss of the first and the last tenth of its steps."""
    share, step = WINDOW * pl.col("steps"), pl.col("step")
    first = pl.col("loss").filter((step <= share) | (step == step.min())).mean()
    last = pl.col("loss").filter(step > pl.col("steps") - share).mean()
    trainings = frame.group_by(KEYS, maintain_order=True)
    return trainings.agg(
        first=first, last=last, validation=pl.col("validation").drop_nulls().last()
    )


def describe(frame: pl.DataFrame) -> Description:
    """Say how many trainings end below where they began, and both ends of every model."""
    ends, texts = _ends(frame), []
    for task in ends["task"].unique(maintain_order=True):
        for name, rows in by_model(ends.filter(task=task)).items():
            score = rows["validation"].mean()
            scored = "" if score is None else f", validation score {score:.3f} at the end"
            texts.append(
                f"{task}, {_label(name)}: loss {rows['first'].mean():.3f} at first, "
                f"{rows['last'].mean():.3f} at last{scored}"
            )
    fallen, count = int((ends["last"] < ends["first"]).sum()), len(ends)
    which = ("all " if count > 1 else "") if fallen == count else f"{fallen} of "
    title = (
        f"In {which}{counted(count, 'finetuning')} the loss of the last tenth of the steps is "
        "below that of the first"
    )
    return Description(title, listed(texts), _note(frame))


def _note(frame: pl.DataFrame) -> str:
    """How to read the figure."""
    several = frame["seed"].n_unique() > 1
    lines = "Lines: means over seeds; thin lines: single seeds." if several else "Lines: one seed."
    note = (
        f"{lines} Loss and gradient norm: means over a tenth of the steps around each (the data "
        "have every point). The loss is what a training minimises, so that methods with other "
        "losses are not to be compared by it; the gradient norm is that before clipping."
    )
    if frame["validation"].count():
        note += (
            " Validation scores are those by which weights are chosen: a student's are against "
            "weak labels, unless an oracle stops it."
        )
    tasks, note = frame["task"].n_unique(), note + oracles_note(frame, titled=False)
    return note + (f" The first {TASKS} of {tasks} tasks are shown." if tasks > TASKS else "")


CURVES = FigureKind("curves", data, draw, describe)
