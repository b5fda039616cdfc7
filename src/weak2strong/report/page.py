"""One HTML file of runs, finished or not, and experiments: inline, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import weak2strong
from weak2strong.analysis.analysed import analyses_document
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.literature import literature_table
from weak2strong.analysis.over_tasks import over_tasks_table
from weak2strong.analysis.results import (
    chain_notes,
    checks_note,
    intervals_note,
    results_table,
    temperature_notes,
)
from weak2strong.analysis.warnings import warnings_of
from weak2strong.engine.contents import told
from weak2strong.engine.reading import Reading
from weak2strong.engine.recorded import STUDY
from weak2strong.experiments.experiment import FinishedExperiment
from weak2strong.ground.disks import writing
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import PGR_MEANING, metric_title
from weak2strong.ground.table import Document, Table, counted, words
from weak2strong.ground.whole import write_whole
from weak2strong.report.audit import audit_warnings
from weak2strong.report.comparison import compare_runs
from weak2strong.report.figures.style import Styles, method_styles
from weak2strong.report.folders import figures_of, read_folder, runs_in
from weak2strong.report.formats import to_html
from weak2strong.report.names import run_names
from weak2strong.report.parts import parts_of
from weak2strong.report.pictures import page_figures, theme
from weak2strong.report.provenance import provenance, settings_text
from weak2strong.report.templates import joined, template
from weak2strong.report.unfinished import Unfinished, read_unfinished
from weak2strong.report.watch import COUNTED, Watched, at_work_line, headline, kinds_of
from weak2strong.report.words import sentences

RELOAD = 10
"""Seconds after which a browser reads the page of an unfinished run again."""
FEW_RUNS = 3
"""Up to so many runs of an experiment have a section of their own."""
RECENT = 12
"""The number of steps done last that the page of an unfinished run names."""
DATA = (words("name", "task"), words("reference"), words("source", wraps=True), words("licence"))
"""The columns of the table of a run's tasks."""


def write_page(folders: Sequence[Path], path: Path, saturated: float | None = None) -> Path:
    """Write the report of some runs and experiments.

    Args:
        folders: folders of runs, finished or not, and of finished experiments.
        path: the file to write; a page of an unfinished run says so, and reloads itself.
        saturated: above which score of floor and ceiling tasks are left out; as each study says
            if None.

    Raises:
        UserError: for any other folder, or a file that cannot be written.
    """
    from threadpoolctl import threadpool_limits

    _check_place(path)
    # The products are small: threads would wait for each other longer than they multiply.
    with threadpool_limits(1, user_api="blas"):
        text = page(folders, saturated)
    with writing(path, "choose another --out"):
        path.parent.mkdir(parents=True, exist_ok=True)
        # A browser that reloads never reads half a page.
        write_whole(path, text)
    return path


def _check_place(path: Path) -> None:
    """Refuse a place that can be seen not to take a file, before a page is made for it.

    Raises:
        UserError: for a folder, and below what is no folder.
    """
    above = next(place for place in path.absolute().parents if place.exists())
    why = (
        f"{above} is no folder" if not above.is_dir() else "it is a folder" if path.is_dir() else ""
    )
    if why:
        raise UserError(f"Cannot write {path} ({why}): choose another --out.")


def page(folders: Sequence[Path], saturated: float | None = None) -> str:
    """The whole page as text.

    Raises:
        UserError: for a folder that is neither a run's nor an experiment's.
    """
    read = [read_folder(folder, saturated) for folder in folders]
    running = [
        (folder, run)
        for folder, finished in zip(folders, read, strict=True)
        if not finished and (run := read_unfinished(folder))
    ]
    in_folders = [x for finished in read for x in finished]
    named = [x for x in in_folders if isinstance(x, FinishedRun)]
    experiments = [x for x in in_folders if isinstance(x, FinishedExperiment)]
    few = [run for e in experiments if len(e.compared) <= FEW_RUNS for run in e.compared]
    # A run that is named beside its grid is still one run.
    every = runs_in((*named, *experiments))
    # The figures that compare the runs of one grid alone stand in the section of this grid.
    alone = any(set(e.compared) == set(every) for e in experiments)
    in_full = list(dict.fromkeys((*named, *few)))
    names = run_names(every)
    styles = method_styles([m for x in (*named, *experiments) for m in x.config.methods])
    script, colours = joined("js"), theme()
    # One folder that holds a grid and a run has the figures of these, and none that compares.
    comparing = folders if len(folders) > 1 else ()
    return template("page.html").render(
        style=joined("css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        theme=colours,
        variables={light: f"var({name})" for name, (light, _) in colours.items()},
        styles=styles,
        title=_title(named, [run for _, run in running], experiments),
        version=weak2strong.__version__,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        reload=RELOAD,
        running=[_progress(folder, run) for folder, run in running],
        experiments=[_experiment(e, styles, f"experiment{i}") for i, e in enumerate(experiments)],
        compared=compare_runs(every, styles, not alone, not experiments, comparing),
        runs=[_run(run, names[run], styles, f"run{i}") for i, run in enumerate(in_full)],
        cells={"runs": list(names.values()), "rows": _cells(every)},
        checks=checks_note([line for run in every for line in run.lines()]),
        pgr=PGR_MEANING,
        to_html=to_html,
    )


def _title(
    finished: Sequence[FinishedRun],
    running: Sequence[Unfinished],
    experiments: Sequence[FinishedExperiment],
) -> str:
    titles = [x.title for x in (*finished, *running, *experiments)]
    if len(titles) == 1:
        return titles[0]
    counts = {"run": len(finished) + len(running), "experiment": len(experiments)}
    return " and ".join(counted(n, what) for what, n in counts.items() if n)


def _progress(folder: Path, run: Unfinished) -> dict[str, Any]:
    """How far an unfinished run is."""
    state, now, watched = run.state, datetime.now(UTC), Watched(folder)
    numbered = list(enumerate(state.done, start=1))[-RECENT:]
    return {
        "title": run.title,
        "folder": str(folder),
        "done": len(state.done),
        "total": len(state.steps),
        "headline": headline(state, now),
        "goes_on": state.ended is None and state.silent(now) is None,
        "counted": COUNTED,
        "kinds": kinds_of(state),
        "running": [at_work_line(one, now) for one in state.running],
        "recent": [watched.done_line(one, n, state) for n, one in reversed(numbered)],
        "warnings": state.warnings,
        "settings": settings_text(run.config),
    }


def _run(run: FinishedRun, name: str, styles: Styles, prefix: str) -> dict[str, Any]:
    """All that the page says of a finished run."""
    first, over = run.lines()[0], run.over
    seeds, tasks = first.recovered.seeds, len(run.by_task)
    metric = metric_title(first.metric)
    return {
        "prefix": prefix,
        "title": name,
        "about": (
            f"{metric[0].upper()}{metric[1:]} on {counted(tasks, 'task')}, "
            f"{counted(seeds, 'seed')}. "
            f"{run.config.weak_name} supervises {run.config.strong.name}."
        ),
        "sentences": sentences(run),
        "warnings": [*warnings_of(run.lines()), *audit_warnings(run.audit)],
        "figures": page_figures(figures_of([run]), styles, prefix, [run.folder]),
        "parts": parts_of(run, styles, prefix),
        "metric": metric,
        "lines": results_table(run.lines(), f"Every task and method, {metric}, means over seeds"),
        "over": over and over_tasks_table(over, title="PGR of each method over the tasks"),
        "literature": literature_table(run),
        "lines_note": " ".join(
            [
                intervals_note(run.lines()).strip(),
                *chain_notes(run.lines()),
                *temperature_notes(run.lines()),
            ]
        ),
        "analyses": _analyses(run),
        "provenance": provenance(run),
        "data": Table("data", "The data", DATA, run.tasks),
        "read": list(dict.fromkeys(_read(run))),
        "settings": settings_text(run.config, run.tasks),
        "diff": run.environment.get("diff") or "",
    }


def _read(run: FinishedRun) -> Iterator[str]:
    """What was done with columns and rows, and what models read; nothing where it was not kept."""
    for task in run.tasks:
        of = f"{task['name']}: " if len(run.tasks) > 1 else ""
        yield from (of + sentence for sentence in told(task))
        for reading in task.get("read", ()):
            yield from Reading(**reading).sentences()


def _analyses(run: FinishedRun) -> Document:
    """The tables of all analyses, or why there are none."""
    try:
        return analyses_document({str(run.folder): run.analyses()})
    except UserError as e:
        return Document([], notes=[str(e)])


def _experiment(experiment: FinishedExperiment, styles: Styles, prefix: str) -> dict[str, Any]:
    """All that the page says of an experiment."""
    e = experiment
    return {
        "prefix": prefix,
        "title": e.title,
        "about": e.about,
        "figures": page_figures(figures_of([e]), styles, prefix, [e.folder]),
        "tables": e.document.tables,
        "notes": e.document.notes,
        "warnings": e.document.warnings,
        "provenance": provenance(e),
        "several": not e.files.has(STUDY),
        "settings": settings_text(e.config),
        "diff": e.environment.get("diff") or "",
    }


def _cells(runs: Sequence[FinishedRun]) -> list[list[Any]]:
    """A row a cell: run, task, method, seed, floor, student, ceiling, PGR (null if undefined)."""
    rows = []
    for i, run in enumerate(runs):
        by_cell = {(x.task, x.method): x.recovered.per_seed for x in run.lines()}
        metrics = {x.task: x.metric for x in run.lines()}
        for c in run.cells.iter_rows(named=True):
            if c["metric"] != metrics[c["task"]]:
                continue
            pgr = by_cell[c["task"], c["method"]][c["seed"]]
            scores = [round(c[k], 4) for k in ("floor", "student", "ceiling")]
            known = round(pgr, 4) if pgr == pgr else None
            rows.append([i, c["task"], c["method"], c["seed"], *scores, known])
    return rows
