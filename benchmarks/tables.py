"""Tables of the simulations, as Markdown: printed, and written into a page where it has a place.

A page has a place for the table ``coverage`` between the lines ``<!-- table: coverage -->`` and
``<!-- end -->``. So the numbers of docs/statistics.md are those that the scripts printed.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from process import parser_of


def flags(about: str | None, trials: int) -> argparse.ArgumentParser:
    """The flags that every simulation has."""
    parser = parser_of(about)
    parser.add_argument("--trials", type=int, default=trials)
    parser.add_argument("--seed", type=int, default=0, help="of all draws")
    parser.add_argument("--into", type=Path, help="a page with a place for the tables")
    return parser


def show(
    name: str, titles: Sequence[str], rows: Iterable[Sequence[str]], into: Path | None = None
) -> None:
    """Print a table row by row as it is computed, and write it into a page.

    Args:
        name: of the table, and of its place in the page.
        titles: of the columns.
        rows: cells.
        into: the page; none if None.

    Raises:
        SystemExit: the page has no such place.
    """
    if into and not _place(name).search(into.read_text()):
        raise SystemExit(f"{into} has no place for the table: <!-- table: {name} -->.")
    lines = []
    print(f"\n{name}\n")
    for cells in chain([titles, ["---"] * len(titles)], rows):
        lines.append(_line(cells))
        print(lines[-1], flush=True)
    if into:
        text = "\n".join(["", *lines, ""])
        # Read again: another script may have written meanwhile.
        page = _place(name).sub(lambda m: m[1] + text + m[2], into.read_text())
        into.write_text(page)


def short(share: float) -> str:
    """A share as tables print it, such as ``.042``."""
    return f"{share:.3f}".removeprefix("0")


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- table: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)


def _line(cells: Sequence[str]) -> str:
    """A line of a table; numbers below 1 begin with their point."""
    return re.sub(r"(?<![\d.])0(?=\.\d)", "", f"| {' | '.join(cells)} |")
