"""Pages of the documentation: links lead on, and what they name is there; without building them."""

import io
import re
import shlex
from collections.abc import Mapping
from functools import cache

import pytest

import weak2strong as w2s
from weak2strong.cli.commands import every_command
from weak2strong.cli.parsed import flag_types, parsed
from weak2strong.ground.errors import UserError
from weak2strong.ground.rooms import Group
from weak2strong.methods import METHODS
from weak2strong.report.figures import COMPARING_FIGURES, EXPERIMENT_FIGURES, FIGURES
from written_pages import DOCS, PAGES, ROOT, TEXTS, broken_links, commands


def test_the_gallery_shows_figures_that_there_are():
    page = TEXTS[DOCS / "gallery.md"]
    shown = re.findall(r"^### `([\w-]+)`$", page, flags=re.M)
    assert {*shown} <= {*FIGURES, *COMPARING_FIGURES, *EXPERIMENT_FIGURES}
    pictures = {path.stem: path.stat().st_size for path in (DOCS / "gallery").iterdir()}
    assert sorted(pictures) == sorted(shown)
    assert sum(pictures.values()) < 1_200_000
    found = list(commands(page))
    assert len(found) > 8
    made = {words[words.index("--out") + 1] for words in found if "--out" in words}
    drawn = {word for words in found if words[0] == "figures" for word in words[1:-2]}
    assert drawn == made


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_local_links_lead_on(path):
    assert not broken_links(path, TEXTS[path])


def test_a_link_that_leads_nowhere_would_be_noticed():
    text = "[a](nowhere.md) [b](data.md#nothing) [c](data.md#pairs) [d](https://a.b) `[e](f.md)`"
    assert broken_links(DOCS / "index.md", text) == ["nowhere.md", "data.md#nothing"]


def test_every_page_stands_in_the_contents_once():
    index = TEXTS[DOCS / "index.md"]
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", index, flags=re.M | re.S)
    listed = [x for tree in trees for x in tree.split("\n") if x and not x.startswith(":")]
    pages = [p.relative_to(DOCS).with_suffix("").as_posix() for p in PAGES if p.stem != "index"]
    pages += [p.relative_to(DOCS).with_suffix("").as_posix() for p in DOCS.rglob("*.ipynb")]
    assert sorted(listed) == sorted(pages)


def test_the_reference_has_every_public_name_once():
    pages = "".join(text for path, text in TEXTS.items() if path.parent.name == "api")
    named = re.findall(r"^\.\. [a-z]+:: weak2strong\.(\w+)$", pages, flags=re.M)
    assert sorted(named) == sorted(w2s.__all__)


@pytest.fixture(scope="module")
def sections():
    """The section of each method on its page."""
    parts = re.split(r"^### (\S+)$", TEXTS[DOCS / "methods.md"], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def fact(section, name):
    """What a section says after a name in bold; None where it has none."""
    found = re.search(rf"^- \*\*{name}:\*\* (.*?)(?=\n- |\n\n|\Z)", section, flags=re.M | re.S)
    return found and " ".join(found[1].split())


def test_the_methods_have_a_section_each_and_no_other(sections):
    assert set(sections) == set(METHODS)


def test_the_page_says_of_methods_what_the_registry_has(sections):
    for name in METHODS:
        method, section = METHODS.get(name), sections[name]
        assert re.search(r"^\$\$[^$]+\$\$$", section, flags=re.M), name
        same = fact(section, "Same gradient as")
        said = {
            "source": fact(section, "Source"),
            "needs": fact(section, "Needs") or "",
            "classes": fact(section, "Classes"),
            "same_gradient_as": same and same.partition(",")[0],
            "prepares": "- **A step.**" in section,
        }
        known = {field: getattr(method, field) for field in said}
        classes = None if method.classes is None else str(method.classes)
        assert said == known | {"needs": ", ".join(method.needs), "classes": classes}, name
        assert len(fact(section, "When") or "") > 20, name


def checked(words):
    """Parse a command line, which raises where a command or a flag is not there."""
    try:
        parsed(words)
    except UserError as e:
        pytest.fail(f"w2s {shlex.join(words)}: {e}")


@cache
def flags_of(kind):
    """The flags of a command, those of switches also with a `no-`."""
    flags = flag_types(kind)
    return {*flags, *(f"--no-{flag[2:]}" for flag in flags)}


def unknown(words):
    """The first word of a command line that is no command or no flag; cheaper than to parse it."""
    kind, rest = every_command(words), list(words)
    if rest[0] in ("--help", "--version", "--print-completion"):
        return None
    while isinstance(kind, Mapping):
        word = rest.pop(0) if rest else ""
        if word not in kind:
            return word if word != "--help" else None
        found = kind[word]
        kind = found.commands if isinstance(found, Group) else found
    named = [word.partition("=")[0].replace("_", "-") for word in rest if word.startswith("--")]
    return next((x for x in named if x not in flags_of(kind) | {"--help"}), None)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_of_pages_and_their_flags_are_there(path):
    for words in commands(TEXTS[path]):
        assert unknown(words) is None, shlex.join(words)


def test_a_command_or_a_flag_that_is_not_there_would_be_noticed():
    text = (
        "```sh\nA=1 w2s run x --sead=1 | jq\n```\n```console\n$ w2s rnu\n$ w2s store sizes\n```\n"
    )
    found = list(commands(text))
    assert found == [["run", "x", "--sead=1"], ["rnu"], ["store", "sizes"]]
    assert [unknown(words) for words in found] == ["--sead", "rnu", None]


@pytest.mark.parametrize("name", ["first-result", "own-data", "own-method", "gpu"])
def test_the_commands_of_the_tutorial_are_there(name):
    for words in commands(TEXTS[DOCS / "tutorial" / f"{name}.md"]):
        checked(words)


def test_what_agents_are_told_is_there():
    known_commands = every_command([])
    for name in ("docs/agents.md", "llms.txt"):
        text = TEXTS[ROOT / name]
        code = re.findall(r"`([^`\n]+)`", text)
        lines = [shlex.split(x)[1:] for x in code if x.startswith("w2s ") and "<" not in x]
        lines += commands(text)
        assert lines
        for words in lines:
            assert words[0] in known_commands
            checked(words)
        paths = [x for x in code if re.fullmatch(r"[\w./-]+(/|\.(py|md))", x) and "/" in x]
        for path in paths:
            known = (ROOT / path, ROOT / "docs" / path, ROOT / "src" / "weak2strong" / path)
            assert any(at.exists() for at in known), path
        makefile = (ROOT / "Makefile").read_text()
        for target in re.findall(r"`?\bmake ([a-z-]+)`?", "\n".join(re.findall(r"`[^`]+`", text))):
            assert re.search(rf"^{target}:", makefile, flags=re.M), target


def test_agents_find_the_fields_of_results():
    page, reference = TEXTS[DOCS / "agents.md"], TEXTS[DOCS / "json.md"]
    table = page.partition("| field | what it is |\n")[2].partition("\n\n")[0]
    names = re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in table.splitlines()))
    assert len(names) >= 9
    for name in names:
        assert f"`{name}`" in reference, name


def test_the_short_list_for_agents_has_the_usual_form():
    lines = TEXTS[ROOT / "llms.txt"].splitlines()
    assert lines[0] == "# weak2strong"
    assert lines[2].startswith("> ")
    links = [line for line in lines if line.startswith("- ")]
    assert links
    assert all(re.fullmatch(r"- \[[^\]]+\]\([^)]+\): .+", line) for line in links)


def test_blocks_of_python_in_the_tutorial_compile():
    for path in (DOCS / "tutorial").glob("*.md"):
        for block in re.findall(r"^```python\n(.*?)^```", TEXTS[path], flags=re.M | re.S):
            compile(block, str(path), "exec")
            assert io.StringIO(block).readline().startswith(("import", "#"))
