"""How the documentation becomes a site: `make docs`, offline, and a warning is an error."""

import re
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import weak2strong

# For site_math.py beside this file.
sys.path.insert(0, str(Path(__file__).parent))

project = "weak2strong"
author = "The weak2strong authors"
copyright = f"2026, {author}"
version = release = weak2strong.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "site_math",
]

REPOSITORY = "https://github.com/weak2strong/weak2strong/blob/main/"

myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 4

# Docstrings are Google style, with names of code in single backticks.
default_role = "py:obj"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
autodoc_member_order = "bysource"
# Types have their checks and flags in them here, which are no help to readers.
autodoc_typehints = "none"

# Notebooks are shown as they were executed (tests/docs/test_notebook.py executes them).
nb_execution_mode = "off"

exclude_patterns = ["_static"]

html_theme = "furo"
html_title = f"weak2strong {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True


def _as_on_the_site(app: Sphinx, page: str, source: list[str]) -> None:
    """What GitHub shows and MyST does not know.

    Links to files outside of this folder lead to the repository, and anchors in the middle of
    a page are ones of MyST.
    """
    up = re.escape("../" * (page.count("/") + 1))
    text = re.sub(rf"(\]\(\s*){up}(?!\.\./)", rf"\g<1>{REPOSITORY}", source[0])
    source[0] = re.sub(r'<a id="([\w-]+)"></a>(\*\*.+?\*\*)', r"[\2]{#\1}", text)


def _list_for_agents(app: Sphinx, failed: Exception | None) -> None:
    """Write `llms.txt` into the site, with links to its pages."""
    text = (Path(__file__).parents[1] / "llms.txt").read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/([\w/-]+)\.md\)", r"](\1.html)", text)
    text = re.sub(r"\]\((?=\w+\.md\))", f"]({REPOSITORY}", text)
    if app.builder.format == "html" and not failed:
        (Path(app.outdir) / "llms.txt").write_text(text, encoding="utf-8")


PROSE = ("attribute", "property", "data")
"""What has a docstring of sentences alone, in which a colon ends no type."""

_kept: dict[str, list[str]] = {}


def _keep_prose(app: Sphinx, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
    if what in PROSE:
        _kept[name] = list(lines)


def _restore_prose(
    app: Sphinx, what: str, name: str, of: Any, options: Any, lines: list[str]
) -> None:
    if name in _kept:
        lines[:] = _kept.pop(name)


def _short_signature(
    app: Sphinx, what: str, name: str, of: Any, options: Any, signature: Any, returns: Any
) -> tuple[str, None] | None:
    """The settings of a study, which are many, stand once, and not behind each experiment."""
    if what == "class" and {"seeds", "weak"} <= getattr(of, "__dataclass_fields__", {}).keys():
        return "(**settings)", None
    return None


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _as_on_the_site)
    app.connect("build-finished", _list_for_agents)
    app.connect("autodoc-process-docstring", _keep_prose, priority=400)
    app.connect("autodoc-process-docstring", _restore_prose, priority=600)
    app.connect("autodoc-process-signature", _short_signature)
