"""The trackers of a run: opened before it, told on its way, and left out where they fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from weak2strong.config.study import StudyConfig
from weak2strong.engine.curves import curve_rows, role_of, trainings_in
from weak2strong.engine.done import Done
from weak2strong.engine.events import events_of
from weak2strong.engine.tracking import TRACKERS
from weak2strong.engine.tracking.tracker import TrackedRun, TrackedTraining, Tracker
from weak2strong.ground.errors import UserError
from weak2strong.ground.progress import Progress
from weak2strong.ground.shown import SHOWN
from weak2strong.ground.store import Store


def trackers_named(names: Sequence[str]) -> dict[str, Tracker]:
    """The trackers of some names; nothing of them is begun yet.

    Raises:
        UserError: for an unknown name, and where the package of a tracker is not installed.
    """
    kinds = {name: TRACKERS.get(name) for name in names}
    for name, kind in kinds.items():
        package, extra = getattr(kind, "package", ""), getattr(kind, "extra", "")
        if package and not _is_installed(package):
            what = f"weak2strong[{extra}]" if extra else package
            raise UserError(
                f"--track {name} needs the package {package}, which is not installed: run `pip "
                f"install '{what}'`, or leave --track {name} out."
            )
    return {name: kind() for name, kind in kinds.items()}


def _is_installed(package: str) -> bool:
    """Whether a package can be imported; a folder of its name, as trackers leave, is none."""
    try:
        found = find_spec(package)
    except ModuleNotFoundError:
        # Of a package inside of another one, which is not there.
        return False
    return found is not None and found.origin is not None


@dataclass
class Tracked:
    """A run with its trackers.

    Attributes:
        folder: of the run.
        progress: shows where a tracker can be looked at, and warnings.
        on: the trackers that have not failed, by name.
    """

    folder: Path
    progress: Progress
    on: dict[str, Tracker] = field(default_factory=dict)

    def start(self, config: StudyConfig) -> None:
        """Tell all of them that the run begins."""
        settings = json.loads(json.dumps(asdict(config), default=str))
        run = TrackedRun(self.folder.resolve().name, self.folder, settings)

        def begin(name: str, tracker: Tracker) -> None:
            self.progress.line(f"tracked by {name}: {tracker.start(run)}")

        self._each("its start", begin)

    def step(self, done: Done, store: Store) -> None:
        """Tell all of them the finetunings of a step that is done."""
        for training in _trainings(done, store) if self.on else ():
            self._each(f"the curve of {training.name}", lambda _, t: t.training(training))  # noqa: B023

    def finish(self, has_table: bool = True) -> None:
        """Tell all of them what the finished folder holds."""
        if not self.on:
            return
        table = SHOWN.get("rows")(self.folder) if has_table else []
        page = SHOWN.get("page")([self.folder], self.folder / "report.html")
        self._each("its results", lambda _, tracker: tracker.results(table, page))

    def end(self, failed: bool) -> None:
        """Tell all of them that the run is over."""
        self._each("its end", lambda _, tracker: tracker.end(failed))

    def _each(self, what: str, call: Callable[[str, Tracker], Any]) -> None:
        for name, tracker in list(self.on.items()):
            # Services and libraries of others fail in any way, which must cost no run.
            try:
                call(name, tracker)
            except Exception as error:
                del self.on[name]
                said = " ".join(str(error).split())
                text = (
                    f"The tracker {name} failed at {what} ({type(error).__name__}: {said[:200]}), "
                    "and the run goes on without it."
                )
                with events_of(self.folder) as event:
                    event("warning", text=text)
                self.progress.line(f"warning: {text}")


@contextmanager
def tracking(
    trackers: dict[str, Tracker], config: StudyConfig, folder: Path, progress: Progress
) -> Iterator[Tracked]:
    """A context in which trackers follow a run; at its end they are told how it ended."""
    tracked = Tracked(folder, progress, trackers)
    tracked.start(config)
    try:
        yield tracked
    except BaseException:
        tracked.end(failed=True)
        raise
    tracked.end(failed=False)


def _trainings(done: Done, store: Store) -> Iterator[TrackedTraining]:
    """The finetunings of a step; the last one of several has the name of the step alone."""
    step, entries = done.step, trainings_in(store, done.used)
    for i, entry in enumerate(entries):
        name = step.name if entry is entries[-1] else f"{step.name} fit {i}"
        method = step.method or ""
        rows = curve_rows(entry)
        yield TrackedTraining(name, step.task, role_of(entry), method, step.seed or 0, rows)
