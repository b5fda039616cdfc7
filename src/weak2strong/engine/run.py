"""A study from config to run folder: claim the folder, do the steps, record the results."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from weak2strong.config.engine import EngineOptions
from weak2strong.config.study import StudyConfig
from weak2strong.engine.claim import claim
from weak2strong.engine.contents import FILE as TASKS
from weak2strong.engine.contents import Contents, contents, contents_file
from weak2strong.engine.done import Done
from weak2strong.engine.engines import run_steps
from weak2strong.engine.events import AT_WORK, Event, Telling, events_of, read_events
from weak2strong.engine.kept import check_kept, keeping, put_models, roles_of, sizes_told
from weak2strong.engine.places import Plan, models_of
from weak2strong.engine.rates import FILE as RATES
from weak2strong.engine.rates import HOW, rates_file
from weak2strong.engine.record import environment_file, results_files
from weak2strong.engine.recorded import ENVIRONMENT, STUDY
from weak2strong.engine.tracking.tracked import Tracked, trackers_named, tracking
from weak2strong.engine.work import FILE as WORK
from weak2strong.engine.work import Work, work_file, work_of
from weak2strong.ground.disks import writing
from weak2strong.ground.errors import UserError
from weak2strong.ground.index import Files, put
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stopped
from weak2strong.ground.store import Store
from weak2strong.ground.store.lock import shown
from weak2strong.models.folders import shipped
from weak2strong.models.reads import reads_words
from weak2strong.protocol.resolve import chosen_rates, resolve, settle
from weak2strong.protocol.steps import Step, steps
from weak2strong.protocol.task_run import MissingError, TaskRun
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.task import Inputs, Kind


def run_study(
    config: StudyConfig,
    out: Path | None = None,
    store: Path | None = None,
    progress: Progress | None = None,
    plan: Plan | None = None,
    show: Callable[[Sequence[Contents]], None] = lambda tasks: None,
    engine: EngineOptions | None = None,
    keep: Sequence[str] = (),
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
        engine: what the user wants of the engine.
        keep: whose trained models are kept: ``student``, ``ceiling``, ``supervisor``, or ``all``.

    Returns:
        The run folder.

    Raises:
        UserError: for bad input, before anything is trained.
    """
    progress = progress or Progress(quiet=True)
    opened, resolution = Store(store), resolve(config)
    if resolution.said:
        # Also where no progress is wanted, nothing is downloaded that nobody was told of.
        (progress.say if resolution.downloads else progress.line)(resolution.said)
    chosen = chosen_rates(resolution.config)
    config = settle(resolution.config, chosen)
    task_runs, roles = TaskRun.all_of(config, opened), roles_of(keep)
    check_kept(config, task_runs, roles)
    trackers = trackers_named(engine.track if engine else ())
    tasks = [_contents(task_run) for task_run in task_runs.values()]
    folder = claim(out, config, tuple(task_runs))
    show(tasks)
    for name, reasons in resolution.left_out.items():
        for text in reasons.values():
            progress.line(f"left out of {name}: {text}")
    for choice in chosen:
        if choice.why:
            progress.line(f"rates of {choice.model}: {HOW[choice.how]} ({choice.why})")
    for name in computing_in_float32(config):
        progress.line(f"precision of {name}: float32, since its architecture fails in bfloat16")

    def files(work: Sequence[Work]) -> Mapping[str, bytes]:
        return {
            STUDY: config.to_yaml().encode(),
            TASKS: contents_file(tasks),
            WORK: work_file(work),
            RATES: rates_file(chosen, task_runs),
            **results_files(config, task_runs),
        }

    kinds: dict[str, Kind] = {name: task_run.task.kind for name, task_run in task_runs.items()}
    inputs: dict[str, Inputs] = {name: run.task.inputs for name, run in task_runs.items()}
    plan = plan or Plan.of(config, engine)
    todo = keeping(steps(config, kinds, inputs), roles)
    for text in sizes_told(config, todo):
        progress.line(text)
    with tracking(trackers, config, folder, progress) as tracked:
        do_steps(folder, todo, task_runs, plan, progress, files, tracked=tracked)
        for kept in put_models(folder, config, task_runs, todo):
            progress.line(f"model kept: {kept}")
        tracked.finish()
    return folder


def computing_in_float32(config: StudyConfig) -> list[str]:
    """The models that leave their precision open and cannot compute in bfloat16."""
    known = shipped()
    models = [
        m
        for m in models_of(config)
        if m.precision == "auto" and m.name not in known and reads_words(m)
    ]
    if not models:
        return []
    # Trying takes PyTorch, which a finished study does not need.
    from weak2strong.models.precision import takes_bfloat16

    return list(dict.fromkeys(model.name for model in models if not takes_bfloat16(model)))


def do_steps(
    folder: Path,
    todo: Sequence[Step],
    task_runs: Mapping[str, TaskRun],
    plan: Plan,
    progress: Progress,
    files: Callable[[Sequence[Work]], Mapping[str, bytes]],
    kind: str = "run",
    tracked: Tracked | None = None,
) -> None:
    """Do the steps of a run, log them in ``events.jsonl``, and put its results into the folder.

    Until all steps are done, the files of an earlier run in the folder stay as they are.

    Args:
        folder: of the run.
        todo: the steps.
        task_runs: by the name of the task.
        plan: processes and threads.
        progress: shows the steps.
        files: called with the work of the steps, gives the content of the files by their names.
        kind: ``run``, or the name of the experiment.
        tracked: is told of every step that is done.

    Raises:
        UserError: where the files cannot be written.
    """
    first = next(iter(task_runs.values()))
    root, devices = first.store.root, set[str]()
    with shown(folder / AT_WORK), events_of(folder) as event:

        def tell(done: Done) -> None:
            devices.update(used.device for used in done.used)
            stages = [asdict(used) for used in done.used]
            event(
                "step",
                name=done.step.name,
                reused=done.reused,
                seconds=done.seconds,
                stages=stages,
            )
            for text in done.warnings:
                event("warning", text=text)
                progress.line(f"warning: {text}")
            progress.line(done.line)
            if tracked:
                tracked.step(done, first.store)

        names = [step.name for step in todo]
        where = {"workers": plan.workers, "threads": plan.threads, "store": str(root)}
        event("start", **where, machine=platform.node(), steps=names)
        with _followed(progress, event):
            run_steps(todo, task_runs, plan, progress, tell)
            content = _content(files, work_of(todo, read_events(folder)))
            environment = environment_file(first.place, devices)
            put_results(folder, {ENVIRONMENT: environment, **content}, kind)
        event("end")


@contextmanager
def _followed(progress: Progress, event: Event) -> Iterator[None]:
    """A context in which the log tells which steps are at work, and why it ended early."""
    telling = Telling(event)
    progress.followers.append(telling)
    try:
        yield
    except BaseException as error:
        why = error.by if isinstance(error, Stopped) else str(error) or type(error).__name__
        # Where the disk is full, that is what has ended it.
        with suppress(UserError):
            event("stop", why=why)
        raise
    finally:
        progress.followers.remove(telling)


def _content(
    files: Callable[[Sequence[Work]], Mapping[str, bytes]], work: Sequence[Work]
) -> Mapping[str, bytes]:
    """The content of the files of a run whose steps are done.

    Raises:
        UserError: where a result is not in the store any more, and this machine is not to make it.
    """
    try:
        return files(work)
    except MissingError as e:
        raise UserError(
            f"The {e.stage} result {e.key[:12]} is not in the store any more, and this machine is "
            "none of those that make results: run the same command again."
        ) from e


def put_results(
    folder: Path,
    files: Mapping[str, bytes],
    kind: str | None,
    beside: Files | None = None,
) -> None:
    """Put the files of a finished run or experiment into its folder, all together.

    Args:
        folder: the folder.
        files: what they hold, by name.
        kind: of the folder where it has no index yet (see `weak2strong.ground.index.put`).
        beside: files that these tell of, likewise.

    Raises:
        UserError: where they cannot be written.
    """
    with writing(folder, "choose another folder with --out"):
        put(folder, files, kind, beside)


def _contents(task_run: TaskRun) -> Contents:
    """The contents of a task; tokens are counted only in a user's own texts."""
    config, models = task_run.config, ()
    if isinstance(task_run.task, FileTask) and SORTS[task_run.task.inputs].has_words:
        models = (config.strong,) if config.given_labels else (config.strong, config.weak)
    return contents(task_run.reference, task_run.task, task_run.splits, models)
