"""The analyses of runs in the terminal: a table each, and what its columns are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.analyses.calibration import BINS
from weak2strong.analysis.analyses.misfit import FEWEST
from weak2strong.analysis.analyses.saliency import BARS
from weak2strong.analysis.over_tasks import OverTasks
from weak2strong.analysis.recovered import HONEST_SEEDS

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

Row = Mapping[str, Any]
Tables = Mapping[str, "pl.DataFrame"]


def print_analyses(
    tables: Tables,
    left_out: Sequence[tuple[str, str]],
    over: OverTasks | None,
    console: Console,
) -> None:
    """Print every table that there is.

    Args:
        tables: of one run or several (see `weak2strong.analysis.analyse.TABLES`), with a
            column run.
        left_out: a run and what could not be done with it, each.
        over: PGR against the best ceilings over the tasks of the one run.
        console: where to print.
    """
    runs = tables["agreement"].select("run", "weak", "strong").unique()
    several = len(runs) > 1
    about = "models" if len(runs.unique(["weak", "strong"])) == len(runs) else "run"
    printers = {n: PRINTERS[n] for n in COMPARED} if several else PRINTERS
    many = tables["agreement"]["task"].n_unique() > MANY
    shown = {n: _over_tasks(t) if many and n in AVERAGED else t for n, t in tables.items()}
    for name, of in printers.items():
        if name in tables:
            of(shown).show(console, about if several else None)
            if name == "agreement":
                _say(console, *_inverse_scaling(tables["agreement"]))
            if name == "ceilings" and over is not None:
                from weak2strong.report.over_tasks import print_over_tasks

                _say(console, "\nPGR over tasks, against the best ceilings:")
                print_over_tasks(over, console)
    seeds = tables["agreement"]["seeds"].unique().sort().to_list()
    notes = [
        "All intervals, in brackets, are 95%, over seeds and test examples drawn by group"
        + (", of a run with one seed over test examples only." if 1 in seeds else ".")
    ]
    notes += [
        f"warning: {n} seeds: intervals are mostly very wide, and may still be too narrow; use "
        f"{HONEST_SEEDS} seeds or more."
        for n in seeds
        if 1 < n < HONEST_SEEDS
    ]
    oracles = tables["agreement"].filter("oracle")["method"].unique(maintain_order=True).to_list()
    if oracles:
        notes.append(f"* saw ground truth (oracle): {', '.join(oracles)}.")
    if many:
        notes.append(
            f"More than {MANY} tasks: means over tasks are printed where that has a meaning, "
            "without intervals; the files have every task."
        )
    if several:
        notes.append("For the other tables in print, analyse one run at a time.")
    notes += [f"left out: {f'{run}: ' if several else ''}{text}" for run, text in left_out]
    _say(console, "", *notes)


class Printed:
    """A table that is ready to be printed, with a title above and notes below."""

    def __init__(self, title: str, titles: Sequence[str], notes: Sequence[str]):
        self._title, self._titles, self.notes = title, titles, list(notes)
        self._rows: list[tuple[Row, list[str]]] = []

    def add(self, row: Row, *cells: str) -> None:
        """Add a line about a row's task and models."""
        self._rows.append((row, list(cells)))

    def show(self, console: Console, about: str | None) -> None:
        """Print it, where there are several runs with a column for their models or folders."""
        from weak2strong.report.table import column_table

        heads = ["task", about] if about else ["task"]
        sides = "l" * (len(heads) + 1) + "r" * (len(self._titles) - 1)
        table = column_table([*heads, *self._titles], sides)
        for row, cells in self._rows:
            which = {None: [], "models": [_models(row)], "run": [row.get("run", "")]}
            table.add_row(row["task"], *which[about], *cells)
        _say(console, f"\n{self._title}")
        console.print(table)
        _say(console, *self.notes)


def _agreement(tables: Tables) -> Printed:
    shown = Printed(
        "Agreement of student and supervisor on test, by whether the weak label is right",
        ["method", "on all", "on right", "on wrong"],
        [
            "Share of these weak labels for which the student gives the same answer. On wrong "
            "ones it imitates errors; what it does not imitate there, it corrects (with two "
            "classes; otherwise it may err in its own way)."
        ],
    )
    frame = tables["agreement"]
    if frame["run"].n_unique() > 1:
        order = ["task", "method", "weak_parameters", "strong_parameters"]
        frame = frame.sort(order, maintain_order=True, nulls_last=True)
    for _, of in frame.group_by(["run", "task", "method"], maintain_order=True):
        rows = of.to_dicts()
        shown.add(rows[0], _method(rows[0]), *(_with_interval(r, "agreement") for r in rows))
    return shown


def _confusion(tables: Tables) -> Printed:
    shown = Printed(
        "Who is right: share of test examples",
        ["method", "both", "student alone", "supervisor alone", "neither"],
        ["Student alone minus supervisor alone is the student's gain in right answers."],
    )
    for _, of in tables["confusion"].group_by(["run", "task", "method"], maintain_order=True):
        rows = of.to_dicts()
        shown.add(rows[0], _method(rows[0]), *(_number(r["share"]) for r in rows))
    return shown


def _inverse_scaling(frame: pl.DataFrame) -> list[str]:
    """A sentence on the largest and the smallest students of the same supervisor."""
    import polars as pl

    wrong = frame.filter(pl.col("weak_label") == "wrong").drop_nulls(
        ["agreement", "strong_parameters"]
    )
    changes = []
    for _, of in wrong.group_by(["task", "method", "weak"], maintain_order=True):
        by_size = of.sort("strong_parameters").to_dicts()
        smallest, largest = by_size[0], by_size[-1]
        if smallest["strong_parameters"] < largest["strong_parameters"]:
            changes.append(largest["agreement"] - smallest["agreement"])
    if not changes:
        return []
    less = sum(change < 0 for change in changes)
    return [
        f"Inverse scaling: of {len(changes)} tasks and methods with students of several sizes and "
        f"one supervisor, the largest student agrees less with wrong weak labels than the smallest "
        f"on {less} (mean change {sum(changes) / len(changes):+.3f})."
    ]


def _calibration(tables: Tables) -> Printed:
    shown = Printed(
        "Calibration on test",
        ["who", "accuracy", "confidence", "ECE", "if calibrated", "Brier", "log loss"],
        [
            f"confidence: mean probability of the answer given. ECE: its distance from accuracy in "
            f"{BINS} bins of equal mass; if calibrated: the ECE that chance alone would give. "
            "Brier: 0 is best, 2 worst. log loss: in nats.",
        ],
    )
    for row in tables["calibration"].iter_rows(named=True):
        names = ("accuracy", "confidence", "ece_if_calibrated", "brier", "log_loss")
        accuracy, confidence, expected, brier, log_loss = (_number(row[n]) for n in names)
        ece = _with_interval(row, "ece")
        shown.add(row, _who(row), accuracy, confidence, ece, expected, brier, log_loss)
    return shown


def _misfit(tables: Tables) -> Printed:
    shown = Printed(
        "Misfit of student and weak labels, which predicts the gain, and the gain that came",
        ["method", "misfit", "gain", "gain - misfit", "KL misfit", "gain", "gain - misfit"],
        [
            "First three: misfit is the mean squared distance of the student's probabilities from "
            "the supervisor's, gain the fall of the Brier score. Last three: the Kullback-Leibler "
            "divergence of the two, and the fall of the log loss. Theory (for a student that is "
            "a projection onto a convex class, which finetuning is not) says gain >= misfit.",
        ],
    )
    frame = tables["misfit"]
    for _, of in frame.group_by(["run", "task", "method"], maintain_order=True):
        rows = of.to_dicts()
        cells = [
            text
            for row in rows
            for text in (
                _number(row["misfit"]),
                _signed(row["gain"]),
                _with_interval(row, "surplus", _signed),
            )
        ]
        shown.add(rows[0], _method(rows[0]), *cells)
    return shown


def _misfit_over_tasks(tables: Tables) -> Printed:
    shown = Printed(
        "Misfit and gain over tasks",
        ["method", "form", "tasks", "mean misfit", "mean gain", "gain / misfit", "correlation"],
        [
            f"correlation: of misfit and gain over tasks, from {FEWEST} tasks on, with an interval "
            "for independent tasks. Gain is misfit plus a remainder, so that a correlation is "
            "partly built in: look at gain - misfit first."
        ],
    )
    for row in tables["misfit_over_tasks"].iter_rows(named=True):
        shown.add(
            {"task": "all", **row},
            _method(row),
            "squared" if row["form"] == "squared" else "KL",
            str(row["tasks"]),
            _number(row["misfit"]),
            _signed(row["gain"]),
            "-" if row["gain_over_misfit"] is None else f"{row['gain_over_misfit']:+.2f}",
            _with_interval(row, "r", lambda x: f"{x:+.2f}"),
        )
    return shown


def _saliency(tables: Tables) -> Printed:
    frame = tables["saliency"]
    shown = Printed(
        f"Saliency: {_title(frame)} on test of probes and finetuning, on weak labels and on "
        "ground truth",
        list(BARS),
        [
            "lp: linear probe on the frozen model, ft: finetuning, weak: on weak labels, gt: on "
            "ground truth. A dash: the run lacks it."
        ],
    )
    for _, of in frame.group_by(["run", "task"], maintain_order=True):
        rows = of.to_dicts()
        shown.add(rows[0], *(_with_interval(row, "score") for row in rows))
    return shown


def _difficulty(tables: Tables) -> Printed:
    frame = tables["difficulty"]
    title = _title(frame)
    shown = Printed(
        f"{title[0].upper()}{title[1:]} on test by difficulty, easy to hard",
        ["who", "from", "to", "examples", "score"],
        [
            "Difficulty is in the task's own unit; a bucket ends before its upper number, the last "
            "one with it. A dash: not defined there."
        ],
    )
    for row in frame.iter_rows(named=True):
        bucket = (f"{row['from']:g}", f"{row['to']:g}", f"{row['examples']:,}")
        shown.add(row, _who(row), *bucket, _with_interval(row, "score"))
    return shown


def _ceilings(tables: Tables) -> Printed:
    frame = tables["ceilings"]
    shown = Printed(
        f"Ceiling check: PGR on {_title(frame)} against the finetuned ceiling and the best ceiling",
        ["method", "ceiling", "PGR", "best ceiling", "PGR against it", "probe - ceiling"],
        [
            "best ceiling: the higher score of the finetuned ceiling and a logistic probe with "
            "ground truth on the frozen strong model, which is one for all seeds. It is chosen on "
            "test, so that it is a little too high (by at most 0.4 standard errors of probe - "
            "ceiling), and PGR against it a little too low. undefined: that ceiling is not clearly "
            "above the floor.",
        ],
    )
    for _, of in frame.group_by(["run", "task", "method"], maintain_order=True):
        tuned, best = of.sort("against", descending=True, maintain_order=True).to_dicts()
        shown.add(
            tuned,
            _method(tuned),
            _number(tuned["ceiling"]),
            _pgr(tuned),
            f"{_number(best['ceiling'])} {best['is']}",
            _pgr(best),
            _with_interval(tuned, "probe_minus_ceiling", _signed),
        )
    return shown


PRINTERS: Mapping[str, Callable[[Tables], Printed]] = {
    "agreement": _agreement,
    "confusion": _confusion,
    "calibration": _calibration,
    "misfit": _misfit,
    "misfit_over_tasks": _misfit_over_tasks,
    "saliency": _saliency,
    "difficulty": _difficulty,
    "ceilings": _ceilings,
}

MANY = 6
"""Tasks up to which each has lines of its own in every table."""

AVERAGED = ("agreement", "confusion", "calibration", "misfit", "saliency")
"""Of many tasks, the tables that are printed as means over tasks."""

COMPARED = ("agreement", "misfit_over_tasks")
"""What is printed of several runs together."""


def _over_tasks(table: pl.DataFrame) -> pl.DataFrame:
    """The means over tasks, which have no interval: those of the tasks are not independent."""
    import polars as pl

    ends = [name for name in table.columns if name.endswith(("_low", "_high"))]
    numbers = [n for n, kind in table.schema.items() if kind.is_float() and n not in ends]
    keys = [name for name in table.columns if name not in ("task", *ends, *numbers)]
    means = table.group_by(keys, maintain_order=True).agg(
        pl.format("mean of {}", pl.col("task").n_unique()).alias("task"),
        pl.col(numbers).mean(),
    )
    return means.with_columns(pl.lit(None).alias(name) for name in ends)


def _title(frame: pl.DataFrame) -> str:
    from weak2strong.ground.metrics import metric_title

    names: list[str] = frame["metric"].unique().sort().to_list()
    return " or ".join(metric_title(name) for name in names)


def _pgr(row: Row) -> str:
    text = _with_interval(row, "pgr", lambda x: f"{x:.2f}")
    return "undefined" if text == "-" else text


def _models(row: Row) -> str:
    return f"{row['weak']} to {row['strong']}"


def _method(row: Row) -> str:
    """A method's name, with a star where its students saw ground truth."""
    return row["method"] + (" *" if row["oracle"] else "")


def _who(row: Row) -> str:
    return _method(row) if row["role"] == "student" else row["role"]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}"


def _with_interval(row: Row, name: str, text: Callable[[float], str] = _number) -> str:
    """A number with its interval, or a dash where there is none."""
    if row[name] is None:
        return "-"
    if row[f"{name}_low"] is None:
        return text(row[name])
    return f"{text(row[name])} [{text(row[f'{name}_low'])}, {text(row[f'{name}_high'])}]"


def _say(console: Console, *texts: str) -> None:
    for text in texts:
        console.print(text, markup=False, highlight=False, soft_wrap=True)
