"""Progress says how far work is, on standard error, in plain lines or bars."""

import io
import sys
import types

import pytest

from weak2strong.ground import progress
from weak2strong.ground.progress import Progress, duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (7.4, "7 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (360_000, "100 h 0 min"),
    ],
)
def test_durations_as_people_say_them(seconds, words):
    assert duration(seconds) == words


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_plain_lines_come_now_and_then_with_the_time_left(clock):
    out = io.StringIO()
    with Progress(out, every=15) as shown:
        for done in range(0, 101):
            shown.update("fit", done, 100, "loss 0.5")
            clock.now += 2
    lines = out.getvalue().splitlines()
    # First said 16 s after the first update (8 units), then every 16 s.
    assert lines[0] == "[  16.0 s] fit: 8 of 100, 3 min 4 s left; loss 0.5"
    assert lines[-1] == "[ 192.0 s] fit: 96 of 100, 8 s left; loss 0.5"
    assert len(lines) == 12


def test_work_done_before_the_first_update_does_not_count_as_speed(clock):
    out = io.StringIO()
    shown = Progress(out, every=10)
    shown.update("fit", 90, 100)
    clock.now += 20
    shown.update("fit", 92, 100)
    assert "92 of 100, 1 min 20 s left" in out.getvalue()


def test_without_any_advance_there_is_no_guess(clock):
    out = io.StringIO()
    shown = Progress(out, every=10)
    shown.update("fit", 0, 100)
    clock.now += 20
    shown.update("fit", 0, 100)
    assert out.getvalue() == "[  20.0 s] fit: 0 of 100\n"


def test_tasks_are_timed_apart(clock):
    out = io.StringIO()
    shown = Progress(out, every=10)
    shown.update("a", 0, 10)
    clock.now += 8
    shown.update("b", 0, 10)
    clock.now += 4
    shown.update("a", 6, 10)
    shown.update("b", 6, 10)
    assert out.getvalue() == "[  12.0 s] a: 6 of 10, 8 s left\n"


def test_lines_carry_the_time_since_the_start(clock):
    out = io.StringIO()
    shown = Progress(out)
    clock.now += 65.25
    shown.line("done [b]with[/b] it")
    assert out.getvalue() == "[  65.2 s] done [b]with[/b] it\n"


def test_standard_output_stays_free_for_tables(capsys):
    Progress().line("working")
    said = capsys.readouterr()
    assert said.out == ""
    assert "working" in said.err


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_quiet_says_nothing(stream, clock):
    out = stream()
    with Progress(out, every=0, quiet=True) as shown:
        shown.line("hello")
        shown.update("fit", 1, 2)
        clock.now += 100
        shown.update("fit", 2, 2)
        shown.forget("fit")
    assert out.getvalue() == ""


def test_a_terminal_gets_bars_until_the_task_is_forgotten(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    with Progress(out) as shown:
        shown.update("fitting", 30, 60, "seed 1")
        shown.line("a [b]line[/b]")
        shown.update("fitting", 40, 60, "seed 2")
        shown.forget("fitting")
        shown.forget("never heard of")
        shown.update("after", 1, 7)
    text = out.getvalue()
    assert "a [b]line[/b]" in text
    last = text.rsplit("\x1b[2K", 1)[-1]
    assert "1/7" in last
    assert "fitting" not in last


def test_a_task_named_again_is_timed_anew(clock):
    out = io.StringIO()
    shown = Progress(out, every=10)
    shown.update("fit", 0, 10)
    clock.now += 1000
    shown.forget("fit")
    shown.update("fit", 0, 10)
    clock.now += 12
    shown.update("fit", 6, 10)
    assert "6 of 10, 8 s left" in out.getvalue()


@pytest.fixture
def cell(monkeypatch):
    """The outputs of a notebook's cell, each with all that it has shown."""
    outputs = []

    class Handle:
        def __init__(self, data):
            self.shown = [data["text/plain"]]
            outputs.append(self.shown)

        def update(self, data, raw):
            self.shown.append(data["text/plain"])

    def display(data, raw, display_id):
        assert raw
        assert display_id
        return Handle(data)

    shell = types.SimpleNamespace(kernel=None)
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    ipython.display = types.SimpleNamespace(display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return outputs


def test_a_notebook_has_one_line_that_is_renewed(cell, clock, capsys):
    with Progress() as shown:
        shown.line("rates of atlas-s: fitted")
        shown.update("study", 0, 4)
        for done in range(1, 200):
            clock.now += 0.1
            shown.update("fit", done, 200)
        shown.update("study", 1, 4)
        shown.forget("fit")
        shown.line("fit: 20 s")
        shown.update("study", 4, 4)
        shown.forget("study")
    (line,) = cell
    assert line[0] == "[   0.0 s] rates of atlas-s: fitted"
    assert line[1] == "[   0.0 s] study: 0 of 4"
    assert line[2] == "[   0.1 s] study: 0 of 4; fit: 1 of 200"
    assert line[3] == "[   0.6 s] study: 0 of 4; fit: 6 of 200, 19 s left"
    assert line[-3] == "[  19.9 s] study: 1 of 4, 1 min 0 s left"
    assert line[-1] == "[  19.9 s] study: 4 of 4, 0 s left"
    assert len(line) < 50
    assert capsys.readouterr() == ("", "")


def test_what_has_to_be_read_is_printed_in_a_notebook_too(cell, capsys):
    with Progress(quiet=True) as shown:
        shown.line("nothing")
        shown.say("a download")
    assert not cell
    assert capsys.readouterr().err.endswith("] a download\n")


def test_a_shell_of_ipython_is_no_notebook(cell, monkeypatch, capsys):
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: types.SimpleNamespace())
    with Progress() as shown:
        shown.line("plain")
    assert not cell
    assert capsys.readouterr().err.endswith("] plain\n")
