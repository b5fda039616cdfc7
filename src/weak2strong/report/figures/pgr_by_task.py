"""PGR on each task by name, the best first, with its interval; and the means over tasks."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.over_tasks import interval_fields
from weak2strong.ground.table import counted, is_wide, pgr_text
from weak2strong.report.figures.drawing import (
    curve,
    panel_grid,
    pgr_range,
    role_lines,
    row_labels,
    text_at,
)
from weak2strong.report.figures.kind import (
    Description,
    FigureKind,
    listed,
    marked,
    oracles_note,
    saw_truth,
)
from weak2strong.report.figures.style import GRID, MUTED, Styles

FEW = 3
"""Up to so many methods are told in the title."""

ENDS: tuple[str, ...] = ("pgr", "pgr_low", "pgr_high")


def data(run: FinishedRun) -> pl.DataFrame | None:
    """A row for each task and method, and one for mean and pooled PGR; None for one task.

    ``counts`` says of a task whether it is in the mean; ``of`` is ``task``, ``mean`` or ``pooled``.
    Numbers are null where PGR is undefined. ``oracle`` marks students that saw ground truth. Tasks
    with the best mean over methods come first.
    """
    over = run.over
    if over is None:
        return None
    rows = []
    for line in run.lines():
        numbers = {name: line.recovered.pgr[name] for name in ENDS}
        about = {"method": line.method, "of": "task", "name": line.task}
        rows.append(about | numbers | {"counts": line.task in over.used})
    for method, a in over.methods.items():
        for of, name, value, interval in (
            ("mean", f"mean of {len(over.used)}", a.mean, a.mean_interval),
            ("pooled", f"pooled over {over.tasks}", a.pooled, a.pooled_interval),
        ):
            numbers = interval_fields("pgr", value, interval)
            rows.append({"method": method, "of": of, "name": name} | numbers | {"counts": True})
    schema = dict.fromkeys(ENDS, pl.Float64)
    frame = pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)
    if frame["pgr"].is_null().all():
        return None
    best = pl.col("pgr").mean().over("of", "name")
    frame = frame.with_columns(oracle=saw_truth(run))
    tasks, means = frame.filter(of="task"), frame.filter(pl.col("of") != "task")
    tasks = tasks.sort(best, descending=True, nulls_last=True, maintain_order=True)
    return pl.concat([tasks, means])


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a panel for each method and a row for each task; the supervisor is 0, the ceiling 1."""
    names = frame["name"].unique(maintain_order=True).to_list()
    methods = frame.filter(of="mean")["method"].to_list()
    height, titles = 0.45 + 0.19 * len(names), marked(frame, methods)
    figure, panels = panel_grid(methods, 3, height, 25, titles=titles)
    known = [row for row in frame.iter_rows(named=True) if not is_wide(row)]
    low, high = pgr_range(row[end] for row in known for end in ENDS)
    room = 0.05 * (high - low)
    for method, axes in panels.items():
        colour = styles[method].colour
        axes.set_xlim(low - room, high + room)
        role_lines(axes)
        for row in frame.filter(method=method).iter_rows(named=True):
            y, whole = names.index(row["name"]), row["of"] != "task"
            if row["pgr"] is None or is_wide(row):
                text_at(axes, (0.5, y), "undefined", (0, 0), ha="center", color=MUTED, fontsize=6.5)
                continue
            width = 2.2 if whole else 1.1
            axes.hlines(y, row["pgr_low"], row["pgr_high"], color=colour, linewidth=width)
            hollow = {} if row["counts"] else {"markeredgecolor": colour, "color": "white"}
            curve(axes, row["pgr"], y, styles[method], 7 if whole else 5, **hollow)
        axes.axhline(len(names) - 2.5, color=GRID, linewidth=0.9)
        row_labels(axes, names)
    figure.supxlabel("performance gap recovered (PGR)")
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say on which tasks each method recovers most and least, and every number."""
    parts, texts = [], []
    for (method,), rows in frame.group_by("method", maintain_order=True):
        tasks = rows.filter(of="task").drop_nulls("pgr").sort("pgr", maintain_order=True)
        if len(tasks):
            ends = tasks[:: max(len(tasks) - 1, 1)].iter_rows(named=True)
            said = " to ".join(f"{row['pgr']:.2f} ({row['name']})" for row in ends)
            parts.append(f"{method} {said}")
        listing = ", ".join(f"{r['name']} {pgr_text(r)}" for r in rows.iter_rows(named=True))
        texts.append(f"{method}: {listing}")
    more = [counted(len(parts) - FEW, "more method")] if len(parts) > FEW else []
    return Description(
        title=f"PGR by task: {'; '.join([*parts[:FEW], *more])}",
        alt=listed(texts, between=". "),
        note="Marks: means over seeds; lines: 95% intervals over seeds and test examples, which "
        "the edge of a panel may cut. Hollow: a task that the mean leaves out, for a reason that "
        "the table tells. Below the line: means over tasks. Tasks are sorted by their mean over "
        f"methods.{oracles_note(frame, titled=False)}",
    )


PGR_BY_TASK = FigureKind("pgr-by-task", data, draw, describe)
