"""Bars by setting: supervisor, baseline, best other method and ceiling of several runs.

Burns et al. 2023, figure 1: a group of bars for each of NLP, chess and reward modelling.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric_title
from weak2strong.methods import BASELINE
from weak2strong.report.figures.drawing import new_figure, row_labels, text_at
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.scores import data as scores
from weak2strong.report.figures.scores import means
from weak2strong.report.figures.style import Styles, model_style
from weak2strong.report.names import run_names

BAR = 0.2
"""The height of a bar; the bars of a run take a height of one."""

NAMES = {
    "floor": "weak supervisor",
    BASELINE: "",
    "best": "best other: ",
    "ceiling": "strong ceiling",
}
"""The text before the method of each bar."""


def data(runs: Sequence[FinishedRun]) -> pl.DataFrame | None:
    """One row for each run and bar: floor, baseline, the best of the other methods, and ceiling.

    ``clear`` says of the best whether it is clearly above the baseline (1), below (-1) or neither
    (0), paired and all methods considered; it is null for the other bars.
    Scores are means over tasks and seeds, as in the run's own figure of scores. Oracles are not
    chosen as the best. There is no frame where all runs are of the same tasks, so that there is but
    one setting.
    """
    if len({tuple(run.by_task) for run in runs}) < 2:
        return None
    rows = []
    for run, name in run_names(runs).items():
        settings = means(scores(run)).select("role", "method", "score").rows()
        score_of = {(role, method): score for role, method, score in settings}
        others = {x.method for x in run.lines() if not x.oracle and x.method != BASELINE}
        best = max(sorted(others), key=lambda m: score_of["student", m], default="")
        for bar, role, method in (
            ("floor", "floor", ""),
            (BASELINE, "student", BASELINE),
            ("best", "student", best),
            ("ceiling", "ceiling", ""),
        ):
            if (role, method) in score_of:
                clear = run.claims.clear.get(best) if bar == "best" else None
                score = score_of[role, method]
                rows.append((name, run.lines()[0].metric, bar, method, score, clear))
    columns = ["run", "metric", "bar", "method", "score", "clear"]
    return pl.DataFrame(rows, schema=columns, orient="row", schema_overrides={"clear": pl.Int64})


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a group of bars for each run."""
    runs = frame.rows_by_key("run", named=True)
    figure, axes = new_figure(height=0.6 + 0.95 * len(runs))
    for group, bars in enumerate(runs.values()):
        for i, bar in enumerate(bars):
            y, score = group + BAR * (i - (len(bars) - 1) / 2), bar["score"]
            colour = model_style(bar["bar"], bar["method"], styles).colour
            axes.barh(y, score, height=0.9 * BAR, color=colour)
            text_at(axes, (score, y), f"{score:.3f}  {_name(bar)}", fontsize=7.5)
    row_labels(axes, list(runs))
    names = (f"{run}: {metric_title(bars[0]['metric'])}" for run, bars in runs.items())
    axes.set_yticklabels([fill(name, 26, break_on_hyphens=False) for name in names])
    # Room for the longest label behind the longest bar.
    axes.set_xlim(0, 1.1 + 0.014 * max(len(_name(row)) for row in frame.iter_rows(named=True)))
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.set_xlabel("score on the test set")
    return figure


def _name(bar: dict[str, str]) -> str:
    """The name of a bar."""
    return NAMES[bar["bar"]] + bar["method"]


def describe(frame: pl.DataFrame) -> Description:
    """Say where another method gains most over the baseline, and every bar."""
    texts = (
        f"{run}: " + ", ".join(f"{_name(bar)} {bar['score']:.3f}" for bar in bars)
        for run, bars in frame.rows_by_key("run", named=True).items()
    )
    return Description(
        title=_title(frame),
        alt=listed(texts),
        note="Means over tasks and seeds, each run by its own metric; tasks whose supervisors are "
        "at chance count only where all are. The best other method is "
        "chosen by the very test that scores it, so it flatters; oracles are left out. Clearly: "
        "the interval of the paired difference, widened for the number of methods, leaves out 0.",
    )


def _title(frame: pl.DataFrame) -> str:
    """In which run the best other method gains most over the baseline, if it clearly does."""
    best, baseline = (
        frame.filter(bar=bar).select("run", "method", "score", "clear")
        for bar in ("best", BASELINE)
    )
    gain = (pl.col("score") - pl.col("score_baseline")).alias("gain")
    gains = best.join(baseline, on="run", suffix="_baseline", maintain_order="left")
    if not len(gains):
        return f"Supervisor, students and ceiling of {frame['run'].n_unique()} runs"
    clear = gains.filter(clear=1).select("run", "method", gain)
    if not len(clear):
        return f"No other method is clearly better than {BASELINE} finetuning in any setting"
    run, method, most = clear.sort("gain", descending=True, maintain_order=True).row(0)
    return f"Of other methods, {method} gains most over {BASELINE} finetuning: {most:+.3f} in {run}"


SETTINGS = FigureKind("settings", data, draw, describe)
