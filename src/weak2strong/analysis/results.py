"""The table of a study: a row a task and method, and the sentences beneath it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from weak2strong.analysis.over_tasks import OverTasks, over_tasks_table
from weak2strong.analysis.summary import Line
from weak2strong.analysis.warnings import warnings_of
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import (
    DASH,
    Column,
    Document,
    Row,
    Table,
    number,
    pgr,
    pgr_text,
    seeds_text,
    wide_field,
    words,
)
from weak2strong.ground.temperature import HIGHEST, LOWEST

PROBE = "probe: logistic regression with ground truth on the frozen strong model."
NGRAMS = " ngrams: character n-grams of the text with ground truth, no knowledge."


def results_document(
    lines: Sequence[Line],
    over: OverTasks | None = None,
    folder: Path | None = None,
    more: Sequence[Table] = (),
) -> Document:
    """Floor, student, ceiling and PGR of every line, and what to know about them.

    Args:
        lines: one a task and method.
        over: the same over tasks, for a last table.
        folder: of the run, which each row then names in JSON.
        more: tables that stand beneath these.
    """
    first = lines[0]
    title = (
        f"{first.weak} to {first.strong}: {metric_title(first.metric)}, "
        f"{seeds_text(first.recovered.seeds)}"
    )
    unprobed = any(line.probe_ceiling is None for line in lines)
    notes = [
        sizes_note(lines) + intervals_note(lines),
        checks_note(lines)
        + (f" {DASH}: no probe, since answers are no classes." if unprobed else ""),
        *chain_notes(lines),
        *temperature_notes(lines),
        *reading_notes(lines),
    ]
    tables = [results_table(lines, title, notes)]
    if over:
        tables.append(over_tasks_table(over))
    tables += more
    if folder is not None:
        run = {"run": str(folder)}
        tables = [replace(t, rows=[run | dict(row) for row in t.rows]) for t in tables]
    return Document(tables, warnings=warnings_of(list(lines)))


def results_table(lines: Sequence[Line], title: str, notes: Sequence[str] = ()) -> Table:
    """A row a line; with what was spent on it, where that is known."""
    level = 100 * lines[0].recovered.gap_interval.level
    columns = [
        words("task"),
        Column("method", "method", _method, "left"),
        *(number(name) for name in ("floor", "student", "ceiling")),
        pgr(title=f"PGR [{level:g}%]"),
        number("probe_ceiling", "probe", detail=True),
        *([number("ngrams", detail=True)] if _have_words(lines) else []),
    ]
    if lines[0].spent:
        columns += [
            number("seconds", digits=1, detail=True),
            Column("reused", "reused", _reused, detail=True),
        ]
    rows = [result_row(line) | _spent(line) for line in lines]
    return Table("results", title, columns, rows, notes)


def checks_note(lines: Sequence[Line]) -> str:
    """What the columns of the checks are; there are no n-grams where no task has texts."""
    return PROBE + (NGRAMS if _have_words(lines) else "")


def _have_words(lines: Sequence[Line]) -> bool:
    """Whether some of the tasks consist of texts, and so have a baseline of n-grams."""
    return any(line.ngrams is not None for line in lines)


def result_row(line: Line) -> dict[str, Any]:
    """A line as raw values: scores, PGR with its interval, and checks.

    ``pgr``, ``pgr_low`` and ``pgr_high`` are None where PGR is undefined, and ``undefined`` then
    says why; ``pgr_wide`` says whether the interval is too wide to be printed; ``chain`` names the
    models that labels pass through, where there are any between supervisor and student;
    ``temperatures`` are those of the weak labels by seed, where the study sets any.
    """
    r = line.recovered
    return {
        "task": line.task,
        "method": line.method,
        "floor": r.floor,
        "student": r.student,
        "ceiling": r.ceiling,
        **r.pgr,
        **wide_field(r.pgr),
        "metric": line.metric,
        "weak": line.weak,
        "strong": line.strong,
        "chain": " > ".join(line.chain) or None,
        "probe_ceiling": line.probe_ceiling,
        "ngrams": line.ngrams,
        "oracle": line.oracle,
        "temperatures": list(line.temperatures) or None,
        "seeds": r.seeds,
        "examples": r.examples,
    }


def _spent(line: Line) -> dict[str, Any]:
    """What the run spent on a line's students; None of a run that did not say."""
    return {n: getattr(line.spent, n, None) for n in ("seconds", "reused", "stages")}


def _method(row: Row) -> str:
    return f"{row['method']} (oracle)" if row["oracle"] else row["method"]


def _reused(row: Row) -> str:
    return DASH if row["reused"] is None else f"{row['reused']} of {row['stages']}"


def sizes_note(lines: Sequence[Line]) -> str:
    """How many examples each task was scored on."""
    sizes = {x.task: x.recovered.examples for x in lines}
    return "Test examples: " + ", ".join(f"{task} {n:,}" for task, n in sizes.items()) + "."


def intervals_note(lines: Sequence[Line]) -> str:
    """What the intervals of PGR are, where there are any, and what a seed is."""
    kinds = {(i.method, i.covers) for x in lines if (i := x.recovered.interval)}
    text = "".join(f" PGR intervals: {method}, over {what}." for method, what in sorted(kinds))
    if any(x.vary == "split" for x in lines):
        text += (
            " Each seed drew weak_train, strong_train and validation of its own (vary: split), and "
            "the test is the same for all."
        )
    return text


def reading_notes(lines: Sequence[Line]) -> list[str]:
    """For students that have read the texts first: PGR against ceilings that have, too."""
    return [
        f"{x.task}, {x.method}: the ceiling that reads the texts first, too, has "
        f"{x.reading.ceiling:.3f}, and PGR against it is {pgr_text(x.reading.pgr)}."
        for x in lines
        if x.reading
    ]


def temperature_notes(lines: Sequence[Line]) -> list[str]:
    """At which temperature students learn weak labels, where it is not that of the supervisor."""
    by_task = {x.task: x.temperatures for x in lines if x.temperatures}
    if not by_task:
        return []
    numbers = {", ".join(f"{t:g}" for t in by_seed) for by_seed in by_task.values()}
    every = {t for by_seed in by_task.values() for t in by_seed}
    if len(every) == 1:
        at = f"temperature {next(iter(every)):g}"
    elif len(numbers) == 1:
        at = f"temperature {next(iter(numbers))} (by seed)"
    else:
        told = (f"{task} {', '.join(f'{t:g}' for t in ts)}" for task, ts in by_task.items())
        at = f"a temperature of each task and seed: {'; '.join(told)}"
    tried = f" A fit tries {LOWEST:g} to {HIGHEST:g}." if every & {LOWEST, HIGHEST} else ""
    return [
        f"Students learn weak labels at {at}. The floor is that of the supervisor's own "
        f"probabilities.{tried}"
    ]


def chain_notes(lines: Sequence[Line]) -> list[str]:
    """Through which models labels pass, for methods that take some between."""
    chains = {x.method: x.chain for x in lines if x.chain}
    return [f"{method}: labels pass {' > '.join(chain)}." for method, chain in chains.items()]
