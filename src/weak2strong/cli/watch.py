"""`w2s watch`: a run that goes on, seen from another terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from tyro.conf import FlagCreatePairsOff, Positional, arg

from weak2strong.cli.lists import MetricPlugins
from weak2strong.ground.errors import UserError
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.runs import LATEST_RUN

if TYPE_CHECKING:
    from weak2strong.engine.state import RunState
    from weak2strong.report.watch import Watched

PAGE_EVERY = 10.0
"""Seconds between two pages of a run that goes on."""

DAY = 86_400


@dataclass(frozen=True)
class Watch:
    """Watch a run that goes on, in another terminal.

    Steps done and waiting, losses, time left. It ends with the run, or by Ctrl-C, and changes
    nothing. Without a terminal it prints a line whenever a step is done. Of a run that has ended it
    shows the end.
    """

    purpose: ClassVar[Purpose] = Purpose.RUN
    runs: ClassVar[tuple[str, ...]] = ("folder",)

    folder: Positional[Annotated[Path, arg(metavar="[RUN]", help_behavior_hint="")]] = LATEST_RUN
    """The run folder (default: runs/latest)."""
    every: Annotated[float, arg(metavar="SECONDS", help_behavior_hint="(default: 1)")] = 1.0
    """Seconds between two looks at it."""
    page: FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]] = False
    """Write report.html in the folder meanwhile, every ten seconds and at the end; a browser that
    shows it follows."""
    plugin: MetricPlugins = ()

    def __call__(self) -> None:
        """Watch until the run ends."""
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.report.watch import Watched

        if not 0 < self.every <= DAY:
            raise UserError(
                f"--every takes seconds above 0 and up to {DAY:,} (a day), not {self.every:g}."
            )
        # Whoever watches ends when he has seen enough, which is no failure.
        with suppress(KeyboardInterrupt):
            load_plugins(self.plugin)
            watched = Watched(self.folder)
            _check(self.folder)
            with _screen(watched) as show:
                for state in self._states():
                    show(state)

    def _states(self) -> Iterator[RunState]:
        """Where the run stands, again and again, up to its end; pages are written meanwhile."""
        from weak2strong.engine.events import at_work
        from weak2strong.engine.state import KILLED, state_of

        log, written, gone = _Log(self.folder), -PAGE_EVERY, False
        while True:
            somebody = at_work(self.folder)
            if state := state_of(log.read()):
                now = state.beside(somebody)
                # Whoever begins it anew may do so between the two.
                again, gone = gone, now.ended == KILLED
                state = now if again else state
                yield state
            over = state is not None and state.ended is not None
            if self.page and (over or time.monotonic() - written >= PAGE_EVERY):
                self._write_page()
                written = time.monotonic()
            if over:
                return
            time.sleep(self.every)

    def _write_page(self) -> None:
        from weak2strong.report.page import write_page

        write_page([self.folder], self.folder / "report.html")


def _check(folder: Path) -> None:
    """Refuse a folder that no run has begun in.

    Raises:
        UserError: for such a folder.
    """
    from weak2strong.engine.events import FILE

    if not (folder / FILE).exists():
        raise UserError(
            f"{folder} holds no run: name a folder in which `w2s run` or an experiment has begun, "
            "such as runs/latest."
        )


class _Log:
    """The events of a folder, of which each look reads only what is new."""

    def __init__(self, folder: Path):
        from weak2strong.engine.events import FILE

        self._path, self._at, self._rest = folder / FILE, 0, b""
        self._events = list[dict[str, Any]]()

    def read(self) -> list[dict[str, Any]]:
        """All events so far."""
        from weak2strong.engine.events import events_in

        # The folder of a run that begins anew may be made anew.
        if not self._path.exists() or self._path.stat().st_size < self._at:
            self._at, self._rest, self._events = 0, b"", []
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._at)
                content = file.read()
            self._at += len(content)
            whole, ended, self._rest = (self._rest + content).rpartition(b"\n")
            self._events += events_in(whole + ended)
        return self._events


@contextmanager
def _screen(watched: Watched) -> Iterator[Any]:
    """A function that shows a state: drawn anew in a terminal, elsewhere as lines of news."""
    from weak2strong.ground.progress import Progress
    from weak2strong.report.watch import headline, news

    if not sys.stdout.isatty():
        told = None
        with Progress(sys.stdout) as progress:

            def tell(state: RunState) -> None:
                nonlocal told
                for line in news(watched, told, state):
                    progress.line(line)
                if state.ended:
                    progress.line(headline(state, datetime.now(UTC)))
                told = state

            yield tell
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(), auto_refresh=False) as live:
        yield lambda state: live.update(watched.drawn(state, datetime.now(UTC)), refresh=True)
