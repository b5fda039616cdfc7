"""Score and PGR against a setting of a method, where a run has it with several values.

Iterations of students that learn from students, neighbours of a filter, the weight of a loss: every
setting whose value is a number, and in which methods of the run differ alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.over_tasks import interval_fields
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import is_wide, pgr_text
from weak2strong.methods import METHODS
from weak2strong.methods.reference import names_in, settings_in
from weak2strong.report.figures.drawing import FURTHEST, new_figure, role_lines, text_at
from weak2strong.report.figures.kind import Description, FigureKind, listed, oracles_note, saw_truth
from weak2strong.report.figures.scores import data as scores
from weak2strong.report.figures.scores import means
from weak2strong.report.figures.style import MUTED, Styles, ordered_styles

ENDS: tuple[str, ...] = ("pgr", "pgr_low", "pgr_high")

SPREAD = 20
"""From this ratio of the largest value to the least on, the axis is logarithmic."""


def series_of(methods: tuple[str, ...]) -> dict[str, list[tuple[float, str]]]:
    """The values of a setting, with their methods, rising; by what the setting is called."""
    found = dict[str, dict[float, str]]()
    for method in methods:
        for name, value in _numbers(method):
            found.setdefault(name, {}).setdefault(value, method)
    return {name: sorted(x.items()) for name, x in found.items() if len(x) > 1}


def _numbers(method: str) -> Iterator[tuple[str, float]]:
    """The settings of a method that are numbers, each told with all others that are not usual."""
    if not all(name in METHODS for name in names_in(method)):
        return
    parts = settings_in(method)
    for i, (name, settings) in enumerate(parts):
        for setting, value in settings.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                others = [*parts[:i], (name, {**settings, setting: None}), *parts[i + 1 :]]
                told = "+".join(_told(*part) for part in others)
                yield f"{told}, {setting}", float(value)


def _told(name: str, settings: Any) -> str:
    """A part of a reference with those settings that are not usual."""
    usual = METHODS.get(name).options
    own = [
        f"{s}={v}"
        for s, v in settings.items()
        if v is not None and (s not in usual or v != usual[s])
    ]
    return f"{name}:{','.join(own)}" if own else name


def data(run: FinishedRun) -> pl.DataFrame | None:
    """A row for each setting and value: scores of supervisor, student and ceiling, and PGR.

    Means over tasks, as in the figures `scores` and `pgr`; ``pgr`` is null where it is undefined.
    ``oracle`` marks students that saw ground truth. There is no frame where no setting has several
    values.
    """
    series = series_of(tuple(run.config.methods))
    if not series:
        return None
    of = {(r["role"], r["method"]): r["score"] for r in means(scores(run)).to_dicts()}
    lines, rows = {line.method: line for line in run.lines()}, []
    for name, values in series.items():
        for value, method in values:
            if run.over is None:
                numbers = {end: lines[method].recovered.pgr[end] for end in ENDS}
            else:
                a = run.over.methods[method]
                numbers = interval_fields("pgr", a.mean, a.mean_interval)
            about = {"setting": name, "value": value, "method": method}
            three = {"floor": of["floor", ""], "ceiling": of["ceiling", ""]}
            three["student"] = of["student", method]
            rows.append(about | three | numbers | {"metric": lines[method].metric})
    floats = dict.fromkeys(ENDS, pl.Float64)
    frame = pl.DataFrame(rows, schema_overrides=floats, infer_schema_length=None)
    return frame.with_columns(oracle=saw_truth(run))


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw two panels for each setting, scores and PGR with its interval; one where no PGR is
    known."""
    names = frame["setting"].unique(maintain_order=True).to_list()
    wide = 2 if len(_known(frame)) else 1
    figure, grid = new_figure(len(names), wide, 0.4 + 1.9 * len(names), squeeze=False)
    colours = ordered_styles(names)
    for (left, *beside), name in zip(grid, names, strict=True):
        rows, colour = frame.filter(setting=name), colours[name].colour
        role_lines(left, rows["floor"][0], rows["ceiling"][0], axis="y")
        left.plot(rows["value"], rows["student"], color=colour, marker="o", markersize=4.5)
        left.set_ylabel(metric_title(rows["metric"][0]))
        star = " *" if rows["oracle"].all() else ""
        for axes in (left, *beside):
            _value_axis(axes, rows["value"].to_list(), f"{name}{star}")
        for right in beside:
            _pgr_panel(right, _known(rows), colour)
            right.set_xlim(left.get_xlim())
    return figure


def _known(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose PGR is drawn."""
    is_known = [x["pgr"] is not None and not is_wide(x) for x in rows.to_dicts()]
    return rows.filter(pl.Series(is_known, dtype=pl.Boolean))


def _pgr_panel(axes: Axes, known: pl.DataFrame, colour: str) -> None:
    """Draw the PGR of a setting by its values, or say that none is known."""
    role_lines(axes, axis="y")
    axes.vlines(known["value"], known["pgr_low"], known["pgr_high"], color=colour, linewidth=1)
    axes.plot(known["value"], known["pgr"], color=colour, marker="o", markersize=4.5)
    ends = [0.0, 1.0, *known["pgr_low"], *known["pgr_high"]]
    axes.set_ylim(max(min(ends), -FURTHEST) - 0.05, min(max(ends), 1 + FURTHEST) + 0.05)
    axes.set_ylabel("PGR")
    if not len(known):
        middle = {"xycoords": "axes fraction", "ha": "center", "color": MUTED}
        text_at(axes, (0.5, 0.5), "undefined", (0, 0), **middle)


def _value_axis(axes: Axes, values: list[float], name: str) -> None:
    """Make the horizontal axis one of these values."""
    if min(values) > 0 and max(values) / min(values) >= SPREAD:
        axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()
    axes.set_xlabel(name, fontsize=8)
    axes.grid(axis="y")


def describe(frame: pl.DataFrame) -> Description:
    """Say how the score goes with each setting, and every number."""
    parts, texts, undefined = [], [], len(frame) - len(_known(frame))
    for (name,), rows in frame.group_by("setting", maintain_order=True):
        ends = rows.row(0, named=True), rows.row(-1, named=True)
        first, last = (f"{x['student']:.3f} at {x['value']:g}" for x in ends)
        parts.append(f"{name}: {first}, {last}")
        listing = (f"{x['value']:g} {x['student']:.3f}, PGR {pgr_text(x)}" for x in rows.to_dicts())
        texts.append(f"{name}: {'; '.join(listing)}")
    pgr = (
        "PGR is undefined, or not known, at every value."
        if undefined == len(frame)
        else "PGR has 95% intervals over seeds and test examples, which the edge of a panel may "
        "cut; where it is undefined there is no mark."
    )
    return Description(
        title=f"Scores of students by setting: {'; '.join(parts)}",
        alt=listed(texts, between=". "),
        note=f"Means over tasks and seeds. Grey line: supervisor; black line: ceiling. {pgr} The "
        "best value was found on the very test that scores it."
        f"{oracles_note(frame, titled=False)}",
    )


VALUES = FigureKind("values", data, draw, describe)
