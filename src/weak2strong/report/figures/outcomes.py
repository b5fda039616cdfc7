"""Students against supervisors: who is right where, as shares of the test set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.analyses.agreement import who_is_right
from weak2strong.analysis.finished import FinishedRun
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import (
    COLOURS,
    FLOOR,
    GRID,
    INK,
    PAPER,
    Styles,
    new_figure,
    row_labels,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

NAMES = {
    (True, True): "both right",
    (True, False): "student alone right",
    (False, True): "supervisor alone right",
    (False, False): "both wrong",
}
"""By whether the student is right, and its supervisor."""

KINDS = {
    "both right": (GRID, INK),
    "student alone right": (COLOURS[2], PAPER),
    "supervisor alone right": (COLOURS[1], PAPER),
    "both wrong": (FLOOR, PAPER),
}
"""Colours of the bars and of the numbers in them."""

SMALLEST = 0.055
"""A share whose number fits into its bar."""


def data(run: FinishedRun) -> pl.DataFrame | None:
    """A row a task, method and kind: its share of the test set, a mean over seeds."""
    import polars as pl

    rows = [
        (task, method, NAMES[which], float(here.mean()))
        for task, tested in run.tested.items()
        for method in run.config.methods
        for which, here in who_is_right(tested, method).items()
    ]
    return pl.DataFrame(rows, schema=["task", "method", "outcome", "share"], orient="row")


def _means(frame: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Shares by method and kind, means over tasks."""
    import polars as pl

    found = dict[str, dict[str, float]]()
    means = frame.group_by("method", "outcome", maintain_order=True).agg(pl.col("share").mean())
    for method, outcome, share in means.iter_rows():
        found.setdefault(method, {})[outcome] = share
    return found


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A bar a method that adds up to the whole test set."""
    means = _means(frame)
    figure, axes = new_figure(height=1.0 + 0.3 * len(means))
    left = [0.0] * len(means)
    for kind, (colour, ink) in KINDS.items():
        shares = [of[kind] for of in means.values()]
        axes.barh(range(len(means)), shares, left=left, height=0.66, color=colour, label=kind)
        for y, (start, share) in enumerate(zip(left, shares, strict=True)):
            if share >= SMALLEST:
                at = start + share / 2
                axes.text(
                    at, y, f"{100 * share:.0f}%", ha="center", va="center", color=ink, fontsize=8
                )
        left = [a + b for a, b in zip(left, shares, strict=True)]
    row_labels(axes, list(means))
    axes.grid(visible=False)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f}%")
    axes.set_xlabel("share of the test set")
    figure.legend(loc="outside upper center", ncols=4, handlelength=1, columnspacing=1.2)
    return figure


def title(frame: pl.DataFrame) -> str:
    """Who corrects most errors."""
    means = _means(frame)
    method = max(means, key=lambda m: means[m]["student alone right"])
    of = means[method]
    alone, lost, both = (
        of[k] for k in ("student alone right", "supervisor alone right", "both wrong")
    )
    wrong = alone + both
    share = f"{100 * alone / wrong:.0f}% of its supervisor's errors" if wrong else "no error"
    return f"The student of {method} corrects {share} and loses {100 * lost:.1f}% of all answers"


def alt(frame: pl.DataFrame) -> str:
    """Every share."""
    return (
        "; ".join(
            f"{method}: " + ", ".join(f"{kind} {100 * of[kind]:.1f}%" for kind in KINDS)
            for method, of in _means(frame).items()
        )
        + "."
    )


def note(frame: pl.DataFrame) -> str:
    """Over what the shares are."""
    tasks = frame["task"].n_unique()
    over = f"means over {tasks} tasks and all seeds" if tasks > 1 else "means over seeds"
    return f"Shares of the test set, {over}; each student beside its own supervisor."


OUTCOMES = FigureKind("outcomes", data, draw, title, alt, note)
