"""Requests to stop reach who is at work, and end who does not look for them."""

import os
import signal
import threading

import pytest

from weak2strong.cli import commands, main
from weak2strong.ground.stops import REQUEUE, Stopped, heeding


@pytest.fixture(autouse=True)
def _ctrl_c():
    """Ctrl-C as in a terminal, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ask(number):
    """As another process would; Python's handler has run when this returns."""
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_who_does_not_look_is_ended_at_once(number):
    with pytest.raises(Stopped) as stopped, heeding():
        ask(number)
    assert stopped.value.number == number
    assert stopped.value.exit_code == (130 if number == signal.SIGINT else REQUEUE)


def test_who_looks_is_told_once_and_stops_when_it_likes():
    told = []
    with heeding() as stops:
        stops.patient, stops.on_ask = True, told.append
        stops.check()
        # A cluster warns first and asks later; that is no reason to hurry.
        for number in (signal.SIGUSR1, signal.SIGTERM):
            ask(number)
        assert told == [signal.SIGUSR1]
        with pytest.raises(Stopped) as stopped:
            stops.check()
    assert stopped.value.by == "SIGUSR1"


def test_a_second_ctrl_c_does_not_wait():
    with heeding() as stops:
        stops.patient = True
        ask(signal.SIGINT)
        with pytest.raises(Stopped):
            ask(signal.SIGINT)


def test_handlers_are_put_back_and_another_thread_has_none():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = [signal.getsignal(number) for number in numbers]
    with heeding(ctrl_c=False):
        assert signal.getsignal(signal.SIGINT) is before[0]
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    asked = []

    def in_a_thread():
        with heeding() as stops:
            asked.append(stops.asked)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert asked == [None]
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.parametrize(
    ("number", "code", "by"),
    [
        (signal.SIGINT, 130, "Ctrl-C"),
        (signal.SIGTERM, 75, "SIGTERM"),
        (signal.SIGUSR1, 75, "SIGUSR1"),
    ],
)
def test_the_command_line_says_what_stopped_it(monkeypatch, capsys, number, code, by):
    """Also where nothing heeds the signal but the command line itself."""
    monkeypatch.setattr(commands.Methods, "__call__", lambda self: ask(number))
    assert main(["methods"]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"stopped by {by}; finished stages and checkpoints are kept, the same command goes on."
    )
