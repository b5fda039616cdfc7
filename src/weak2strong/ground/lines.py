"""Lines that are no wider than a terminal, broken between words."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

USUAL = 80
"""Characters of a terminal that does not say how wide it is."""

NARROWEST = 20
"""Characters below which no terminal is taken at its word."""

WIDEST = 1000
"""Characters above which none is."""


def width_of(stream: TextIO | Any) -> int | None:
    """How many characters a line of a stream may have; None where it is no terminal.

    The variable ``COLUMNS`` counts more than what the terminal says, and says it of a file or a
    pipe, too.
    """
    named = os.environ.get("COLUMNS", "")
    if named.isdecimal() and (digits := named.lstrip("0")):
        # More than some thousand digits are no number for Python.
        return min(max(int(digits[:9]), NARROWEST), WIDEST)
    if not stream.isatty():
        return None
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        width = 0
    return min(max(width, NARROWEST), WIDEST) if width else USUAL


def wrapped(text: str, width: int | None, cut: bool = True) -> list[str]:
    """A text as lines of at most that many characters.

    A line breaks between words, and inside of one that is longer than a line. What follows a break
    stands as far in as its line began.

    Args:
        text: of one line or several.
        width: of a line; None where it may be as long as it is.
        cut: whether a longer word is broken; else it has a line of its own, which is too wide.
    """
    lines = text.split("\n")
    if width is None:
        return lines
    return [part for line in lines for part in _parts(line, width, cut)]


def tell(*texts: str) -> None:
    """Print to standard error what is no data, such as where something was written.

    Where a person reads both, it stands behind what was printed before. A path or a command that
    is wider than the terminal is not broken, so that it can be copied.
    """
    sys.stdout.flush()
    _print(texts, sys.stderr, cut=False)


def say(*texts: str) -> None:
    """Print texts to standard output, no wider than the terminal."""
    _print(texts, sys.stdout)


def _print(texts: Sequence[str], stream: TextIO, cut: bool = True) -> None:
    width = width_of(stream)
    for text in texts:
        for line in wrapped(text, width, cut):
            print(line, file=stream)


def _parts(line: str, width: int, cut: bool) -> list[str]:
    """A line of text, broken where it is too wide."""
    if cells(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    if len(indent) > width // 2:
        indent = ""
    found, now = list[str](), indent
    for word in line.split(" "):
        longer = f"{now} {word}" if now.strip() else f"{indent}{word}"
        if cells(longer) <= width:
            now = longer
            continue
        if now.strip():
            found.append(now.rstrip())
        now = f"{indent}{word}"
        while cut and cells(now) > width:
            at = _fitting(now, width)
            found.append(now[:at])
            now = f"{indent}{now[at:]}"
    if now.strip():
        found.append(now.rstrip())
    return found


def cells(text: str) -> int:
    """How many characters of a terminal a text takes: two for each that is as wide as two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _fitting(text: str, width: int) -> int:
    """How many characters of a text fit a line; one at least."""
    at = min(len(text), width)
    while at > 1 and cells(text[:at]) > width:
        at -= 1
    return at
