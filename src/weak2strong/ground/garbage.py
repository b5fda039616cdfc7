"""Python's search for unused objects, paused while millions of them are made that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_objects() -> Iterator[None]:
    """No search for unused objects until the end; also a decorator of functions.

    Each search looks at all objects that there are, so making many takes much longer with it (a
    fifth to a third for the rows of a file). Objects that nothing refers to are freed all the same,
    but for those that refer to each other in a circle.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
