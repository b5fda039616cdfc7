"""`w2s --help`: every command in a line, by what it is for; no line wider than the terminal."""

import os
import shutil
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from typing import ClassVar

import pytest

from weak2strong.cli import main
from weak2strong.cli.commands import every_command
from weak2strong.cli.experiments import command_of
from weak2strong.cli.overview import helping, overview, purpose_of, summary
from weak2strong.experiments import EXPERIMENTS
from weak2strong.ground.plugins import installed_commands
from weak2strong.ground.rooms import Group, Purpose

OURS = [n for n in every_command([]) if n not in installed_commands()]


@pytest.fixture
def shown(capsys, monkeypatch):
    """What a command line prints in a terminal of some width."""

    def shown(line, width=80):
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as ended:
            main(line.split())
        assert ended.value.code == 0
        return capsys.readouterr().out

    return shown


def test_every_command_of_ours_says_what_it_is_for():
    commands = every_command([])
    assert not [name for name in OURS if purpose_of(commands[name]) is Purpose.MORE]


def test_what_it_does_fits_a_line_of_a_usual_terminal():
    commands, column = every_command([]), 4 + max(map(len, OURS))
    for name in OURS:
        does = summary(commands[name])
        assert 10 < len(does) <= 80 - column, f"{name}: {does}"


def test_experiments_that_are_not_imported_say_the_same():
    described = every_command([])
    for name in EXPERIMENTS:
        kind = command_of(EXPERIMENTS.get(name))
        assert purpose_of(described[name]) is purpose_of(kind)
        assert summary(described[name]) == summary(kind)


def test_commands_stand_once_beneath_what_they_are_for(shown):
    page, commands = shown("--help"), every_command([])
    headings = [p.value for p in Purpose if f"\n{p.value}\n" in page]
    assert headings == [p.value for p in Purpose if p is not Purpose.MORE or "\nMore\n" in page]
    under = {}
    for line in page.splitlines():
        if line in headings:
            heading = line
        elif line.startswith("  "):
            under.setdefault(line.split()[0], []).append(heading)
    assert under == {name: [purpose_of(kind).value] for name, kind in commands.items()}


def test_a_command_that_does_not_say_is_listed_at_the_end():
    @dataclass
    class Silent:
        """Do something of a package."""

    @dataclass
    class Said:
        """Look after it. With details."""

        purpose: ClassVar[Purpose] = Purpose.CARE

    commands = {"silent": Silent, "said": Said, "many": Group("Do much.", {})}
    page = overview("w2s", commands, 80)
    more = page.partition("More\n")[2]
    assert page.index("Look after\n") < page.index("More\n")
    assert "  said    Look after it.\n" in page.partition("\nMore\n")[0]
    assert more.startswith("  silent  Do something of a package.\n  many    Do much.\n")


def test_a_width_of_60_breaks_between_words(shown):
    """As a person sees it."""
    page = shown("--help", 60)
    assert (
        "  table         Print the tables of finished runs, or write\n"
        "                them as Markdown.\n"
    ) in page
    assert shown("store --help", 60) == (
        "usage: w2s store COMMAND ...\n\n"
        "  sizes   Show how many results of each stage are stored,\n"
        "          and how large they are.\n"
        "  verify  Check every stored result against its checksums;\n"
        "          damaged ones are set aside.\n"
        "  why     Say in what two stored results of one stage\n"
        "          differ: settings, data, code, libraries.\n"
        "  prune   Remove stored results; without flags only what is\n"
        "          damaged or left over goes.\n\n"
        "w2s store COMMAND --help: what a command takes.\n"
    )


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("line", ["--help", "store --help", "table --help", "simulate --help"])
def test_no_line_is_wider_than_the_terminal(shown, line, width):
    page = shown(line, width)
    assert max(map(len, page.splitlines())) <= width
    # Words are whole, wherever lines end.
    if line == "table --help":
        assert "Runs of the same tasks that differ in a setting" in " ".join(page.split())


@pytest.mark.parametrize("name", ["run", "table", "models", "store prune"])
def test_help_texts_break_where_the_line_ends_and_show_no_none(
    shown, name, commands_are_read_once, monkeypatch
):
    # What the parser made of a command before its help was asked for is another thing.
    from tyro._parsers import ParserSpecification

    anew = staticmethod(commands_are_read_once)
    monkeypatch.setattr(ParserSpecification, "from_callable_or_type", anew)
    page = shown(f"{name} --help", 100)
    assert "None" not in page
    for before, line in pairwise(map(str.rstrip, page.splitlines())):
        # A line that goes on with the text of a flag, which stands beside the flag or below it.
        if line.startswith("     ") and ("  " in before.strip() or before.startswith("     ")):
            first = line.split()[0]
            assert len(before) + 1 + len(first) > 98, f"{before!r} ends before {first!r}"


def test_boxes_are_no_narrower_than_what_the_parser_can_fill(monkeypatch):
    for columns, width in {"1": 40, "60": 60}.items():
        monkeypatch.setenv("COLUMNS", columns)
        with helping(StringIO()):
            assert shutil.get_terminal_size().columns == width
        assert os.environ["COLUMNS"] == columns


def test_no_color_is_heeded_on_a_terminal(shown, monkeypatch):
    import io

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    for set_to, coloured in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", set_to)
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdout", terminal := Terminal())
            with pytest.raises(SystemExit):
                main(["table", "--help"])
        assert ("\x1b[" in terminal.getvalue()) is coloured
