"""Published results beside those of a run, which has other models or other tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from weak2strong.analysis.compare import compare
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.scores import student_scores
from weak2strong.analysis.summary import Line
from weak2strong.ground.errors import UserError
from weak2strong.ground.table import DASH, Table, estimate_text, pgr_text, words
from weak2strong.protocol.literature import Quantity, Reported, reported

NOTE = (
    "reported: as its source writes it, of other models: beside ours, and no result of this run. "
    "ours: on the same tasks as in the table over tasks; a median or a PGR with its 95% interval "
    "over seeds and test examples."
)


def literature_table(run: FinishedRun, lines: Sequence[Line] | None = None) -> Table | None:
    """A row for each published number; None where the study names no literature.

    Args:
        run: a finished run.
        lines: on another metric than the study's.
    """
    name = run.config.literature
    if name is None:
        return None
    lines = run.lines() if lines is None else lines
    rows = [_row(of, run, lines) for of in reported(name)]
    columns = [
        words("what", f"beside {name}", wraps=True),
        words("reported"),
        words("ours"),
        words("setting", "reported with", detail=True, wraps=True),
        words("source", detail=True),
    ]
    return Table("literature", "", columns, rows, [NOTE])


def _row(of: Reported, run: FinishedRun, lines: Sequence[Line]) -> dict[str, Any]:
    about = asdict(of)
    about["reported"] = about.pop("value")
    return about | _ours(of, run, lines)


def _ours(of: Reported, run: FinishedRun, lines: Sequence[Line]) -> dict[str, Any]:
    """What the run has in that place: as text, and its numbers; nothing where it lacks a method."""
    method = _named(run.config.methods, of.method)
    nothing = {"ours": DASH, "value": None, "of": None, "value_low": None, "value_high": None}
    if method is None:
        return nothing
    if of.quantity == "pgr":
        return nothing | _pgr([line for line in lines if line.method == method])
    if of.quantity == "median":
        over = run.over_tasks(lines)
        found = over.methods[method] if over else None
        if found is None or found.median is None or found.median_interval is None:
            return nothing | {"ours": "undefined"}
        ends = found.median_interval
        row = {"value": found.median, "value_low": ends.low, "value_high": ends.high}
        return nothing | row | {"ours": estimate_text(row, "value", digits=2)}
    if of.quantity == "positive":
        easy = run.too_easy(lines[0].metric)
        of_method = [x.recovered for x in lines if x.method == method and x.task not in easy]
        gains = [r.student - r.floor for r in of_method]
        count = sum(gain > 0 for gain in gains)
        return nothing | _counted(count, len(gains))
    return nothing | _compared(of.quantity, run, lines[0].metric, method, of.against)


def _pgr(lines: Sequence[Line]) -> dict[str, Any]:
    """PGR on the one task that there is; of several there is none."""
    if len(lines) > 1:
        return {}
    found = lines[0].recovered.pgr
    ends = {"value_low": found["pgr_low"], "value_high": found["pgr_high"]}
    return {"value": found["pgr"], **ends, "ours": pgr_text(found)}


def _compared(
    quantity: Quantity, run: FinishedRun, metric: str, method: str, against: str | None
) -> dict[str, Any]:
    """Of two methods over tasks: wins, or the p-value of a test."""
    baseline = _named(run.config.methods, against or "")
    easy = run.too_easy(metric)
    scores = [
        s
        for s in student_scores(run.config, run.cells, metric)
        if s.task not in easy and s.method in (method, baseline)
    ]
    if baseline is None or len({s.task for s in scores}) < 2:
        return {}
    try:
        (found,) = compare(scores, baseline).compared
    except UserError:
        return {}
    if quantity == "wins":
        return _counted(found.wins, len(found.differences))
    p = found.tests[quantity.removesuffix("-one-sided")].one_sided
    return {"ours": f"{p:.3f}".removeprefix("0"), "value": p} if p == p else {}


def _counted(count: int, of: int) -> dict[str, Any]:
    return {"ours": f"{count} of {of}", "value": count, "of": of}


def _named(methods: Sequence[str], name: str) -> str | None:
    """The first reference to a method of that name, with any settings."""
    return next((m for m in methods if m.partition(":")[0] == name), None)
