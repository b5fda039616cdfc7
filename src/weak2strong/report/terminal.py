"""A table in the terminal: whole at any width, nothing cut.

One rule holds for every table. A row takes one line where it fits. Where it does not, the columns
that are marked as details leave it first, then the last ones, and stand with their titles on a
line beneath. The first column always stays. Prose takes several lines, down to a width at which it
can be read; a text that is longer than a whole line breaks. In a terminal below 60 characters, a
table whose rows do not fit has a block a row, with a line a column.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from weak2strong.ground.lines import cells, width_of, wrapped
from weak2strong.ground.table import Column, Document, Table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

FILE_WIDTH = 140
"""Columns of characters where the output is a file or a pipe."""

GAP = 2
"""Characters between two columns."""

PROSE = 30
"""Characters below which prose is not made narrower while columns can still leave the row."""

NARROW = 60
"""Characters below which a row that does not fit its line is a block."""

INDENT = 4
"""Characters that stand before a line beneath a row."""

STYLES = {"error": "bold red", "warning": "yellow", "quiet": "dim", "": ""}


def table_console() -> Console:
    """A console on standard output, as wide as the terminal or ``COLUMNS``, or `FILE_WIDTH`."""
    from rich.console import Console

    class Piped(Console):
        """A console that leaves it to the command line what a closed pipe means."""

        def on_broken_pipe(self) -> None:
            raise

    return Piped(width=width_of(sys.stdout) or FILE_WIDTH)


def print_document(document: Document, console: Console) -> None:
    """Print sentences, tables and what to know about them."""
    say(console, *document.head)
    for table in document.tables:
        print_table(table, console)
    if document.tables and document.notes:
        say(console, "")
    say(console, *document.notes, *(f"warning: {text}" for text in document.warnings))


def print_table(table: Table, console: Console) -> None:
    """Print title, rows and notes."""
    if table.title:
        say(console, f"\n{table.title}")
    for line in table_lines(table, console):
        console.print(line, no_wrap=True, overflow="ignore", crop=False)
    say(console, *table.beneath)


def say(console: Console, *sentences: str) -> None:
    """Print sentences as they are: whole lines in a file, broken between words in a terminal."""
    whole = not console.is_terminal and width_of(console.file) is None
    for text in sentences:
        for line in wrapped(text, None if whole else console.width):
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def table_lines(table: Table, console: Console) -> Iterator[Text]:
    """The lines of a table, none wider than the console."""
    from rich.text import Text

    texts = table.texts
    widths = _widths(table, texts, console.width)
    stay = list(widths)
    beneath = [i for i in range(len(table.columns)) if i not in widths]
    if beneath and console.width < NARROW:
        yield from _blocks(table, texts, console.width)
        return
    columns = [table.columns[i] for i in stay]
    inner = list(widths.values())
    heads = [Text(column.title, style="bold") for column in columns]
    if any(column.title for column in columns):
        yield from _row(heads, columns, inner, console, bottom=True)
        yield Text("─" * (sum(inner) + GAP * (len(inner) - 1)))
    for position, (row, shown) in enumerate(zip(table.rows, texts, strict=True)):
        if position in table.gaps:
            yield Text("")
        # As Text: what data say is no markup.
        styled = [Text(shown[i], style=STYLES[table.columns[i].tone(row)]) for i in stay]
        yield from _row(styled, columns, inner, console)
        pairs = [f"{table.columns[i].title} {shown[i]}" for i in beneath if shown[i]]
        yield from _beneath(pairs, console)


def _blocks(table: Table, texts: Sequence[Sequence[str]], width: int) -> Iterator[Text]:
    """The rows of a table as blocks: the first text, and beneath it a line a column."""
    from rich.text import Text

    titles = [" ".join(column.title.split()) for column in table.columns]
    # A title that takes half of the line stands before its text, and is aligned with no other.
    aligned = max((cells(t) for t in titles[1:] if cells(t) <= width // 3), default=0)
    for position, (row, shown) in enumerate(zip(table.rows, texts, strict=True)):
        if position:
            yield Text("")
        style = STYLES[table.columns[0].tone(row)] or "bold"
        first = f"{titles[0]}: {shown[0]}" if titles[0] else shown[0]
        yield from (Text(line, style=style) for line in wrapped(first, width))
        for column, title, text in list(zip(table.columns, titles, shown, strict=True))[1:]:
            if not text:
                continue
            label = f"{title}{' ' * max(aligned - cells(title), 0)}{' ' * GAP if title else ''}"
            inside = GAP + cells(label)
            if inside > width // 2:
                yield from map(Text, wrapped(f"{' ' * GAP}{title}:", width))
                label, inside = "", INDENT
            lines = wrapped(text, width - inside)
            for i, line in enumerate(lines):
                before = f"{' ' * GAP}{label}" if i == 0 and label else " " * inside
                yield Text.assemble((before, "dim"), (line, STYLES[column.tone(row)]))


def _widths(table: Table, texts: Sequence[Sequence[str]], width: int) -> dict[int, int]:
    """The widths of the columns that stay in the row; their titles may break between words."""
    columns = table.columns
    natural = [_longest([row[i] for row in texts], "\n") for i in range(len(columns))]
    leave = [i for i, c in enumerate(columns) if c.detail]
    leave += [i for i in reversed(range(1, len(columns))) if i not in leave]
    gone: set[int] = set()
    for more in ([], [i for i in leave if columns[i].detail], *([i] for i in leave)):
        gone.update(more)
        stay = [i for i in range(len(columns)) if i not in gone]
        for separator in ("\n", None):
            full = [max(natural[i], _longest([columns[i].title], separator)) for i in stay]
            least = [
                min(n, PROSE) if columns[i].wraps else n for i, n in zip(stay, full, strict=True)
            ]
            room = width - GAP * (len(stay) - 1)
            if sum(least) <= room:
                return dict(zip(stay, _shrunk(full, least, room), strict=True))
    return {0: min(natural[0], width)}


def _longest(texts: Sequence[str], separator: str | None) -> int:
    """The width of the widest line, or of the widest word where the separator is None."""
    from rich.cells import cell_len

    return max((cell_len(part) for text in texts for part in text.split(separator)), default=0)


def _shrunk(full: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that fit the room: the widest column that may become narrower does so first."""
    widths = list(full)
    while sum(widths) > room:
        widest = max((w, i) for i, w in enumerate(widths) if w > least[i])[1]
        widths[widest] -= 1
    return widths


def _row(
    cells: Sequence[Text],
    columns: Sequence[Column],
    widths: Sequence[int],
    console: Console,
    bottom: bool = False,
) -> Iterator[Text]:
    """The lines of one row; with ``bottom``, texts of few lines stand on the last ones."""
    from rich.text import Text

    wrapped = [
        list(cell.wrap(console, width, overflow="fold"))
        for cell, width in zip(cells, widths, strict=True)
    ]
    height = max(map(len, wrapped))
    if bottom:
        wrapped = [[Text("")] * (height - len(lines)) + lines for lines in wrapped]
    for parts in zip_longest(*wrapped):
        line = Text()
        for i, (part, column, width) in enumerate(zip(parts, columns, widths, strict=True)):
            text = Text("") if part is None else part
            text.rstrip()
            blank = " " * (width - text.cell_len)
            line.append(" " * GAP if i else "")
            line.append_text(Text(blank) + text if column.align == "right" else text + Text(blank))
        line.rstrip()
        yield line


def _beneath(pairs: Sequence[str], console: Console) -> Iterator[Text]:
    """Titles with their texts on as few lines as they take."""
    from rich.text import Text

    room, lines = console.width - INDENT, list[str]()
    for pair in pairs:
        longer = f"{lines[-1]} · {pair}" if lines else pair
        if lines and Text(longer).cell_len <= room:
            lines[-1] = longer
        else:
            lines.append(pair)
    for line in lines:
        for part in Text(line).wrap(console, room, overflow="fold"):
            yield Text(" " * INDENT + part.plain.rstrip(), style="dim")
