"""Standard output, of which a full disk is told in one sentence."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, TextIO

from weak2strong.ground.errors import UserError


class Output:
    """A stream that commands print to, in all else the stream beneath.

    Args:
        stream: what is written to.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text.

        Raises:
            UserError: where it cannot be written.
            BrokenPipeError: where nobody reads it any more.
        """
        with self._telling():
            return self._stream.write(text)

    def flush(self) -> None:
        """Pass on what was written; it raises what `write` does."""
        with self._telling():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            # Or what is left would be tried again when Python ends. Not every stream has a number.
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            if isinstance(e, BrokenPipeError):
                raise
            raise UserError(
                f"The output cannot be written ({e.strerror}): make room there, or send it "
                "elsewhere; finished stages are kept."
            ) from e
