"""What the strong model has of the concept, by linear probes and finetuning.

Burns et al. 2023, figure 11: linear probes on weak labels and on ground truth, finetuning on
weak labels, a probe with ground truth after that, finetuning on ground truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.analyses.saliency import BARS, bar_answers
from weak2strong.analysis.estimates import seed_scores
from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric, metric_title
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import CEILING, FLOOR, INK, Styles, new_figure, row_labels

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

WORDS = {
    "lp(weak)": "linear probe on weak labels",
    "lp(gt)": "linear probe on ground truth",
    "ft(weak)": "finetuned on weak labels",
    "ft(weak)+lp(gt)": "finetuned on weak labels, then probed with ground truth",
    "ft(gt)": "finetuned on ground truth",
}
"""The bars of `weak2strong.analysis.analyses.saliency` in words, in the order of the figure."""

ORDER = tuple(WORDS.values())


def data(run: FinishedRun) -> pl.DataFrame | None:
    """A row a task and setting; None where the run lacks one of the bars."""
    import polars as pl

    rows = []
    for task, tested in run.tested.items():
        score = metric(tested.kind, tested.metric)
        for bar, answers in bar_answers(tested).items():
            if answers is None:
                return None
            mean = float(seed_scores(answers, tested.labels, score).mean())
            rows.append((task, WORDS[bar], mean, tested.metric))
    return pl.DataFrame(rows, schema=["task", "setting", "score", "metric"], orient="row")


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A bar a setting, from 0; where there are several tasks, each is a circle."""
    checks = {"check probe": FLOOR, "ceiling": CEILING}
    colours = {
        WORDS[bar]: checks[of] if of in checks else styles[of.removeprefix("method ")].colour
        for bar, of in BARS.items()
    }
    figure, axes = new_figure(height=0.75 + 0.3 * len(ORDER))
    for y, name in enumerate(ORDER):
        scores = frame.filter(setting=name)["score"].to_list()
        mean = sum(scores) / len(scores)
        axes.barh(y, mean, height=0.62, color=colours[name])
        if len(scores) > 1:
            axes.plot(
                scores,
                [y] * len(scores),
                "o",
                color="none",
                markeredgecolor=INK,
                markersize=3.2,
                markeredgewidth=0.7,
            )
        axes.annotate(
            f"{mean:.3f}", (max(scores), y), (5, 0), textcoords="offset points", va="center"
        )
    row_labels(axes, ORDER)
    axes.set_yticklabels([name.replace(", then", ",\nthen") for name in ORDER])
    axes.set_xlim(0, 1.1)
    axes.set_xlabel(f"{metric_title(frame['metric'][0])} on the test set")
    return figure


def _means(frame: pl.DataFrame) -> dict[str, float]:
    import polars as pl

    means = frame.group_by("setting", maintain_order=True).agg(pl.col("score").mean())
    return dict(means.iter_rows())


def title(frame: pl.DataFrame) -> str:
    """What finetuning on weak labels adds for a probe."""
    of = _means(frame)
    after, before = of[ORDER[3]], of[ORDER[1]]
    return (
        f"After finetuning on weak labels, a probe with ground truth scores {after:.3f}, "
        f"before it {before:.3f}"
    )


def alt(frame: pl.DataFrame) -> str:
    """Every bar."""
    return "; ".join(f"{name} {mean:.3f}" for name, mean in _means(frame).items()) + "."


def note(frame: pl.DataFrame) -> str:
    """What is drawn."""
    return "Bars: means over tasks and seeds. Circles: tasks, where there are several."


SALIENCY = FigureKind("saliency", data, draw, title, alt, note)
