"""Bars by setting: weak, naive, best method and ceiling of several runs.

Burns et al. 2023, figure 1: a group of bars for each of NLP, chess and reward modelling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.metrics import metric_title
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.scores import SCORES, means
from weak2strong.report.figures.style import CEILING, FLOOR, Styles, new_figure, row_labels
from weak2strong.report.names import run_names

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

NAIVE = "naive"

BAR = 0.2
"""The height of a bar; a run is one high."""


def data(runs: Sequence[FinishedRun]) -> pl.DataFrame | None:
    """A row a run and bar: floor, naive, the best of the other methods, and ceiling.

    Scores are means over tasks and seeds, as in the run's own figure of scores. Oracles are not
    chosen as the best. None below two runs, and where the runs are of the same tasks, so that
    there is but one setting.
    """
    import polars as pl

    if len({tuple(run.by_task) for run in runs}) < 2:
        return None
    rows = []
    for run, name in run_names(runs).items():
        frame = SCORES.data(run)
        assert frame is not None
        scores = {(r, m): x for r, m, x in means(frame).select("role", "method", "score").rows()}
        honest = {x.method for x in run.lines() if not x.oracle and x.method != NAIVE}
        bars: list[tuple[str, str, float]] = [("floor", "", scores["floor", ""])]
        if ("student", NAIVE) in scores:
            bars.append(("naive", NAIVE, scores["student", NAIVE]))
        if honest:
            best = max(sorted(honest), key=lambda method: scores["student", method])
            bars.append(("best", best, scores["student", best]))
        bars.append(("ceiling", "", scores["ceiling", ""]))
        metric = run.lines()[0].metric
        rows += [(name, metric, bar, method, score) for bar, method, score in bars]
    return pl.DataFrame(rows, schema=["run", "metric", "bar", "method", "score"], orient="row")


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A group of bars a run, from 0 to 1."""
    runs = _by_run(frame)
    figure, axes = new_figure(height=0.6 + 0.95 * len(runs))
    for y, bars in enumerate(runs.values()):
        for i, bar in enumerate(bars):
            at = y + BAR * (i - (len(bars) - 1) / 2)
            own = {"floor": FLOOR, "ceiling": CEILING}
            colour = own.get(bar["bar"]) or styles[bar["method"]].colour
            axes.barh(at, bar["score"], height=0.9 * BAR, color=colour)
            axes.annotate(
                f"{bar['score']:.3f}  {_name(bar)}",
                (bar["score"], at),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
            )
    row_labels(axes, list(runs))
    names = [_wrapped(name, bars[0]["metric"]) for name, bars in runs.items()]
    axes.set_yticks(range(len(runs)), names)
    # Room for the longest label behind the longest bar.
    axes.set_xlim(0, 1.1 + 0.014 * max(len(_name(row)) for row in frame.iter_rows(named=True)))
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.set_xlabel("score on the test set")
    return figure


def _by_run(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found = dict[str, list[dict[str, Any]]]()
    for row in frame.iter_rows(named=True):
        found.setdefault(row["run"], []).append(row)
    return found


def _name(bar: dict[str, Any]) -> str:
    named = {"floor": "weak supervisor", "ceiling": "strong ceiling", "best": "best other: "}
    return named.get(bar["bar"], "") + bar["method"]


def _wrapped(name: str, metric: str) -> str:
    """The name of a run and its metric on a few short lines."""
    from textwrap import fill

    return fill(f"{name}: {metric_title(metric)}", 26, break_on_hyphens=False)


def title(frame: pl.DataFrame) -> str:
    """Where the best method gains most over naive finetuning."""
    gains = dict[str, tuple[float, str]]()
    for run, bars in _by_run(frame).items():
        of = {bar["bar"]: bar for bar in bars}
        if "naive" in of and "best" in of:
            gains[run] = (of["best"]["score"] - of["naive"]["score"], of["best"]["method"])
    if not gains:
        return f"Supervisor, students and ceiling of {frame['run'].n_unique()} runs"
    run = max(gains, key=lambda name: gains[name][0])
    gain, method = gains[run]
    if gain <= 0:
        return "No other method scores above naive finetuning in any setting"
    return f"Of other methods, {method} gains most over naive finetuning: {gain:+.3f} in {run}"


def alt(frame: pl.DataFrame) -> str:
    """Every bar."""
    return (
        "; ".join(
            f"{run}: " + ", ".join(f"{_name(bar)} {bar['score']:.3f}" for bar in bars)
            for run, bars in _by_run(frame).items()
        )
        + "."
    )


def note(frame: pl.DataFrame) -> str:
    """What bars are, and how the best one is chosen."""
    return (
        "Means over tasks and seeds, each run by its own metric. The best other method is chosen "
        "by the very test that scores it, so it flatters; oracles are left out."
    )


SETTINGS = FigureKind("settings", data, draw, title, alt, note)
