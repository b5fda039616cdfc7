"""How a run ends in the terminal: what the number says, and which commands go on from here."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.intervals import SEEDS_AND_EXAMPLES
from weak2strong.analysis.shares import Shares, shares
from weak2strong.engine.recorded import STUDY
from weak2strong.ground.runs import LATEST_RUN
from weak2strong.ground.table import counted
from weak2strong.methods import BASELINE
from weak2strong.report.names import folder_word
from weak2strong.report.words import UNSUPERVISED, no_gap, recovery
from weak2strong.tasks import TASKS, expand

MOST = 3
"""Up to so many methods have a clause each; of more, the lowest and the highest are told."""

PAGE = "report.html"

INDENT = 2
"""Characters before a command."""

EXAMPLE_TASK = "atlas-europe"
"""The task that is written as a file to try one's own data on."""

FEWEST = 5
"""So many seeds at least has the run that the last command makes."""


def ending(run: FinishedRun, store: Path | None = None, width: int | None = None) -> list[str]:
    """Lines to print beneath the table of a run: two sentences, the page, and how to go on.

    Args:
        run: a finished one.
        store: that the user named for it.
        width: of a line; a longer command goes on in the next, as shells read it.
    """
    page = run.folder / PAGE
    look = shlex.quote(str(page))
    if not page.is_file():
        look = f"w2s report {shlex.quote(str(_latest(run.folder)))} --open"
    found = ["", *said(run), ""]
    for what, commands in [("Look at it", [look]), *next_commands(run, store)]:
        found.append(f"{what}:")
        found += [line for command in commands for line in _lines(command, width)]
    return found


def _lines(command: str, width: int | None) -> list[str]:
    """A command that can be copied: where it is too wide, lines end as shells go on from them."""
    if width is None or len(command) + INDENT <= width:
        return [f"{' ' * INDENT}{command}"]
    first, *words = map(shlex.quote, shlex.split(command))
    lines = [f"{' ' * INDENT}{first}"]
    for word in words:
        # A word stays whole, since a path that is broken is another one. Two are for the backslash.
        if len(lines[-1]) + 1 + len(word) + 2 <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(f"{' ' * 2 * INDENT}{word}")
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def said(run: FinishedRun) -> tuple[str, str]:
    """What came out, and what such a number means: a sentence each, in plain words."""
    found = shares(run)
    if not any(found.by_method.values()):
        return _undefined(run)
    text = f"{found.on}{_found(run, found)}."
    return f"{text[:1].upper()}{text[1:]}", _means(run, found)


def next_commands(run: FinishedRun, store: Path | None = None) -> list[tuple[str, Sequence[str]]]:
    """Commands that go on with own data, a method of one's own, and more seeds, in that order.

    Where the data are one's own already, the first one looks into them; where a plugin is, the
    second one compares methods.
    """
    # By the time that one of them is called, another one may have moved runs/latest.
    folder, study = folder_word(run.folder), folder_word(run.folder / STUDY)
    flags = f" --store {shlex.quote(str(store))}" if store else ""
    config = run.config
    more = max(FEWEST, 2 * config.seeds)
    data = [
        f"w2s export {EXAMPLE_TASK} --out my.jsonl",
        f"w2s run --task my.jsonl --group-column group{flags}",
    ]
    own_data = any(task not in TASKS for task in expand(config.tasks))
    looked = ("What your data hold", [f"w2s audit {folder}"])
    own_method = f"w2s run {study} --plugin mine.py --methods {BASELINE} mine{flags}"
    methods = ("Your own method", ["w2s methods --example mine.py", own_method])
    if config.plugins:
        methods = ("Its methods against each other", [f"w2s compare {folder}"])
    return [
        looked if own_data else ("Your own data", data),
        methods,
        ("More seeds", [f"w2s run {study} --seeds {more}{flags}"]),
    ]


def _latest(folder: Path) -> Path:
    """A run folder as one would name it now: by ``runs/latest`` where that is it."""
    return LATEST_RUN if LATEST_RUN.exists() and LATEST_RUN.samefile(folder) else folder


def _found(run: FinishedRun, found: Shares) -> str:
    """A clause a method: which share of the gap its students recover, and how sure that is."""
    told = {m: share for m, share in found.by_method.items() if share}
    oracles = run.oracles
    lacking = len(found.by_method) - len(told)
    if len(told) > MOST:
        by = sorted(told, key=lambda m: told[m][0])
        low, high = (f"{told[m][0]:.2f} ({m}{_bound(m, oracles)})" for m in (by[0], by[-1]))
        text = f"{found.name} of {len(told)} methods goes from {low} to {high}"
    else:
        clauses = [
            f"{'students' if i == 0 else 'those'} of {m}{_bound(m, oracles)} "
            f"{recovery(*share, found.name, found.how)}"
            for i, (m, share) in enumerate(told.items())
        ]
        text = "; ".join(clauses)
    return f"{text}; of {counted(lacking, 'method')} it is undefined" if lacking else text


def _bound(method: str, oracles: frozenset[str]) -> str:
    return ", which see ground truth," if method in oracles else ""


def _means(run: FinishedRun, found: Shares) -> str:
    """How to read the share, or why it is to be read as nothing."""
    supervised = [lines[0].supervised for lines in run.by_task.values()]
    if not any(supervised):
        return f"But {UNSUPERVISED}, so that there was next to nothing to learn from their labels."
    first = next(share for share in found.by_method.values() if share)
    seeds = "seeds and " if first[1].covers == SEEDS_AND_EXAMPLES else ""
    tasks = "these tasks" if run.over else "this task"
    return (
        "The gap is from the supervisor to the same strong model taught with ground truth; the "
        f"interval says what other {seeds}test examples would give for {tasks} and this pair of "
        "models, and nothing of others."
    )


def _undefined(run: FinishedRun) -> tuple[str, str]:
    """Why there is no PGR, and what would help."""
    lines = run.lines()
    r = lines[0].recovered
    if run.over is not None:
        why = no_gap(run.over, len(run.by_task))
    else:
        reason = (r.undefined or "").rstrip(".")
        why = f"{reason[:1].lower()}{reason[1:]}"
    found = f"PGR is undefined: {why}."
    if all(line.saturated for line in lines):
        return found, (
            "Supervisor, students and ceiling are all nearly perfect: take a harder task, on which "
            "there is something to recover."
        )
    if all(line.recovered.gap_interval.high < 0 for line in lines):
        return found, (
            "The strong model taught with ground truth is worse than the supervisor: look at its "
            "training (rates, epochs, examples) before anything else."
        )
    if run.over is None and r.has_gap:
        return found, "More seeds tell how wide the gap is; the scores above stand as they are."
    return found, (
        "Without a gap there is no share of it that students could recover: take a stronger "
        "student, a weaker supervisor, or more test examples and seeds."
    )
