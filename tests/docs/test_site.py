"""What a build of the site would warn of, noticed without building it: Sphinx is not needed."""

import inspect
import json
import re
from functools import reduce
from importlib import import_module

import pytest
from pygments import lex
from pygments.lexers import get_lexer_by_name
from pygments.token import Error

from weak2strong.ground.registry import Registry
from written_pages import DOCS, PAGES, TEXTS, broken_links

BLOCK = re.compile(r"^( *)(```+|~~~+)([^\n`]*)\n(.*?)^\1\2 *$", flags=re.M | re.S)
DIRECTIVE = re.compile(r"^\.\. auto(\w+):: (weak2strong[\w.]*)\n((?: +:.*\n)*)", flags=re.M)


def blocks(text):
    """Language and content of the blocks of code of a page; those of MyST have none."""
    return [(b[3].strip(), b[4]) for b in BLOCK.finditer(text) if not b[3].startswith("{")]


def odd_levels(text):
    """Headings that are more than one level beneath the one before them, and further titles."""
    headings = re.findall(r"^(#+) (.*)$", BLOCK.sub("", text), flags=re.M)
    levels = [0, *(len(marks) for marks, _ in headings)]
    titles = [name for i, (marks, name) in enumerate(headings) if i and marks == "#"]
    deeper = zip(levels, levels[1:], headings, strict=False)
    return titles + [name for a, b, (_, name) in deeper if b > a + 1]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_headings_go_down_level_by_level(path):
    assert TEXTS[path].startswith("# ")
    assert not odd_levels(TEXTS[path])


def test_a_level_that_is_left_out_would_be_noticed():
    assert odd_levels("# a\n\n### b\n\n## c\n\n```\n# no title\n```\n\n# d\n") == ["d", "b"]


def unread(text):
    """Blocks of code that the highlighter of the site cannot read as what they say they are."""
    found = []
    for language, code in blocks(text):
        # What is printed to a terminal is shown whatever it is.
        if language and language not in ("console", "text"):
            tokens = lex(code, get_lexer_by_name(language))
            found += [(language, value) for kind, value in tokens if kind is Error]
    return found


def test_blocks_of_code_are_of_the_language_that_they_name():
    for path in PAGES:
        assert not unread(TEXTS[path]), path
    assert unread("```json\n{'a': ...}\n```\n")


def of_path(path):
    """What a dotted path leads to, whichever part of it is the module."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            module = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        return reduce(getattr, parts[end:], module)
    raise ModuleNotFoundError(path)


@pytest.fixture(scope="module")
def documented():
    """What the reference shows, by its name, with the members that it names or all of them."""
    found = {}
    for path in (DOCS / "api").glob("*.md"):
        for kind, name, options in DIRECTIVE.findall(TEXTS[path] + "\n"):
            one = found[name] = of_path(name)
            assert (kind in ("class", "exception")) == inspect.isclass(one) or kind == "data", name
            members = re.search(r"^ +:members:(.*)$", options, flags=re.M)
            if not members:
                continue
            named = [x.strip() for x in members[1].split(",") if x.strip()]
            inherited = ":inherited-members:" in options
            every = dir(one) if inherited else [*vars(one)]
            for member in named or [x for x in every if not x.startswith("_")]:
                found[f"{name}.{member}"] = inspect.getattr_static(one, member)
    return found


def test_the_reference_names_what_there_is(documented):
    assert len(documented) > 60


PROSE = re.compile(r"``.*?``|`[^`]+`|\*\*.*?\*\*|https?://\S+", flags=re.S)


def odd_markup(text):
    """What reStructuredText takes for the beginning of markup that does not end, or for a link."""
    rest = PROSE.sub("code", text)
    stars = len(re.findall(r"(?<![\w\\*])\*(?=[^\s*])", rest))
    found = ["*"] if stars != len(re.findall(r"(?<=[^\s*\\])\*(?![\w*])", rest)) else []
    return found + re.findall(r"``?(?!`)|\b[a-z]\w*_(?=[\s.,;:)]|$)|(?<!\S)\|\w+", rest)


def test_docstrings_of_the_reference_have_no_markup_that_is_cut(documented):
    checked = 0
    for name, one in documented.items():
        one = getattr(one, "fget", None) or getattr(one, "func", None) or one
        if isinstance(one, Registry) or not callable(one):
            continue
        text = inspect.getdoc(one) or ""
        assert not odd_markup(text), name
        checked += bool(text)
    assert checked > 50


def test_cut_markup_would_be_noticed():
    assert odd_markup("``whole`` *and* **so** on, a * b, `too`, snake_case, 2 ** 3") == []
    assert odd_markup("takes *args") == ["*"]
    assert odd_markup("a name_ that ends so") == ["name_"]
    assert odd_markup("half ``of it") == ["``"]


def test_links_of_the_notebook_lead_on():
    for path in DOCS.rglob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        assert "](../tutorial/" in text
        assert not broken_links(path, text)
