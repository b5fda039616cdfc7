"""Runs that differ in a setting, as a table and sentences: each against the first."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.settings import Compared, Differs, SettingsCompared, differing
from weak2strong.analysis.warnings import few_seeds, stopped_on_truth
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import (
    DASH,
    TOO_WIDE,
    Column,
    Document,
    Row,
    Table,
    counted,
    estimate_text,
    is_wide,
    number_text,
)

PAIRED = (
    "Differences are means over tasks and seeds, paired by seed and test example. Each has an "
    "interval of its own, over {covers}, for these tasks."
)
LONGEST = 60
"""Letters of a value that are printed; JSON has all of it."""


def differ_in_settings(runs: Sequence[FinishedRun]) -> bool:
    """Whether runs are there to compare settings: all others differ from the first in one, and
    have a task and a method in common with it."""
    if len(runs) < 2:
        return False
    first, *others = runs
    return all(
        set(run.config.methods) & set(first.config.methods)
        and set(run.by_task) & set(first.by_task)
        and differing(first.config, run.config)
        for run in others
    )


def settings_document(runs: Sequence[FinishedRun], metric: str | None = None) -> Document:
    """Every run against the first: in which settings it differs, and what that does to scores.

    Args:
        runs: two or more finished runs.
        metric: another metric than the studies'.

    Raises:
        UserError: where two do not differ, or nothing can be paired.
    """
    first, *others = runs
    head = ["", *(f"{letter(i)}: {run.folder}" for i, run in enumerate(runs))]
    tables, facts, warnings = [], [], []
    for i, run in enumerate(others, start=1):
        compared = run.against(first, metric)
        head += [_differ(d, letter(0), letter(i)) for d in compared.differs]
        which = {"reference": str(first.folder), "run": str(run.folder)}
        tables.append(_table(compared, which, letter(0), letter(i)))
        facts += [fact for d in compared.differs for fact in _facts(d, which)]
        warnings += [f"Left out of {letter(i)} - {letter(0)}. {text}" for text in compared.left_out]
        warnings += few_seeds({compared.seeds})
    warnings += stopped_on_truth(run.config for run in runs)
    return Document(tables, {"differs": facts}, head, warnings=list(dict.fromkeys(warnings)))


def settings_beside(runs: Sequence[FinishedRun], metric: str | None = None) -> Document | None:
    """What stands beside other tables of the same runs.

    Returns:
        The document of the settings; a sentence about why nothing can be paired; or None where the
        runs are not there to compare settings.
    """
    if not differ_in_settings(runs):
        return None
    try:
        return settings_document(runs, metric)
    except UserError as e:
        return Document([], notes=[f"The runs are not compared with each other. {e}"])


def letter(place: int) -> str:
    """What a run is called where several stand together: A for the first."""
    return chr(ord("A") + place) if place < 26 else f"run {place + 1}"


def _differ(d: Differs, reference: str, run: str) -> str:
    """In which settings two runs differ."""
    names = " and ".join(d.settings)
    before, after = _value(d.reference), _value(d.run)
    return f"{run} differs from {reference} in {names}: {before} ({reference}), {after} ({run})."


def _value(value: Any) -> str:
    """A value as in a study file, shortened."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _facts(d: Differs, which: dict[str, str]) -> list[dict[str, Any]]:
    """The settings as rows for JSON, one each."""
    values = {"reference_value": d.reference, "run_value": d.run}
    return [which | {"setting": name} | values for name in d.settings]


def _table(c: SettingsCompared, which: dict[str, str], reference: str, run: str) -> Table:
    """The rows of a comparison, with a sentence about each."""
    on = f"{counted(len(c.tasks), 'task')}, {counted(c.examples, 'test example')}"
    title = f"{run} against {reference}: {metric_title(c.metric)} on {on}, mean of "
    columns = [
        Column("role", "", _who, "left"),
        Column("reference_score", reference, _score("reference_score")),
        Column("score", run, _score("score")),
        Column("difference", f"{run} - {reference} [95%]", _difference, more=_wide),
    ]
    if len(c.tasks) > 1:
        columns.append(Column("by_task", f"tasks on which {run} is better", _better))
    rows = [which | values for values in c.values()]
    notes = [
        PAIRED.format(covers=c.covers),
        *(_sentence(row, reference, run) for row in c.rows),
    ]
    return Table("settings", title + counted(c.seeds, "seed"), columns, rows, notes)


def _who(row: Row) -> str:
    if row["role"] == "pgr":
        return f"PGR of {row['method']}"
    if row["role"] == "student":
        return str(row["method"])
    return {"floor": "supervisor", "ceiling": "ceiling"}[row["role"]]


def _score(name: str) -> Callable[[Row], str]:
    """The text of a score, or of a PGR."""

    def text(row: Row) -> str:
        if row["role"] != "pgr":
            return number_text(row[name])
        return "undefined" if row[name] is None else number_text(row[name], 2)

    return text


def _difference(row: Row) -> str:
    digits = 2 if row["role"] == "pgr" else 3
    if _wide(row)["difference_wide"]:
        return TOO_WIDE
    return estimate_text(row, "difference", digits, sign=True, missing="undefined")


def _wide(row: Row) -> Row:
    """Whether the interval of a difference of PGRs is too wide; None for scores."""
    known = row["role"] == "pgr" and row["difference"] is not None
    return {"difference_wide": is_wide(row, "difference") if known else None}


def _better(row: Row) -> str:
    """On how many of the tasks with a difference the run is better."""
    if row["by_task"] is None:
        return DASH
    return f"{sum(x > 0 for x in row['by_task'].values())} of {len(row['by_task'])}"


def _sentence(row: Compared, reference: str, run: str) -> str:
    """What a row says, in words."""
    who = {
        "floor": "Supervisors",
        "student": f"Students of {row.method}",
        "ceiling": "Ceilings",
        "pgr": f"The PGRs of {row.method}",
    }[row.role]
    d, digits = row.difference, 2 if row.role == "pgr" else 3
    if d is None:
        return f"{who} cannot be compared: on no task do both runs have one that counts."
    low, high = d.interval.low, d.interval.high
    if row.role == "pgr" and is_wide({"x_low": low, "x_high": high}, "x"):
        return f"{who} may differ by anything: the interval of their difference is too wide."
    if low == high == 0:
        return f"{who} score the same in both."
    value, *ends = (number_text(x, digits, sign=True) for x in (d.value, low, high))
    interval = f"95% interval {' to '.join(ends)}"
    if not d.sign:
        return f"{who} do not clearly differ: {value} in {run} ({interval})."
    verb, than = "are" if row.role == "pgr" else "score", "higher" if d.value > 0 else "lower"
    return f"{who} {verb} {value[1:]} {than} in {run} than in {reference} ({interval})."
