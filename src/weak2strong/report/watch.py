"""A run that goes on, in a terminal: what is done, at work and waiting, losses, and time left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from weak2strong.engine.curves import losses_of
from weak2strong.engine.state import FINISHED, KILLED, AtWork, Finished, RunState, what_of
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.ground.table import counted
from weak2strong.report.units import duration

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

RECENT, WARNINGS, BAR = 6, 3, 12
"""Steps done last and warnings that are shown; characters of the bar of a training."""

ENDS = {
    FINISHED: "finished after {}",
    KILLED: "killed after {}: nobody is at work on it any more, and the same command goes on where "
    "it was",
}
"""How a run ended, with a place for the time that it took."""


@dataclass
class Watched:
    """A run folder that is looked at again and again.

    Attributes:
        folder: of the run.
    """

    folder: Path
    _losses: dict[str, str] = field(default_factory=dict)

    def losses(self, one: Finished, store: str) -> str:
        """The first and the last loss of a step's finetuning; empty where nothing was trained."""
        if one.name not in self._losses:
            self._losses[one.name] = ""
            root = Path(store)
            # The store of somebody else cannot be written to, and any may be pruned meanwhile.
            with suppress(UserError, OSError):
                if store and root.is_dir() and (ends := losses_of(Store(root), one.stages)):
                    self._losses[one.name] = f"loss {ends[0]:.3f} → {ends[1]:.3f}"
        return self._losses[one.name]

    def done_line(self, one: Finished, number: int, state: RunState) -> str:
        """A step that is done, in a line."""
        took = "reused" if one.reused else duration(one.seconds)
        losses = self.losses(one, state.store)
        of = f" of {len(state.steps)}" if state.steps else ""
        return f"{one.name}: {took}{', ' + losses if losses else ''} ({number}{of})"

    def drawn(self, state: RunState, now: datetime) -> RenderableType:
        """The whole view.

        Args:
            state: of the run.
            now: the time.
        """
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        done, total = len(state.done), len(state.steps)
        parts: list[RenderableType] = [Text(f"{self.folder}", style="bold")]
        parts.append(Text(headline(state, now)))
        if total:
            # A bar alone ends no line.
            line = Table.grid()
            line.add_row(ProgressBar(total, done, width=48))
            parts.append(line)
        parts += [Text(""), _kinds(state)]
        if state.running:
            bars = (
                ProgressBar(x.total, x.done, width=BAR) if x.total else "" for x in state.running
            )
            told = (Text(at_work_line(one, now)) for one in state.running)
            parts += [Text(""), Text("At work", style="dim"), _rows(bars, told)]
        if state.done:
            parts += [Text(""), Text("Done last", style="dim")]
            numbered = list(enumerate(state.done, start=1))[-RECENT:]
            lines = (self.done_line(one, number, state) for number, one in reversed(numbered))
            parts.append(_rows(repeat("-"), map(Text, lines)))
        if state.warnings:
            parts += [Text(""), Text(f"Warnings ({len(state.warnings)})", style="dim")]
            shown = (Text(text, style="yellow") for text in state.warnings[-WARNINGS:])
            parts.append(_rows(repeat("-"), shown))
        return Group(*parts)


def headline(state: RunState, now: datetime) -> str:
    """How far a run is, in a sentence or two."""
    of = f" of {len(state.steps)}" if state.steps else ""
    reused = f", {state.reused} of them read from the store" if state.reused else ""
    text = f"{len(state.done)}{of} steps done{reused}"
    if state.ended:
        took = duration((state.last - state.began).total_seconds())
        how = ENDS[state.ended].format(took) if state.ended in ENDS else ""
        return f"{text}; {how or f'stopped after {took} by: {state.ended}'.rstrip('.')}."
    text += f"; running for {duration((now - state.began).total_seconds())}"
    left = state.seconds_left(now)
    if left is not None and left >= 1:
        text += f", about {duration(left)} left"
    if silent := state.silent(now):
        text += (
            f". Nothing was heard of it for {duration(silent)}: it may have been stopped; the same "
            "command goes on where it was"
        )
    return f"{text}."


def _kinds(state: RunState) -> RenderableType:
    """A row for each sort of step: how many are done, at work and waiting."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("step")
    for title in COUNTED:
        table.add_column(title, justify="right")
    for kind, *counts in kinds_of(state):
        table.add_row(kind, *(str(count or "–") for count in counts))
    return table


COUNTED = ("done", "at work", "waiting")
"""What steps are counted by, sort for sort."""


def kinds_of(state: RunState) -> list[tuple[str, int, int, int]]:
    """Each sort of step, and how many of it are done, at work and waiting."""
    parts = [[one.name for one in state.done], [one.name for one in state.running], state.waiting]
    done, running, waiting = (Counter(map(what_of, names)) for names in parts)
    kinds = dict.fromkeys(what_of(name) for name in (*state.steps, *parts[0], *parts[1]))
    return [(kind, done[kind], running[kind], waiting[kind]) for kind in kinds]


def at_work_line(one: AtWork, now: datetime) -> str:
    """A step at work, in a line: where, for how long, and how far its training is."""
    told = (one.place, f"for {duration(one.seconds(now))}", one.far)
    return f"{one.name}: {', '.join(filter(None, told))}"


def _rows(marks: Iterable[RenderableType], texts: Iterable[Text]) -> RenderableType:
    """Lines with a mark before each; those that go on, go on beneath their beginning."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    for mark, text in zip(marks, texts, strict=False):
        grid.add_row(mark, text)
    return grid


def news(watched: Watched, before: RunState | None, state: RunState) -> Iterator[str]:
    """What is new of a run, as lines for where there is no terminal.

    Args:
        watched: the run.
        before: the state that was told last; None at first.
        state: where it stands.
    """
    known = 0
    told = set[str]()
    if before and before.began == state.began:
        known, told = len(before.done), set(before.warnings)
    else:
        of = f": {counted(len(state.steps), 'step')}" if state.steps else ""
        yield f"{watched.folder}{of}, {counted(state.workers, 'worker')}"
    for number, one in enumerate(state.done[known:], start=known + 1):
        yield watched.done_line(one, number, state)
    yield from (f"warning: {text}" for text in state.warnings if text not in told)
