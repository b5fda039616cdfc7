"""What linear probes and finetuning tell of the concept in the strong model.

Burns et al. 2023, figure 11: linear probes on weak labels and on ground truth, finetuning on
weak labels, a probe with ground truth after that, finetuning on ground truth.
"""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.analyses.saliency import saliency_rows
from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric, metric_title
from weak2strong.report.figures.drawing import new_figure, row_labels, score_bar, score_bars_note
from weak2strong.report.figures.kind import Description, FigureKind, listed, marked, oracles_note
from weak2strong.report.figures.style import CEILING, FLOOR, Styles

TITLES = {
    "lp(weak)": "linear probe on weak labels",
    "lp(gt)": "linear probe on ground truth",
    "ft(weak)": "finetuned on weak labels",
    "ft(weak)+lp(gt)": "finetuned on weak labels, then probed with ground truth",
    "ft(gt)": "finetuned on ground truth",
}
"""The bars of the analysis in words."""


def data(run: FinishedRun) -> pl.DataFrame | None:
    """One row for each task and bar, with its interval; None where the run lacks a bar.

    ``oracle`` marks bars of a method whose students saw ground truth.
    """
    rows = []
    for task, tested in run.tested.items():
        for row in saliency_rows(tested, metric(tested.kind, tested.metric)):
            if row["score"] is None:
                return None
            estimate = (row["score"], row["score_low"], row["score_high"])
            method = row["of"].removeprefix("method ")
            about = (method, method in run.oracles)
            rows.append((task, TITLES[row["bar"]], row["of"], *estimate, tested.metric, *about))
    columns = ["task", "setting", "of", "score", "low", "high", "metric", "method", "oracle"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _means(frame: pl.DataFrame) -> pl.DataFrame:
    """The mean score of each bar over the tasks."""
    return frame.group_by("setting", "of", maintain_order=True).agg(pl.col("score").mean())


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw the bars of the paper's figure; circles are single tasks."""
    figure, axes = new_figure(height=0.75 + 0.3 * len(TITLES))
    colours = {"check probe": FLOOR, "ceiling": CEILING}
    for y, (setting, source, mean) in enumerate(_means(frame).iter_rows()):
        colour = colours.get(source) or styles[source.removeprefix("method ")].colour
        score_bar(axes, y, mean, frame.filter(setting=setting), colour)
    row_labels(axes, list(TITLES.values()))
    labels = marked(frame, TITLES.values(), by="setting")
    axes.set_yticklabels([label.replace(", then", ",\nthen") for label in labels])
    axes.set_xlim(0, 1.1)
    axes.set_xlabel(f"{metric_title(frame['metric'][0])} on the test set")
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say what finetuning on weak labels adds for a probe, and every bar."""
    means = {setting: mean for setting, _, mean in _means(frame).iter_rows()}
    after, before = (means[TITLES[name]] for name in ("ft(weak)+lp(gt)", "lp(gt)"))
    return Description(
        title=f"After finetuning on weak labels, a probe with ground truth scores {after:.3f}, "
        f"before it {before:.3f}",
        alt=listed(f"{name} {mean:.3f}" for name, mean in means.items()),
        note=score_bars_note(frame["task"].n_unique()) + oracles_note(frame, titled=False),
    )


SALIENCY = FigureKind("saliency", data, draw, describe)
