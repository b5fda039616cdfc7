"""The PGR of each method with its interval, and beside it those of single tasks or seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.table import WIDE_MEANING, is_wide, listed_names, pgr_text
from weak2strong.methods import BASELINE
from weak2strong.report.figures.drawing import (
    FURTHEST,
    circles,
    curve,
    new_figure,
    role_lines,
    row_labels,
    text_above,
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
from weak2strong.report.figures.style import Styles
from weak2strong.report.words import left_out_as_saturated, signed

FEW = 3
"""Up to so many methods are named in a title."""


def data(run: FinishedRun) -> pl.DataFrame | None:
    """One row for each method as a whole, and one for each of its tasks or seeds.

    The column ``of`` says what a row is about: ``mean over tasks``, ``pooled over tasks`` (where
    fewer than two tasks have a gap), ``task`` with its name, or ``seed`` with its number. Rows of
    methods as a whole also have the paired ``difference`` of scores to the baseline, with its
    ends, and ``clear``: whether it is clearly above 0 (1) or below (-1), all methods considered.
    ``supervised`` says whether supervisors of some task are clearly above chance, ``tasks`` over
    how many the differences are, ``saturated`` how many more are left out since floor and ceiling
    are above ``cut``, ``oracle`` whether its students saw ground truth. There is no frame where no
    method has a PGR.
    """
    over, whole, parts = run.over, [], []
    for line in run.lines():
        r = line.recovered
        if over is None:
            seeds = ((f"seed {seed}", x) for seed, x in enumerate(r.per_seed) if x == x)
            parts += [(line.method, name, x, None, None) for name, x in seeds]
        if r.value is not None and r.interval is not None:
            row = (r.value, r.interval.low, r.interval.high)
            if over is None:
                whole.append((line.method, line.task, *row))
            elif line.task in over.used:
                parts.append((line.method, f"task {line.task}", *row))
    for method, pgr in over.methods.items() if over else ():
        used = len(over.used) if over else 0
        mean = (f"mean over {used} tasks", pgr.mean, pgr.mean_interval)
        pooled = ("pooled over all tasks", pgr.pooled, pgr.pooled_interval)
        for name, value, interval in (mean, pooled):
            if value is not None and interval is not None:
                whole.append((method, name, value, interval.low, interval.high))
                break
    if not whole:
        return None
    columns = {"method": pl.String, "of": pl.String}
    columns |= dict.fromkeys(("pgr", "low", "high"), pl.Float64)
    frame = pl.DataFrame(whole + parts, schema=columns, orient="row")
    claimed = _claimed(run, [row[0] for row in whole], len(frame))
    return frame.hstack(claimed).with_columns(oracle=saw_truth(run))


def _claimed(run: FinishedRun, methods: list[str], rows: int) -> pl.DataFrame:
    """The further columns: filled in the rows of methods as a whole, which are the first."""
    claims, found = run.claims, []
    saturated, cut = len(claims.saturated), run.lines()[0].cut
    of_tasks = (bool(claims.supervised), len(claims.tasks) - saturated, saturated, cut)
    for method in methods:
        x = claims.differences.get(method)
        numbers = (x.value, x.interval.low, x.interval.high) if x else (None, None, None)
        found.append((*numbers, claims.clear.get(method), *of_tasks))
    schema = dict.fromkeys(("difference", "difference_low", "difference_high"), pl.Float64)
    schema |= {"clear": pl.Int64, "supervised": pl.Boolean, "tasks": pl.Int64}
    schema |= {"saturated": pl.Int64, "cut": pl.Float64}
    found += [(None,) * len(schema)] * (rows - len(found))
    return pl.DataFrame(found, schema=schema, orient="row")


def _split(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of methods as a whole, with the fields of an estimate; and all other rows."""
    part = frame["of"].str.contains("^(task|seed) ")
    whole = frame.filter(~part).rename({"low": "pgr_low", "high": "pgr_high"})
    return whole, frame.filter(part)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a row for each method; the supervisor stands at 0 and the ceiling at 1."""
    whole, parts = _split(frame)
    figure, axes = new_figure(height=0.95 + 0.3 * len(whole))
    near = parts.filter(pl.col("pgr").is_between(-FURTHEST, 1 + FURTHEST))
    ends = [0.0, 1.0, *near["pgr"]]
    for y, row in enumerate(whole.iter_rows(named=True)):
        style = styles[row["method"]]
        text_at(axes, (1, y), pgr_text(row), xycoords=("axes fraction", "data"))
        ring = {"color": "none", "markeredgecolor": style.colour, "markersize": 4, "alpha": 0.75}
        circles(axes, near.filter(method=row["method"])["pgr"].to_list(), y, **ring)
        if is_wide(row):
            continue
        ends += [row["pgr_low"], row["pgr_high"]]
        axes.hlines(y, row["pgr_low"], row["pgr_high"], color=style.colour, linewidth=2.2)
        curve(axes, row["pgr"], y, style, 8, zorder=3)
    role_lines(axes)
    text_above(axes, 0, "supervisor")
    text_above(axes, 1, "ceiling")
    row_labels(axes, marked(frame, whole["method"]))
    room = 0.06 * (max(ends) - min(ends))
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.set_xlabel("performance gap recovered (PGR)")
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say how the methods differ, paired, and the PGR of every method."""
    whole, parts = _split(frame)
    kind, scope = frame["of"][-1].split()[0], whole["of"][0]
    outside = sum(not -FURTHEST <= x <= 1 + FURTHEST for x in parts["pgr"])
    note = f"Marks and lines: PGR, {scope}, with 95% intervals."
    if len(parts):
        note += f" Circles: single {kind}s"
        note += f", {outside} of which lie outside of the picture." if outside else "."
    if any(map(is_wide, whole.iter_rows(named=True))):
        note += f" {WIDE_MEANING[:1].upper()}{WIDE_MEANING[1:]}"
    if whole["difference"].is_not_null().any():
        tasks, every = whole["tasks"][0], "" if whole["saturated"][0] else "all "
        over = f", means over {every}{tasks} tasks" if tasks > 1 else ""
        note += f" {_DIFFERENCES.format(over)}"
    if whole["saturated"][0]:
        note += f" {left_out_as_saturated(whole['saturated'][0], whole['cut'][0])}"
    note += oracles_note(frame, titled=whole["difference"].is_not_null().any())
    texts = (f"{row['method']} {pgr_text(row)}" for row in whole.iter_rows(named=True))
    return Description(_title(whole), listed(texts, f"PGR, {scope}: "), note)


_DIFFERENCES = (
    "Differences between methods are of scores{}, paired by seed and test example, with 95% "
    "intervals; of several methods, one is called clearly better or worse where its interval, "
    "widened for their number (Bonferroni), leaves out 0."
)


def _title(whole: pl.DataFrame) -> str:
    """How the methods differ from the baseline; without one, what they recover."""
    if not whole["supervised"][0]:
        return "Supervisors are not clearly above chance: PGR says nothing of supervision"
    others = whole.drop_nulls("difference").sort("difference", descending=True)
    if len(others) == 1:
        return _of_two(others.row(0, named=True))
    if len(others):
        return _of_many(others)
    if len(whole) == 1:
        return _of_one(whole.row(0, named=True))
    return f"PGR of {len(whole)} methods"


def _of_one(row: Mapping[str, Any]) -> str:
    """What the students of the only method recover."""
    who, share = f"tudents of {row['method']}", f"{100 * abs(row['pgr']):.0f}% of the gap"
    if is_wide(row):
        return f"What s{who} recover of the gap is not known"
    if row["pgr_low"] > 0:
        return f"S{who} recover {share}"
    if row["pgr_high"] < 0:
        return f"S{who} do worse than their supervisors, losing {share}"
    return (
        f"S{who} are not clearly {'better' if row['pgr'] >= 0 else 'worse'} than their supervisors"
    )


def _of_two(row: Mapping[str, Any]) -> str:
    """The difference between the baseline and the only other method."""
    ends = f"{signed(row['difference_low'])} to {signed(row['difference_high'])}"
    if row["clear"]:
        than = "above" if row["clear"] > 0 else "below"
        size = f"{abs(row['difference']):.3f}"
        return f"Students of {row['method']} score {size} {than} those of {BASELINE} ({ends})"
    number = signed(row["difference"])
    who = f"Students of {row['method']} and {BASELINE}"
    return f"{who} do not clearly differ: {number} ({ends})"


def _of_many(others: pl.DataFrame) -> str:
    """Which methods are clearly better than the baseline, and which clearly worse."""
    parts = []
    for clear, than in ((1, "better"), (-1, "worse")):
        rows = others.filter(clear=clear).select("method", "difference").rows()
        if rows:
            named = [f"{method} ({signed(x)})" for method, x in rows[:FEW]]
            more = [f"{len(rows) - FEW} more"] if len(rows) > FEW else []
            parts.append(f"{listed_names([*named, *more])} clearly {than}")
    same = len(others.filter(clear=0))
    if same == len(others):
        return f"None of {same} other methods is clearly better or worse than {BASELINE}"
    rest = [f"no clear difference for {same} more"] if same else []
    return f"Against {BASELINE}: {'; '.join([*parts, *rest])}"


PGR = FigureKind("pgr", data, draw, describe)
