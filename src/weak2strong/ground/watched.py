"""Long loops over data that the open progress shows, as soon as they take more than a moment."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from weak2strong.ground.progress import shown_now

Thing = TypeVar("Thing")

PATIENCE = 1.0
"""Seconds of such loops, all together, after which they are shown."""

SHORT = 0.25
"""Seconds of one of them after which it is, then."""

EVERY = 5.0
"""Seconds between two plain lines about one loop."""

STEPS = 500
"""Parts of a loop after which the clock is looked at."""


def watched(things: Iterable[Thing], what: str, total: int) -> Iterator[Thing]:
    """The things, one after another; meanwhile people see how far they are.

    Args:
        things: of which nothing is kept.
        what: is done, such as "reading mine.csv".
        total: how many things there are.
    """
    progress = shown_now()
    if progress is None or not total:
        yield from things
        return
    step, began, every = -(-total // STEPS), time.monotonic(), 0.0
    wait = max(SHORT, PATIENCE - progress.watched)
    progress.begin(what)
    try:
        for done, thing in enumerate(things):
            if done % step == 0 and time.monotonic() - began >= wait:
                progress.update(what, done, total, every=every)
                every = EVERY
            yield thing
    finally:
        progress.watched += time.monotonic() - began
        progress.forget(what)
