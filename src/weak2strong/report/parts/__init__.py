"""Parts of what the page says of a run: one short file a part, listed by name in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weak2strong.ground.registry import Registry
from weak2strong.report.figures.style import Styles

if TYPE_CHECKING:
    from weak2strong.analysis.finished import FinishedRun
    from weak2strong.report.parts.part import Part

PARTS = Registry(
    "part of the page",
    {
        "examples": "weak2strong.report.parts.examples:EXAMPLES",
    },
)
"""A `Part` by the name that its anchor ends with; a new one takes a file and a line."""


def parts_of(run: FinishedRun, styles: Styles, prefix: str) -> list[dict[str, Any]]:
    """The parts that a run has, as the page takes them: name, title, link and html."""
    found = []
    for name in PARTS:
        part: Part = PARTS.get(name)
        html = part.write(run, styles, f"{prefix}-{name}")
        if html is not None:
            found.append({"name": name, "title": part.title, "link": part.link, "html": html})
    return found
