"""Scores of probes against layer and setting, through the place that one would choose.

EleutherAI 2024 sweeps k and layer of nearest neighbours, and penalty and layer of regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.swept import Swept
from weak2strong.ground.metrics import metric_title
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import (
    CEILING,
    COLOURS,
    FLOOR,
    INK,
    PAPER,
    Styles,
    clipped,
    new_figure,
)
from weak2strong.report.sweeps import SETTINGS

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TICKS = 6
"""Layers or settings named on an axis, at most."""

LINES: dict[str, dict[str, Any]] = {
    "weak labels learned": {"marker": "o", "markersize": 3.5},
    "ground truth learned": {
        "marker": "o",
        "markersize": 3.5,
        "linestyle": (0, (3, 2)),
        "linewidth": 1.2,
    },
    "weak labels, elsewhere": {"linewidth": 0.8, "alpha": 0.45},
}
STAR = {"markersize": 12, "markeredgecolor": INK, "markeredgewidth": 0.8}


def data(grids: Sequence[Swept]) -> pl.DataFrame:
    """A row a task, probe, layer and setting; ``chosen`` is the place of the best agreement."""
    import polars as pl

    rows = []
    for one in grids:
        for i, layer in enumerate(one.layers):
            for j, setting in enumerate(one.settings):
                scores = (float(x[i, j]) for x in (one.score, one.agreement, one.truth))
                ends = (one.floor, one.ceiling, one.metric)
                place = (one.task, one.probe, layer, float(setting))
                rows.append((*place, *scores, (i, j) == one.chosen, *ends))
    columns = ["task", "probe", "layer", "setting", "score", "agreement", "truth", "chosen"]
    columns += ["floor", "ceiling", "metric"]
    of = {"ceiling": pl.Float64}
    return pl.DataFrame(rows, schema=columns, orient="row", schema_overrides=of)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A row a task and probe: against layers, and against settings."""
    parts = frame.partition_by("task", "probe", maintain_order=True)
    figure, grid = new_figure(len(parts), 2, 0.9 + 1.9 * len(parts), sharey="row", squeeze=False)
    hues = dict(zip(frame["probe"].unique(maintain_order=True), COLOURS, strict=False))
    for (layers, settings), rows in zip(grid, parts, strict=True):
        probe, chosen = rows["probe"][0], rows.filter("chosen").row(0, named=True)
        setting = SETTINGS[probe]
        settings.set_xscale("log")
        _slices(layers, rows, "layer", "setting", chosen, hues[probe])
        _slices(settings, rows, "setting", "layer", chosen, hues[probe])
        layers.set_xlabel(f"layer ({setting} {chosen['setting']:g})")
        settings.set_xlabel(f"{setting} (layer {chosen['layer']})")
        layers.set_ylabel(metric_title(chosen["metric"]))
        layers.set_title(clipped(f"{chosen['task']}, {probe}", 50))
    axes = grid[0, 0]
    for label, line in LINES.items():
        axes.plot([], [], color=INK, label=label, **line)
    axes.plot([], [], "*", **STAR, color=PAPER, label="chosen without truth")
    axes.plot([], [], color=FLOOR, linewidth=1.2, label="supervisor (floor)")
    if frame["ceiling"].is_not_null().any():
        axes.plot([], [], color=CEILING, linewidth=1.2, label="ceiling")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _slices(
    axes: Axes, rows: pl.DataFrame, x: str, other: str, chosen: dict[str, Any], colour: str
) -> None:
    """The slice through the chosen place, all others faint, and what it is to be held against."""
    axes.axhline(chosen["floor"], color=FLOOR, linewidth=1.2)
    if chosen["ceiling"] is not None:
        axes.axhline(chosen["ceiling"], color=CEILING, linewidth=1.2)
    weak, truth, elsewhere = LINES.values()
    for (at,), of in rows.sort(x).group_by(other, maintain_order=True):
        values, scores = of[x].to_list(), of["score"].to_list()
        if at != chosen[other]:
            axes.plot(values, scores, color=colour, **elsewhere)
            continue
        axes.plot(values, of["truth"].to_list(), color=colour, **truth)
        axes.plot(values, scores, color=colour, **weak)
        shown = values[:: -(-len(values) // TICKS)]
        axes.set_xticks(shown, [f"{value:g}" for value in shown])
    axes.plot(chosen[x], chosen["score"], "*", color=colour, zorder=3, **STAR)
    axes.minorticks_off()
    axes.grid(axis="y")


def title(frame: pl.DataFrame) -> str:
    """What the chosen probes score, beside their supervisor."""
    import polars as pl

    chosen, metric = frame.filter("chosen"), metric_title(frame["metric"][0])
    by = chosen.group_by("probe", maintain_order=True).agg(pl.col("score", "floor").mean())
    said = " and ".join(f"{score:.3f} ({probe})" for probe, score, _ in by.iter_rows())
    tasks = frame["task"].n_unique()
    over = f", on average over {tasks} tasks" if tasks > 1 else ""
    return (
        f"Probes chosen without ground truth reach {said} {metric}{over}, their supervisor "
        f"{by['floor'][0]:.3f}"
    )


def alt(frame: pl.DataFrame) -> str:
    """The chosen place and the best of each task and probe."""
    said = []
    for rows in frame.partition_by("task", "probe", maintain_order=True):
        at, probe = rows.filter("chosen").row(0, named=True), rows["probe"][0]
        ceiling = "" if at["ceiling"] is None else f", ceiling {at['ceiling']:.3f}"
        said.append(
            f"{at['task']}, {probe}: at layer {at['layer']} and {SETTINGS[probe]} "
            f"{at['setting']:g}, chosen, {at['score']:.3f} from weak labels and {at['truth']:.3f} "
            f"from ground truth; everywhere {rows['score'].min():.3f} to "
            f"{rows['score'].max():.3f}; floor {at['floor']:.3f}{ceiling}"
        )
    return ". ".join(said) + "."


def note(frame: pl.DataFrame) -> str:
    """What lines and the star are."""
    return (
        "Scores on the test set, means over seeds. Star: where agreement with the weak labels of "
        "validation is best, which needs no ground truth; thick lines pass through it, faint ones "
        "are all others. Dashed: the same probe taught the truth, what the layer holds. Layer 0 "
        "is the embeddings."
    )


SWEEP = FigureKind("sweep", data, draw, title, alt, note)
