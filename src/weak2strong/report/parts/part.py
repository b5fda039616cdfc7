"""What a part of the page is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from weak2strong.report.figures.style import Styles

if TYPE_CHECKING:
    from markupsafe import Markup

    from weak2strong.analysis.finished import FinishedRun


@dataclass(frozen=True)
class Part:
    """A part of the section of a run, which has a heading and a place in the list of contents.

    Attributes:
        title: its heading.
        link: the words for it in the list of contents.
        write: from the run, the styles of methods and what ids in the part begin with, which no
            other part has, to HTML; None where the run has nothing of the kind. Its templates,
            scripts and styles stand in ``report/templates`` (see `weak2strong.report.templates`).
    """

    title: str
    link: str
    write: Callable[[FinishedRun, Styles, str], Markup | None]
