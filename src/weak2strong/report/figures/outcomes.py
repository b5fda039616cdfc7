"""The shares of the test set on which the student, its supervisor, both or none are right."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.analyses.agreement import who_is_right
from weak2strong.analysis.finished import FinishedRun
from weak2strong.report.figures.drawing import legend, new_figure, row_labels
from weak2strong.report.figures.kind import (
    Description,
    FigureKind,
    fair,
    listed,
    marked,
    oracles_note,
)
from weak2strong.report.figures.style import COLOURS, FLOOR, GRID, INK, PAPER, Styles

OUTCOMES_BY_RIGHT = {
    (True, True): "both right",
    (True, False): "student alone right",
    (False, True): "supervisor alone right",
    (False, False): "both wrong",
}
"""The outcomes by whether the student is right, and its supervisor."""

BAR_COLOURS = {
    "both right": (GRID, INK),
    "student alone right": (COLOURS[2], PAPER),
    "supervisor alone right": (COLOURS[1], PAPER),
    "both wrong": (FLOOR, PAPER),
}
"""The colour of each bar and of the number in it."""

SMALLEST = 0.055
"""The smallest share whose number fits into its bar."""


COLUMNS = ["task", "method", "outcome", "share", "supervised", "oracle"]


def data(run: FinishedRun) -> pl.DataFrame:
    """One row for each task, method and outcome: its share of the test set, a mean over seeds.

    ``supervised`` says whether the task's supervisors are clearly above chance, ``oracle`` whether
    the students saw ground truth.
    """
    see_truth = run.oracles
    known = {line.task for line in run.lines() if line.supervised}
    rows = [
        (
            *(task, method, OUTCOMES_BY_RIGHT[which], float(examples.mean())),
            *(task in known, method in see_truth),
        )
        for task, tested in run.tested.items()
        for method in run.config.methods
        for which, examples in who_is_right(tested, method).items()
    ]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _means(frame: pl.DataFrame) -> dict[str, dict[str, float]]:
    """The share of each method and outcome, a mean over tasks."""
    wide = frame.pivot("outcome", index="method", values="share", aggregate_function="mean")
    return wide.rows_by_key("method", named=True, unique=True)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a bar for each method, whose parts add up to all test examples."""
    means = _means(frame)
    figure, axes = new_figure(height=1.0 + 0.3 * len(means))
    left = [0.0] * len(means)
    for outcome, (colour, ink) in BAR_COLOURS.items():
        shares = [shares_of[outcome] for shares_of in means.values()]
        bars = axes.barh(range(len(means)), shares, 0.66, left, color=colour, label=outcome)
        texts = [f"{100 * share:.0f}%" if share >= SMALLEST else "" for share in shares]
        axes.bar_label(bars, texts, label_type="center", color=ink, fontsize=8)
        left = [start + share for start, share in zip(left, shares, strict=True)]
    row_labels(axes, marked(frame, means))
    axes.grid(visible=False)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f}%")
    axes.set_xlabel("share of the test set")
    handles, _ = axes.get_legend_handles_labels()
    legend(figure, 4, handles=handles, handlelength=1, columnspacing=1.2)
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say whose students correct most errors, and every share."""
    means, tasks = _means(frame), frame["task"].n_unique()
    method = max(_means(fair(frame)).items(), key=lambda m: m[1]["student alone right"])[0]
    corrected, lost = (means[method][f"{who} alone right"] for who in ("student", "supervisor"))
    texts = (
        f"{method}: " + ", ".join(f"{name} {100 * shares[name]:.1f}%" for name in BAR_COLOURS)
        for method, shares in means.items()
    )
    over = f"means over {tasks} tasks and all seeds" if tasks > 1 else "means over seeds"
    title = f"students of {method} correct {100 * corrected:.1f}% and lose {100 * lost:.1f}%"
    if not frame["supervised"].any():
        title += ", of supervisors that are not clearly above chance"
    return Description(
        title=f"Of all answers, {title}",
        alt=listed(texts),
        note=f"Shares of the test set, {over}; each student beside its own supervisor. "
        "To correct is to be right where the supervisor is wrong, to lose the contrary."
        + oracles_note(frame),
    )


OUTCOMES = FigureKind("outcomes", data, draw, describe)
