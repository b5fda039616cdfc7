"""Worker processes: how they start, bounded threads, and no orphans."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, SpawnContext

LIBRARIES = ("torch", "scipy.linalg", "sklearn.linear_model", "transformers.modeling_utils")
"""What workers import that is slow; importing it starts no threads but those of linear algebra,
which know of forks, and looks for no GPU."""

LONGEST = 70
"""Bytes in the name of the folder for temporary files, at most, where processes are copied: an
address in it has 107, and 32 are its own."""


def starting(loaded: bool) -> SpawnContext | ForkServerContext:
    """How worker processes start.

    Args:
        loaded: whether they begin as copies of one process that has imported the libraries, which
            takes seconds: on Linux, for workers that compute on processors. Others begin empty. The
            process that is copied stays as long as this one.
    """
    too_long = len(os.fsencode(tempfile.gettempdir())) > LONGEST
    if not loaded or too_long or not sys.platform.startswith("linux"):
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LIBRARIES))
    # Where it starts, it lets signals in, also those that are held back.
    resource_tracker.ensure_running()
    return context


@contextmanager
def held_back(signals: Collection[int]) -> Iterator[None]:
    """Hold back signals inside, also from processes that start inside, until they let them in.

    So a signal to all processes does not end the one that is copied, which tells how copies ended.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_in(signals: Collection[int]) -> None:
    """Take signals from now on that were held back when this process started."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def end_with_parent() -> None:
    """End this worker process when the process that started it is gone, even killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def set_threads(threads: int) -> None:
    """Bound the threads of torch and of NumPy's and SciPy's linear algebra in this process."""
    # Imported for its thread pool: only pools that are loaded already can be bounded.
    import scipy.linalg  # noqa: F401
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(threads)


@contextmanager
def without_main() -> Iterator[None]:
    """Let processes that are started inside not run the user's script again.

    A spawned process first imports the script that started it, which ends in an
    error where that script has no ``if __name__ == "__main__"``. Ours need
    nothing from it.
    """
    main = sys.modules["__main__"]
    kept = {name: vars(main)[name] for name in ("__file__", "__spec__") if name in vars(main)}
    try:
        for name in kept:
            setattr(main, name, None)
        yield
    finally:
        for name, value in kept.items():
            setattr(main, name, value)


def begin_worker(threads: int) -> None:
    """What every worker process does first; only the parent heeds Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    set_threads(threads)
