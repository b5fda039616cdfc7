"""Loops over data are shown once they take more than a moment, and are the same loops."""

import io
from types import SimpleNamespace

import pytest

from weak2strong.cli import main
from weak2strong.ground import progress, watched
from weak2strong.ground.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    for module in (progress, watched):
        monkeypatch.setattr(module, "time", clock)
    return clock


def loop(clock, count, seconds, what="reading"):
    """A loop that takes so long; the things that it saw."""
    seen = []
    for thing in watched.watched(range(count), what, count):
        seen.append(thing)
        clock.now += seconds / count
    return seen


def lines_of(stream):
    return [line.partition("] ")[2] for line in stream.getvalue().splitlines()]


def test_a_moment_is_not_worth_a_word(clock):
    out = io.StringIO()
    with Progress(out):
        assert loop(clock, 1000, 0.9) == [*range(1000)]
    assert out.getvalue() == ""


def test_plain_lines_from_the_second_second_on(clock):
    out = io.StringIO()
    with Progress(out):
        assert loop(clock, 12_000, 12) == [*range(12_000)]
    assert lines_of(out) == [
        "reading: 1008 of 12,000, 11 s left",
        "reading: 6024 of 12,000, 6 s left",
        "reading: 11,040 of 12,000, 1 s left",
    ]


def test_short_loops_are_shown_when_all_together_take_more_than_a_moment(clock):
    out = io.StringIO()
    with Progress(out):
        for what in ("one", "two", "three", "four"):
            assert loop(clock, 100, 0.6, what) == [*range(100)]
        loop(clock, 100, 0.1, "five")
    assert [line.partition(":")[0] for line in lines_of(out)] == ["two", "three", "four"]


def test_without_an_open_progress_and_with_a_quiet_one_nothing_is_said(clock, capsys):
    assert loop(clock, 10, 100) == [*range(10)]
    with Progress(), Progress(quiet=True):
        assert loop(clock, 10, 100) == [*range(10)]
    with Progress():
        pass
    assert loop(clock, 10, 100) == [*range(10)]
    said = capsys.readouterr()
    assert said.out == said.err == ""


def test_an_error_in_the_loop_ends_it(clock):
    out = io.StringIO()
    with Progress(out):
        with pytest.raises(ZeroDivisionError):
            [1 // thing for thing in watched.watched(range(10), "reading", 10)]
        clock.now += 100
        assert loop(clock, 10, 0.5, "again") == [*range(10)]
    assert out.getvalue() == ""


def test_a_terminal_gets_bars_that_leave_nothing(clock, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    with Progress(out, brief=True):
        loop(clock, 2_000, 0.5)
        assert out.getvalue() == ""
        loop(clock, 2_000, 100)
        shown = out.getvalue()
        assert "reading" in shown
        assert "/2,000" in shown
        # What was drawn has been erased, and the cursor is there again.
        assert shown.rstrip("\r").endswith("\x1b[2K\x1b[?25h")
        loop(clock, 2_000, 100, "cleaning")
        assert "cleaning" in out.getvalue().removeprefix(shown)


def test_all_that_is_done_with_a_users_file_is_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(watched, "PATIENCE", 0)
    monkeypatch.setattr(watched, "SHORT", 0)
    path = tmp_path / "mine.csv"
    path.write_text("text,label\n" + "".join(f"A text of number {i},{i % 2}\n" for i in range(40)))
    assert main(["tasks", str(path)]) == 0
    said = capsys.readouterr()
    assert "40 of 40 rows are used" in said.out
    stages = [line.partition("] ")[2].rpartition(":")[0] for line in said.err.splitlines()]
    assert list(dict.fromkeys(stages)) == [
        f"reading {path}",
        f"checking {path}",
        "comparing texts",
        "cleaning",
        "near-duplicates: finding words",
        "near-duplicates: counting shingles",
        "near-duplicates: leaving texts out",
        "finding groups",
        "making splits",
        "comparing beginnings",
    ]
