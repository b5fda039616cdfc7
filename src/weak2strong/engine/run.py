"""A study from config to run folder: claim the folder, do the steps, record the results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from weak2strong.config.study import StudyConfig
from weak2strong.engine.contents import Contents, contents, write_contents
from weak2strong.engine.local import Done, Plan, run_steps
from weak2strong.engine.record import write_environment, write_results
from weak2strong.engine.work import Work, write_work
from weak2strong.ground.errors import UserError
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.protocol.resolve import resolve, settle
from weak2strong.protocol.steps import Step, steps
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.task import Kind


def run_study(
    config: StudyConfig,
    out: Path | None = None,
    store: Path | None = None,
    progress: Progress | None = None,
    plan: Plan | None = None,
    show: Callable[[Sequence[Contents]], None] = lambda tasks: None,
) -> Path:
    """Run a study to its end and write its folder.

    Args:
        config: the study; it is resolved and checked first.
        out: the run folder; by default a new one below ``runs``, which
            ``runs/latest`` then points to.
        store: root of the store; by default the user's.
        progress: shows the steps.
        plan: processes and threads; by default those that suit models and machine.
        show: called with the contents of the tasks before the first step.

    Returns:
        The run folder.

    Raises:
        UserError: for bad input, before anything is trained.
    """
    progress = progress or Progress(quiet=True)
    opened, resolution = Store(store), resolve(config)
    config = settle(resolution.config)
    task_runs = {t.task.name: t for t in (TaskRun.of(config, opened, r) for r in config.tasks)}
    tasks = [_contents(task_run) for task_run in task_runs.values()]
    folder = claim(out, config, tuple(task_runs))
    show(tasks)
    for name, reasons in resolution.left_out.items():
        for text in reasons.values():
            progress.line(f"left out of {name}: {text}")

    def write(work: Sequence[Work]) -> None:
        write_contents(folder, tasks)
        write_work(folder, work)
        write_results(folder, config, task_runs)

    kinds: dict[str, Kind] = {name: task_run.task.kind for name, task_run in task_runs.items()}
    do_steps(folder, steps(config, kinds), task_runs, plan or Plan.of(config), progress, write)
    return folder


def do_steps(
    folder: Path,
    todo: Sequence[Step],
    task_runs: Mapping[str, TaskRun],
    plan: Plan,
    progress: Progress,
    write: Callable[[Sequence[Work]], None],
) -> None:
    """Do the steps of a run, write its results, and log both in ``events.jsonl``.

    Args:
        folder: of the run.
        todo: the steps.
        task_runs: by the name of the task.
        plan: processes and threads.
        progress: shows the steps.
        write: called with the work of the steps, writes the rest of the folder.
    """
    work, root = list[Work](), next(iter(task_runs.values())).store.root
    with (folder / "events.jsonl").open("a") as log:

        def event(what: str, **details: Any) -> None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            print(json.dumps({"time": now, "event": what, **details}), file=log, flush=True)

        def tell(done: Done) -> None:
            stages = [asdict(used) for used in done.used]
            event("step", name=done.step.name, reused=done.reused, stages=stages)
            work.append(Work.of(done))
            for text in done.warnings:
                event("warning", text=text)
                progress.line(f"warning: {text}")
            took = "reused" if done.reused else f"{done.seconds:.1f} s"
            notes = "".join(f", {used.note}" for used in done.used if used.note)
            progress.line(f"{done.step.name}: {took}{notes}")

        event("start", workers=plan.workers, threads=plan.threads, store=str(root))
        run_steps(todo, task_runs, plan, progress, tell)
        write_environment(folder)
        write(work)
        event("end")


def _contents(task_run: TaskRun) -> Contents:
    """The contents of a task; tokens are counted only in a user's own texts."""
    config, models = task_run.config, ()
    if isinstance(task_run.task, FileTask):
        models = (config.strong,) if config.weak_labels else (config.strong, config.weak)
    return contents(task_run.reference, task_run.task, task_run.splits, models)


def _same_study(old: str, new: str) -> bool:
    """Whether two texts are the same study; an older one may lack fields with default values."""
    try:
        return StudyConfig.from_yaml(old).to_yaml() == new
    except UserError:
        return False


def new_folder(what: str | None, tasks: Sequence[str]) -> Path:
    """A folder below ``runs`` whose name says the time, what is done, and the tasks."""
    first, *others = tasks
    about = f"{first}-and-{len(others)}-more" if others else first
    now = datetime.now().strftime("%Y%m%d-%H%M%S")
    return Path("runs") / "-".join(part for part in (now, what, about) if part)


def claim(
    out: Path | None, config: StudyConfig, tasks: Sequence[str], what: str | None = None
) -> Path:
    """The run folder with ``study.yaml`` in it, checked to be writable and ours.

    Args:
        out: the user's choice; by default a new folder below ``runs``.
        config: the study, resolved.
        tasks: names, for that of a new folder.
        what: is done, if it is no run; ``runs/latest`` then stays as it is.

    Raises:
        UserError: where it cannot be written, or holds another study.
    """
    folder = out or new_folder(what, tasks)
    text = config.to_yaml()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = folder / "study.yaml"
        if there.exists() and not _same_study(there.read_text(), text):
            raise UserError(
                f"{folder} holds a run of another study: choose another folder with --out."
            )
        there.write_text(text)
        if out is None and what is None:
            latest = folder.parent / "latest"
            latest.unlink(missing_ok=True)
            latest.symlink_to(folder.name)
    except OSError as e:
        raise UserError(
            f"The run folder {folder} cannot be written ({e.strerror}): "
            "choose another one with --out."
        ) from e
    return folder
