"""What `w2s --help` prints: every command in a line, by what it is for; and pages of a command."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import TextIO

from weak2strong.ground.lines import USUAL, width_of, wrapped
from weak2strong.ground.plugins import first_sentence
from weak2strong.ground.rooms import Group, Purpose

ABOUT = "Weak-to-strong generalization experiments with honest intervals."

INDENT, GAP = 2, 2
"""Characters before the name of a command, and between the longest name and what it does."""

BESIDE = 30
"""Characters below which what a command does stands beneath its name."""

LEAST = 40
"""Characters of a line of the parser's boxes at least: to break words into less takes minutes."""

BOX = "╭"
"""With it the parser's boxes begin."""

SHELL = "w2s --print-completion SHELL: commands and flags in bash, zsh, fish. w2s --version."

FIRST = "Begin with: w2s run, then w2s report --open."


def overview(named: str, commands: Mapping[str, type | Group], width: int) -> str:
    """The help text of the program, or of commands under one word.

    Args:
        named: how the user calls it, such as ``w2s store``.
        commands: by name.
        width: of a line.
    """
    return "\n".join(_lines(named, commands, width))


def purpose_of(kind: type | Group) -> Purpose:
    """What a command says that it is for."""
    return getattr(kind, "purpose", Purpose.MORE)


def summary(kind: type | Group) -> str:
    """What a command does, in a sentence."""
    if isinstance(kind, Group):
        return kind.summary
    sentence = first_sentence(kind)
    return f"{sentence}." if sentence and sentence[-1] not in ".?!" else sentence


def _lines(named: str, commands: Mapping[str, type | Group], width: int) -> Iterator[str]:
    yield from wrapped(f"usage: {named} COMMAND ...", width)
    column = INDENT + max(map(len, commands)) + GAP
    by = {purpose: list[str]() for purpose in Purpose}
    for name, kind in commands.items():
        by[purpose_of(kind)].append(name)
    whole = " " not in named
    if whole:
        yield from ("", *wrapped(ABOUT, width))
        for purpose, names in by.items():
            if names:
                yield from ("", purpose)
            for name in names:
                yield from _command(name, summary(commands[name]), column, width)
    else:
        yield ""
        for name, kind in commands.items():
            yield from _command(name, summary(kind), column, width)
    yield ""
    if whole:
        yield from wrapped(FIRST, width)
    yield from wrapped(f"{named} COMMAND --help: what a command takes.", width)
    if whole:
        yield from wrapped(SHELL, width)


def _command(name: str, does: str, column: int, width: int) -> Iterator[str]:
    """The name, and beside it what the command does, or beneath it in a narrow terminal."""
    if width - column < BESIDE:
        yield f"{' ' * INDENT}{name}"
        yield from (f"{' ' * 2 * INDENT}{line}" for line in wrapped(does, width - 2 * INDENT))
        return
    first, *others = wrapped(does, width - column)
    yield f"{' ' * INDENT}{name:<{column - INDENT}}{first}".rstrip()
    yield from (" " * column + line for line in others)


@contextmanager
def helping(stream: TextIO) -> Iterator[None]:
    """Make what the parser prints of a command fit the terminal.

    The parser breaks lines in its boxes, and not those above them; nor does it heed ``NO_COLOR``.

    Args:
        stream: where it goes in the end.
    """
    page, width = _Page(stream), width_of(stream) or USUAL
    try:
        with redirect_stdout(page), _as_wide(max(width, LEAST)):
            yield
    finally:
        if text := page.getvalue():
            stream.write(fitting(text, width))
            stream.flush()


@contextmanager
def _as_wide(width: int) -> Iterator[None]:
    """Inside, the parser takes a terminal to be that wide: it asks nobody but the system."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(width)
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


class _Page(StringIO):
    """What the parser prints to; it is told that this is the stream where it goes in the end."""

    def __init__(self, stream: TextIO):
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        return self._stream.isatty() and not os.environ.get("NO_COLOR")


def fitting(page: str, width: int) -> str:
    """The help text of a command, with the lines above its boxes broken between words."""
    above, box, rest = page.partition(BOX)
    return "\n".join(wrapped(above, width)) + box + rest
