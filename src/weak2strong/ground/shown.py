"""What shows tables and finished folders, by packages that stand above those that ask for it."""

from __future__ import annotations

from weak2strong.ground.registry import Registry

SHOWN = Registry(
    "form",
    {
        "page": "weak2strong.report.page:write_page",
        "figure": "weak2strong.report.notebook:figure_of",
        "cell": "weak2strong.report.notebook:finished_cell",
        "table-cell": "weak2strong.report.formats:table_cell",
        "rows": "weak2strong.analysis.finished:table_of",
    },
)
"""A function by what it makes: of a finished folder its page, a figure, a cell of a notebook and
the rows of the table; of a table a cell."""
