"""A line in the output of a notebook's cell that is renewed in its place."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Any

SHOWN = 3
"""So many tasks at work stand in the line; the first is that which is open longest."""


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook: elsewhere nothing renews an output."""
    # Only who runs in a notebook has loaded IPython, whose import takes a while.
    get = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return hasattr(get(), "kernel") if get else False


class RenewedLine:
    """A line that says how far tasks are, or the last message where none is at work."""

    def __init__(self):
        self._handle: Any = None
        self._tasks = dict[str, str]()
        self._message = ""

    def show(self, time: str, message: str = "", task: str = "") -> None:
        """Renew the line.

        Args:
            time: what it begins with.
            message: of the task if there is one, else of the work as a whole.
            task: that has a message of its own, until it is forgotten.
        """
        if task:
            self._tasks[task] = message
        else:
            self._message = message
        at_work = [*self._tasks.values()]
        shown = [*at_work[:1], *at_work[1:][1 - SHOWN :]] or [self._message]
        self._write(f"{time} {'; '.join(shown)}")

    def forget(self, task: str) -> None:
        """Leave a task out from now on; how far the last one was stays until more is said."""
        text = self._tasks.pop(task, "")
        if text and not self._tasks:
            self._message = text

    def end(self, time: str) -> None:
        """Show the last message alone."""
        self._tasks.clear()
        if self._message:
            self.show(time, self._message)

    def _write(self, text: str) -> None:
        display: Any = import_module("IPython.display").display
        data = {"text/plain": text}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


def leave_out_the_advice_of_bars() -> None:
    """Libraries warn in a notebook that bars of theirs, which are not drawn, want one more package.

    Of warnings about bars of tqdm that one alone is not shown.
    """
    warnings.filterwarnings("ignore", message="IProgress not found")
