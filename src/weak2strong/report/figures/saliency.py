"""What the strong model has of the concept, by linear probes and finetuning.

Burns et al. 2023, figure 11: linear probes on weak labels and on ground truth, finetuning on
weak labels, a probe with ground truth after that, finetuning on ground truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric_title
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import CEILING, FLOOR, INK, Styles, new_figure, row_labels

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

STUDENTS = {
    "linear probe on weak labels": "linear-probe",
    "finetuned on weak labels": "naive",
    "finetuned on weak labels, then probed with ground truth": "finetune-then-probe",
}
ORDER = (
    "linear probe on weak labels",
    "linear probe on ground truth",
    "finetuned on weak labels",
    "finetuned on weak labels, then probed with ground truth",
    "finetuned on ground truth",
)


def data(run: FinishedRun) -> pl.DataFrame | None:
    """A row a task and setting; None where the run lacks one of the methods."""
    import polars as pl

    rows = []
    for task, lines in run.by_task.items():
        of = {x.method: x.recovered for x in lines}
        first = lines[0]
        if not set(STUDENTS.values()) <= set(of) or first.probe_ceiling is None:
            return None
        scores = {name: of[m].student for name, m in STUDENTS.items()} | {
            "linear probe on ground truth": first.probe_ceiling,
            "finetuned on ground truth": first.recovered.ceiling,
        }
        rows += [(task, name, scores[name], first.metric) for name in ORDER]
    return pl.DataFrame(rows, schema=["task", "setting", "score", "metric"], orient="row")


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A bar a setting, from 0; where there are several tasks, each is a circle."""
    colours = {name: styles[method].colour for name, method in STUDENTS.items()} | {
        "linear probe on ground truth": FLOOR,
        "finetuned on ground truth": CEILING,
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
