"""Scores of probes against layer and setting, through the combination that one would choose.

EleutherAI 2024 sweeps k and layer of nearest neighbours, and penalty and layer of regression.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weak2strong.experiments.sweep import LAYER_ZERO, SETTINGS, FinishedSweep
from weak2strong.ground.metrics import metric_title
from weak2strong.report.figures.drawing import clipped, legend, new_figure, role_lines
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.style import INK, PAPER, ROLES, Styles, ordered_styles

TICKS = 6
"""The most ticks on an axis of layers or settings."""

CIRCLES: dict[str, Any] = {"marker": "o", "markersize": 3.5}

LINES: dict[str, dict[str, Any]] = {
    "weak labels learned": CIRCLES,
    "ground truth learned": CIRCLES | {"linestyle": (0, (3, 2)), "linewidth": 1.2},
    "weak labels, elsewhere": {"linewidth": 0.8, "alpha": 0.45},
}
STAR = {"marker": "*", "markersize": 12, "markeredgecolor": INK, "markeredgewidth": 0.8}


def data(sweep: FinishedSweep) -> pl.DataFrame:
    """One row for each task, probe, layer and setting; ``chosen`` marks the best agreement."""
    return sweep.table()


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw two panels for each task and probe: against layers, and against settings."""
    parts = frame.partition_by("task", "probe", maintain_order=True)
    height = 0.9 + 1.9 * len(parts)
    figure, grid = new_figure(len(parts), 2, height, sharey="row", squeeze=False)
    styles = ordered_styles(frame["probe"].unique(maintain_order=True))
    for (layers, settings), rows in zip(grid, parts, strict=True):
        chosen = rows.filter("chosen").row(0, named=True)
        probe, setting = chosen["probe"], SETTINGS[chosen["probe"]]
        settings.set_xscale("log")
        _slices(layers, rows, "layer", "setting", chosen, styles[probe].colour)
        _slices(settings, rows, "setting", "layer", chosen, styles[probe].colour)
        layers.set_xlabel(f"layer ({setting} {chosen['setting']:g})")
        settings.set_xlabel(f"{setting} (layer {chosen['layer']})")
        layers.set_ylabel(metric_title(chosen["metric"]))
        layers.set_title(clipped(f"{chosen['task']}, {probe}", 50))
    lines = {name: {"color": INK} | style for name, style in LINES.items()}
    lines["chosen without truth"] = {"color": PAPER, "linestyle": "none"} | STAR
    known = ROLES if frame["ceiling"].is_not_null().any() else list(ROLES)[:1]
    legend(figure, 3, lines | {name: ROLES[name] for name in known})
    return figure


def _slices(
    axes: Axes, rows: pl.DataFrame, x: str, other: str, chosen: dict[str, Any], colour: str
) -> None:
    """Draw the line through the chosen combination, all others faint, with floor and ceiling."""
    role_lines(axes, chosen["floor"], chosen["ceiling"], axis="y")
    weak, truth, elsewhere = LINES.values()
    for (value,), line in rows.sort(x).group_by(other, maintain_order=True):
        if value != chosen[other]:
            axes.plot(line[x], line["score"], color=colour, **elsewhere)
            continue
        axes.plot(line[x], line["truth"], color=colour, **truth)
        axes.plot(line[x], line["score"], color=colour, **weak)
        ticks = line[x].to_list()[:: -(-len(line) // TICKS)]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.plot(chosen[x], chosen["score"], color=colour, zorder=3, **STAR)
    axes.minorticks_off()
    axes.grid(axis="y")


def describe(frame: pl.DataFrame) -> Description:
    """Say what the chosen probes score beside their supervisor, on average and on each task."""
    texts = []
    for rows in frame.partition_by("task", "probe", maintain_order=True):
        best = rows.filter("chosen").row(0, named=True)
        ceiling = "" if best["ceiling"] is None else f", ceiling {best['ceiling']:.3f}"
        texts.append(
            f"{best['task']}, {best['probe']}: at layer {best['layer']} and "
            f"{SETTINGS[best['probe']]} {best['setting']:g}, chosen, {best['score']:.3f} from weak "
            f"labels and {best['truth']:.3f} from ground truth; everywhere "
            f"{rows['score'].min():.3f} to {rows['score'].max():.3f}; "
            f"floor {best['floor']:.3f}{ceiling}"
        )
    return Description(
        title=_title(frame),
        alt=listed(texts, between=". "),
        note="Scores on the test set, means over seeds. Star: where agreement with the weak labels "
        "of validation is best, which needs no ground truth; thick lines pass through it, faint "
        "ones are all others. Dashed: the same probe taught the truth, what the layer holds. "
        + LAYER_ZERO,
    )


def _title(frame: pl.DataFrame) -> str:
    """What the chosen probes score on average, beside their supervisor."""
    probes = frame.filter("chosen").group_by("probe", maintain_order=True)
    means = probes.agg(pl.col("score", "floor").mean())
    reached = " and ".join(f"{score:.3f} ({probe})" for probe, score, _ in means.iter_rows())
    tasks = frame["task"].n_unique()
    over = f", on average over {tasks} tasks" if tasks > 1 else ""
    return (
        f"Probes chosen without ground truth reach {reached} {metric_title(frame['metric'][0])}"
        f"{over}, their supervisor {means['floor'][0]:.3f}"
    )


SWEEP = FigureKind("sweep", data, draw, describe)
