"""What Python and notebooks show of finished folders: tables as HTML, figures to be styled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.printed import run_document
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.registry import Registry
from weak2strong.report.figures import EXPERIMENT_FIGURES, FIGURES
from weak2strong.report.figures.kind import with_data
from weak2strong.report.figures.style import method_styles, styled
from weak2strong.report.folders import Finished
from weak2strong.report.formats import table_cell

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def finished_cell(finished: Finished) -> str:
    """The tables that the command line prints, as HTML; all texts are escaped."""
    from markupsafe import Markup

    is_run = isinstance(finished, FinishedRun)
    document = run_document(finished) if is_run else finished.document
    sentences = (Markup("<p>{}</p>").format(text) for text in document.head)
    tables = map(table_cell, document.tables)
    about = [Markup("<li>{}</li>").format(x) for x in (*document.notes, *document.warnings)]
    end = [Markup("<ul>{}</ul>").format(Markup("").join(about))] if about else []
    return Markup("\n").join([*sentences, *tables, *end])


def names_of(finished: Finished) -> tuple[Registry, tuple[str, ...]]:
    """The registry of the figures of a run or an experiment, and their names."""
    if isinstance(finished, FinishedRun):
        return FIGURES, tuple(FIGURES)
    return EXPERIMENT_FIGURES, finished.FIGURES


def figure_of(finished: Finished, name: str) -> Figure:
    """A figure of `w2s figures` by its name, in the house style; see `FinishedFolder.figure`."""
    registry, names = names_of(finished)
    if name not in names:
        every = f"There are {', '.join(names)}." if names else ""
        raise unknown_name("figure", name, names, every)
    found = list(with_data(registry, finished, [name]))
    if not found:
        there = ", ".join(kind.name for kind, _ in with_data(registry, finished, names))
        raise UserError(
            f"{finished.folder} lacks the data for the figure {name!r}: it has {there or 'none'}."
        )
    ((kind, frame),) = found
    with styled():
        return _shown_in_cells(kind.draw(frame, method_styles(finished.config.methods)))


def _shown_in_cells(figure: Figure) -> Figure:
    """The figure, which a notebook shows also where nobody has imported pyplot."""
    import io

    def as_png() -> bytes:
        file = io.BytesIO()
        figure.savefig(file, format="png", facecolor="white")
        return file.getvalue()

    figure._repr_png_ = as_png  # pyright: ignore[reportAttributeAccessIssue]
    return figure
