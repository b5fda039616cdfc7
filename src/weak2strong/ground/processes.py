"""Worker processes: bounded threads, and no orphans."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait


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
