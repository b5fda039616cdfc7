"""The templates of the page, and what they are written into: scripts and styles, a file a part."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template

HERE = Path(__file__).parent


@cache
def template(name: str) -> Template:
    """A template by the name of its file; what it is filled with is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def joined(end: str) -> str:
    """The files with one ending as one text: that of the page first, then those of its parts."""
    files = sorted(HERE.glob(f"*.{end}"), key=lambda file: (file.stem != "page", file.stem))
    return "\n".join(file.read_text("utf-8") for file in files)
