"""Figures as pictures: inline SVG for a page, files for a paper."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from weak2strong.ground.disks import writing
from weak2strong.ground.errors import unknown_name
from weak2strong.ground.whole import write_whole
from weak2strong.report.figures.kind import Description, FigureKind, FigureWithData
from weak2strong.report.figures.style import DARK, Styles, styled
from weak2strong.report.names import folder_word

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

FORMATS = ("pdf", "svg", "png")
DPI = 200
"""The resolution of PNG files; the other formats are vectors."""


@dataclass(frozen=True)
class PageFigure:
    """A figure as a page shows it.

    Attributes:
        name: of the figure.
        words: the figure in words.
        svg: an element for a page that defines the variables of `theme`.
        command: that writes this figure as a file; empty where none does.
    """

    name: str
    words: Description
    svg: str
    command: str = ""


def page_figures(
    figures: Iterable[FigureWithData],
    styles: Styles,
    prefix: str,
    folders: Sequence[Path] = (),
) -> list[PageFigure]:
    """Draw figures for a page.

    Args:
        figures: the figures with their data.
        styles: the styles of the methods of the page.
        prefix: what ids within the SVG begin with; it is unique on the page.
        folders: from which `w2s figures` writes these figures.
    """
    named = " ".join(map(folder_word, folders))
    drawn = []
    for kind, frame in figures:
        svg = drawn_inline(kind, frame, styles, f"{prefix}-{kind.name}")
        command = f"w2s figures {named} --only {kind.name}" if named else ""
        drawn.append(PageFigure(kind.name, kind.describe(frame), svg, command))
    return drawn


def theme() -> dict[str, tuple[str, str]]:
    """The variables of a page: light and dark colour by name."""
    return {_variable(i): pair for i, pair in enumerate(DARK.items())}


def _variable(i: int) -> str:
    return f"--figure-{i}"


def drawn_inline(kind: FigureKind, frame: pl.DataFrame, styles: Styles, prefix: str) -> str:
    """Draw a figure of some data, as an SVG element; see `inline_svg`."""
    with styled():
        return inline_svg(kind.draw(frame, styles), prefix)


def inline_svg(figure: Figure, prefix: str) -> str:
    """A figure as an SVG element whose colours and font are the page's.

    Ids are unique on the page, and those that nothing refers to are dropped. The element is
    hidden from screen readers: the page says the same in words.
    """
    from matplotlib import rc_context

    file = io.StringIO()
    with rc_context({"svg.hashsalt": prefix}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<(metadata|style)\b.*?</\1>|<!--.*?-->", "", text, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    # Only tags change: the text between them has numbers of the figure.
    text = re.sub(r"<[^<>]*>", lambda tag: _themed(tag[0], prefix, used), text)
    text = re.sub(r"\n\s*", "\n", text)
    return re.sub(
        r"<svg [^>]*?viewBox=\"([^\"]*)\"[^>]*>",
        r'<svg viewBox="\1" xmlns="http://www.w3.org/2000/svg" '
        r'xmlns:xlink="http://www.w3.org/1999/xlink" aria-hidden="true" focusable="false">',
        text,
        count=1,
    ).strip()


def _themed(tag: str, prefix: str, used: set[str]) -> str:
    """A tag with unique ids, the page's colours and font, and two decimals."""
    tag = re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", tag)
    tag = re.sub(r'(url\(#|href="#)([^)"]+)', rf"\1{prefix}-\2", tag)
    for i, light in enumerate(DARK):
        tag = tag.replace(light, f"var({_variable(i)})")
    tag = re.sub(r"font: ([^;\"]*?px) [^;\"]*", r"font: \1 var(--font)", tag)
    return re.sub(r"(-?\d+\.\d{2})\d+", r"\1", tag)


def export(
    figures: Iterable[FigureWithData], styles: Styles, folder: Path, formats: Sequence[str]
) -> list[Path]:
    """Write figures in some formats, their data as CSV, and their captions.

    Raises:
        UserError: for a format that is not one of `FORMATS`, or a folder that cannot be written.
    """
    for name in formats:
        if name not in FORMATS:
            raise unknown_name("format of figures", name, FORMATS)
    written, captions = list[Path](), list[str]()
    with writing(folder, "choose another --out"):
        folder.mkdir(parents=True, exist_ok=True)
        for kind, frame in figures:
            with styled():
                figure = kind.draw(frame, styles)
                for name in formats:
                    written.append(folder / f"{kind.name}.{name}")
                    write_whole(written[-1], _drawn(figure, kind.name, name))
            written.append(folder / f"{kind.name}.csv")
            write_whole(written[-1], frame.write_csv())
            words = kind.describe(frame)
            captions.append(f"{kind.name}: {words.title}. {words.note}\n")
        written.append(folder / "captions.txt")
        write_whole(written[-1], "\n".join(captions))
    return written


def _drawn(figure: Figure, name: str, form: str) -> bytes:
    """The content of the file of a figure."""
    from matplotlib import rc_context

    # No date: the same run gives the same bytes.
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(file, format=form, dpi=DPI, metadata=metadata, facecolor="white")
    return file.getvalue()
