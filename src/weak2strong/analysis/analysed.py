"""From the analyses of one run or several to the tables that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from weak2strong.analysis.analyse import Analysed
from weak2strong.analysis.analyses import Analysis, every_analysis, field_of
from weak2strong.analysis.recovered import HONEST_SEEDS
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import Column, Document, Row, Table, words

if TYPE_CHECKING:
    import polars as pl

MANY = 6
"""Tasks up to which each has lines of its own in every table."""

ABOUT = ("task", "run", "method", "role")
"""The fields that say what a row is about."""

SETTING = ("weak", "strong", "weak_parameters", "strong_parameters", "seeds", "metric", "oracle")
"""Further fields that rows about the same have in common."""


def analyses_document(runs: Mapping[str, Analysed]) -> Document:
    """The tables and sentences of the analyses of finished runs.

    Several runs have only the tables that put them side by side. Many tasks have only their means.

    Args:
        runs: the analyses of each run, by the name of its folder.
    """
    import polars as pl

    every = [a for a in every_analysis() if a.columns]
    several = len(runs) > 1
    frames = {
        a.file: [
            analysed.tables[a.file].select(pl.lit(run).alias("run"), pl.all())
            for run, analysed in runs.items()
            if a.file in analysed.tables
        ]
        for a in every
        if a.together or not several
    }
    tables, (first, *_) = list[Table](), runs.values()
    for a in every:
        if frames.get(a.file):
            tables.append(_table(a, pl.concat(frames[a.file]), several))
        if not several:
            tables += first.more[a.file]
    return Document(tables, notes=_notes(runs), warnings=_warnings(runs))


def _table(analysis: Analysis, frame: pl.DataFrame, several: bool) -> Table:
    """The table that an analysis makes of its rows."""
    every = frame.to_dicts()
    notes = analysis.notes(every) if callable(analysis.notes) else analysis.notes
    if several:
        by = [n for n in ("task", "method", "weak_parameters", "strong_parameters") if n in frame]
        frame = frame.sort(by, maintain_order=True, nulls_last=True)
    if analysis.averaged and frame["task"].n_unique() > MANY:
        frame = _over_tasks(frame)
    rows = frame.to_dicts()
    title = analysis.title
    if "metric" in frame.columns:
        metric = " or ".join(map(metric_title, frame["metric"].unique().sort()))
        title = title.replace("{metric}", metric)
        title = title.replace("{Metric}", metric[:1].upper() + metric[1:])
    if analysis.across:
        rows = _widened(rows, analysis)
    return Table(
        analysis.file, title, [*_about(rows, several), *analysis.columns], rows, list(notes)
    )


def _widened(rows: Sequence[Row], analysis: Analysis) -> list[Row]:
    """One row of those that are about the same, with a field for each of their values."""
    wide, by = dict[tuple[object, ...], dict[str, object]](), analysis.across
    for row in rows:
        shared = {n: row[n] for n in (*ABOUT, *SETTING) if n in row}
        value = field_of(by(row) if callable(by) else row[by])
        about = wide.setdefault(tuple(row.get(n) for n in ABOUT), shared)
        for name, end, x in _fields(row):
            # What tells the value stands in the names.
            if name not in shared and name != by and not isinstance(x, bool):
                about[f"{name}_{value}{end}"] = x
    return list(wide.values())


def _fields(row: Row) -> list[tuple[str, str, object]]:
    """Names without the ending of an interval's ends, those endings, and values."""
    fields = []
    for name, value in row.items():
        end = next((e for e in ("_low", "_high") if name.endswith(e)), "")
        fields.append((name.removesuffix(end), end, value))
    return fields


def _about(rows: Sequence[Row], several: bool) -> list[Column]:
    """The columns that say which task, run and student or role a row is about."""
    columns = [Column("task", "task", lambda row: row.get("task", "all"), "left")]
    if several:
        settings = {(row["weak"], row["strong"]) for row in rows}
        if len(settings) == len({row["run"] for row in rows}):
            columns.append(Column("strong", "models", _models, "left"))
        else:
            columns.append(words("run"))
    if "role" in rows[0]:
        columns.append(Column("role", "who", _who, "left"))
    elif "method" in rows[0]:
        columns.append(Column("method", "method", _method, "left"))
    return columns


def _models(row: Row) -> str:
    return f"{row['weak']} to {row['strong']}"


def _method(row: Row) -> str:
    """A method's name, with a star where its students saw ground truth."""
    return row["method"] + (" *" if row["oracle"] else "")


def _who(row: Row) -> str:
    return _method(row) if row["role"] == "student" else row["role"]


def _over_tasks(frame: pl.DataFrame) -> pl.DataFrame:
    """The means over tasks, which have no interval: those of the tasks are not independent."""
    import polars as pl

    ends = [name for name in frame.columns if name.endswith(("_low", "_high"))]
    numbers = [n for n, kind in frame.schema.items() if kind.is_float() and n not in ends]
    keys = [name for name in frame.columns if name not in ("task", *ends, *numbers)]
    means = frame.group_by(keys, maintain_order=True).agg(
        pl.format("mean of {}", pl.col("task").n_unique()).alias("task"),
        pl.col(numbers).mean(),
    )
    return means.with_columns(pl.lit(None).alias(name) for name in ends)


def _notes(runs: Mapping[str, Analysed]) -> list[str]:
    """What intervals, stars and means are, and what was left out."""
    seeds = {analysed.run.config.seeds for analysed in runs.values()}
    notes = [
        "All intervals, in brackets, are 95%, over seeds and test examples drawn by group"
        + (", of a run with one seed over test examples only." if 1 in seeds else ".")
    ]
    see_truth = dict.fromkeys(
        method
        for analysed in runs.values()
        for method in analysed.tables["agreement"].filter("oracle")["method"]
    )
    if see_truth:
        notes.append(f"* saw ground truth (oracle): {', '.join(see_truth)}.")
    if len({task for analysed in runs.values() for task in analysed.run.tests}) > MANY:
        notes.append(
            f"More than {MANY} tasks: means over tasks are printed where that has a meaning, "
            "without intervals; the files have every task."
        )
    several = len(runs) > 1
    if several:
        notes.append("For the other tables in print, analyse one run at a time.")
    return notes + [
        f"left out: {f'{run}: ' if several else ''}{text}"
        for run, analysed in runs.items()
        for text in analysed.left_out
    ]


def _warnings(runs: Mapping[str, Analysed]) -> list[str]:
    return [
        f"{n} seeds: intervals are mostly very wide, and may still be too narrow; use "
        f"{HONEST_SEEDS} seeds or more."
        for n in sorted({analysed.run.config.seeds for analysed in runs.values()})
        if 1 < n < HONEST_SEEDS
    ]
