"""A table as Markdown, as HTML, and as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import weak2strong
from weak2strong.ground.plain import plain
from weak2strong.ground.table import Document, Table

if TYPE_CHECKING:
    from markupsafe import Markup

SPECIAL = re.compile(r"[\\`*_<>|~&]|\](?=\()")
"""What Markdown would take for markup in a cell. Brackets of intervals are none."""


CELL = (
    ".w2s .scroll { overflow-x: auto; } "
    ".w2s caption { text-align: left; font-weight: bold; white-space: nowrap; } "
    ".w2s :is(th, td) { text-align: left; vertical-align: top; padding: .15em .5em; "
    "white-space: pre; } "
    ".w2s .prose { white-space: pre-line; min-width: 10em; } "
    ".w2s .number { text-align: right; font-variant-numeric: tabular-nums; }"
)
"""How a cell of a notebook aligns a table."""


def to_markdown(table: Table) -> str:
    """Title, table and notes, with a blank line between them."""
    lines = [[_escaped(c.title) for c in table.columns]]
    lines.append(["---:" if c.align == "right" else "---" for c in table.columns])
    lines += [[_escaped(text) for text in row] for row in table.texts]
    body = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return "\n\n".join(
        [*filter(None, [_escaped(table.title)]), body, *map(_escaped, table.beneath)]
    )


def document_markdown(document: Document, title: str) -> str:
    """A whole page: title, sentences, tables, and a list of what to know about them."""
    parts = [f"# {_escaped(title)}", *map(_escaped, document.head)]
    for table in document.tables:
        parts.append(to_markdown(replace(table, title="")))
        if table.title:
            parts.insert(len(parts) - 1, f"## {_escaped(table.title)}")
    if about := [*document.notes, *document.warnings]:
        parts.append("\n".join(f"- {_escaped(text)}" for text in about))
    return "\n\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    return SPECIAL.sub(lambda m: f"\\{m[0]}", text).replace("\n", "<br>")


def to_html(table: Table, sortable: bool = True) -> Markup:
    """The table with its title as caption, in a part of the page that scrolls; and its notes.

    Args:
        table: all of its texts are escaped.
        sortable: whether the page lets a reader sort it.
    """
    from markupsafe import Markup, escape

    kinds = ["number" if c.align == "right" else "prose" * c.wraps for c in table.columns]
    side = [Markup(' class="{}"').format(kind) if kind else "" for kind in kinds]
    heads = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(s, c.title)
        for s, c in zip(side, table.columns, strict=True)
    )
    rows = Markup("\n").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                Markup("<td{}>{}</td>" if i else '<th scope="row"{}>{}</th>').format(side[i], text)
                for i, text in enumerate(texts)
            )
        )
        for texts in table.texts
    )
    notes = [Markup('\n<p class="muted">{}</p>').format(" ".join(table.beneath))]
    return Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table{sortable}>\n'
        "<caption>{title}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>"
        "</table></div>{notes}"
    ).format(
        title=escape(table.title),
        sortable=" data-sortable" if sortable else "",
        heads=heads,
        rows=rows,
        notes=notes[0] if table.beneath else "",
    )


def table_cell(table: Table) -> Markup:
    """The table as a cell of a notebook shows it: with alignment of its own, and no script."""
    from markupsafe import Markup

    return Markup('<div class="w2s">{}\n{}</div>').format(
        Markup(f"<style>{CELL}</style>"), to_html(table, sortable=False)
    )


def to_json(document: Document, command: str) -> str:
    """One JSON document: the facts, the rows of each table by its name, notes and warnings.

    Rows of tables with the same name follow each other. A number that is not defined is null.
    """
    tables = dict[str, list[Any]]()
    for table in document.tables:
        tables.setdefault(table.name, []).extend(table.facts)
    values = {
        "command": command,
        "version": weak2strong.__version__,
        **tables,
        **document.facts,
        "notes": [*(n for table in document.tables for n in table.beneath), *document.notes],
        "warnings": document.warnings,
    }
    return json.dumps(plain(values), indent=2, ensure_ascii=False, allow_nan=False)
