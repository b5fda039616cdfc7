"""The table from question to command has every command and every analysis; its links lead on."""

import re
from pathlib import Path

import pytest

from weak2strong.analysis.analyses import every_analysis
from weak2strong.cli.commands import every_command
from weak2strong.ground.rooms import Group

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "understanding.md").read_text()


@pytest.fixture(scope="module")
def table():
    after = PAGE.partition("| question | command |\n")[2]
    rows = after.partition("\n\n")[0].splitlines()[1:]
    assert len(rows) > 30
    return "\n".join(rows)


def names(commands):
    """Commands by the words that name them, such as ``store why``."""
    for name, kind in commands.items():
        yield from (f"{name} {n}" for n in kind.commands) if isinstance(kind, Group) else (name,)


def test_every_command_stands_in_the_table_and_no_other(table):
    known = set(names(every_command()))
    said = set(re.findall(r"`w2s ([a-z-]+)", table))
    pairs = {" ".join(pair) for pair in re.findall(r"`w2s ([a-z-]+) ([a-z-]+)", table)}
    assert not {name for name in known if name not in said | pairs}
    assert not said - {name.split()[0] for name in known}


def test_every_analysis_stands_in_the_table_and_no_other(table):
    ours = {analysis.name for analysis in every_analysis()}
    said = re.findall(r"\| `w2s analyse RUN` \(([^:]+):", table)
    assert ours == {name for names in said for name in re.findall(r"`([a-z-]+)`", names)}


def test_links_lead_to_a_heading(table):
    links = re.findall(r"\]\(([^)#]*)#?([^)]*)\)", table)
    assert len(links) > 30
    for file, anchor in links:
        text = (DOCS / file).read_text() if file else PAGE
        headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
        found = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
        assert not anchor or anchor in found, f"{file}#{anchor}"
