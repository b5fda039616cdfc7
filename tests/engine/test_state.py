"""Where a run stands, by the log of its folder."""

from datetime import UTC, datetime, timedelta

import pytest

from weak2strong.engine import events as told
from weak2strong.engine.state import state_of, what_of

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

STEPS = [
    *(f"a-task supervisor seed {seed}" for seed in range(3)),
    *(f"a-task student naive seed {seed}" for seed in range(3)),
]


def at(when, event, **details):
    time = (BEGAN + timedelta(seconds=when)).isoformat()
    return {"time": time, "event": event, **details}


def begun(*more):
    return [at(0, "start", workers=2, store="/store", steps=STEPS), *more]


def step(when, name, took, reused=False):
    return at(when, "step", name=name, seconds=took, reused=reused, stages=[])


def test_steps_are_done_at_work_or_waiting():
    events = begun(
        step(0, STEPS[0], 0.1, reused=True),
        at(1, "begin", name=STEPS[1], place="process 0"),
        at(1, "begin", name=STEPS[2], place="process 1"),
        at(6, "training", name=STEPS[2], done=5, total=20),
        step(7, STEPS[1], 6.0),
        at(7, "warning", text="It is late."),
    )
    state = state_of(events)
    assert [one.name for one in state.done] == STEPS[:2]
    assert state.reused == 1
    (one,) = state.running
    assert (one.name, one.place, one.done, one.total) == (STEPS[2], "process 1", 5, 20)
    assert one.seconds(BEGAN + timedelta(seconds=11)) == 10
    assert state.waiting == tuple(STEPS[3:])
    assert state.warnings == ("It is late.",)
    assert state.ended is None


def test_time_left_goes_by_steps_like_those_that_wait():
    """Three students of 10 s and the rest of a supervisor on two workers; reused ones tell
    nothing."""
    events = begun(
        step(0, STEPS[0], 0.1, reused=True),
        step(6, STEPS[1], 6.0),
        at(6, "begin", name=STEPS[2], place="process 0"),
        step(16, STEPS[3], 10.0),
    )
    state = state_of(events)
    # Of the supervisor 6 s less 4 are left, and two students wait.
    assert state.seconds_left(BEGAN + timedelta(seconds=10)) == pytest.approx((2 + 2 * 10) / 2)
    half = state_of([*events, at(10, "training", name=STEPS[2], done=1, total=11)])
    # What its own training tells goes before: a step in 4 s, and so 40 s more than all the rest.
    assert half.seconds_left(BEGAN + timedelta(seconds=10)) == pytest.approx(40)
    assert state_of(begun()).seconds_left(BEGAN) is None


@pytest.mark.parametrize(("event", "ended"), [("end", "finished"), ("stop", "Ctrl-C")])
def test_a_run_that_ended_has_nothing_at_work(event, ended):
    events = begun(at(1, "begin", name=STEPS[0], place="process 0"), at(2, event, why="Ctrl-C"))
    state = state_of(events)
    assert state.ended == ended
    assert state.running == ()
    assert state.seconds_left(BEGAN) is None


def test_the_last_start_counts_and_old_logs_tell_less():
    old = {"time": "2025-01-01T00:00:00", "event": "start", "workers": 1, "threads": 1}
    state = state_of([*begun(step(1, STEPS[0], 1.0)), old])
    assert state.done == ()
    assert state.steps == ()
    assert state.began.tzinfo
    assert state_of([]) is None


def test_what_a_step_makes_is_its_name_without_task_and_seed():
    assert [what_of(STEPS[i]) for i in (0, 3)] == ["supervisor", "student naive"]
    assert what_of("a-task ngrams") == "ngrams"


def test_trainings_are_told_of_now_and_then(monkeypatch):
    """A log must not grow with the steps of its trainings."""
    clock, said = [0.0], []
    monkeypatch.setattr(told.time, "monotonic", lambda: clock[0])
    telling = told.Telling(lambda what, **details: said.append((what, details)))
    telling.begun("one", "here")
    for done in range(1, 1001):
        clock[0] += 1.0
        telling.went_on("one", done, 1000)
        telling.went_on("another that nobody began", done, 1000)
    done = [details["done"] for what, details in said if what == "training"]
    assert all(details["name"] == "one" for _, details in said)
    # A hundredth is 10 steps, which take longer than the shortest pause.
    assert done == list(range(10, 1001, 10))
