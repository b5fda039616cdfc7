"""What a run tells of its work is what each step took when its result was made in its folder."""

import json

from weak2strong.engine.events import FILE, events_of, read_events
from weak2strong.engine.work import Work, work_of
from weak2strong.protocol.steps import Step

STEP = Step("student", "a-task", 1, "naive")


def event(seconds, reused, *keys, step=STEP):
    """The event of a step that used stages of these keys."""
    stages = [{"stage": "s", "key": key, "reused": reused or key == "seen"} for key in keys]
    about = {"event": "step", "name": step.name, "reused": reused, "stages": stages}
    return about | ({} if seconds is None else {"seconds": seconds})


def seconds_of(*events):
    """The seconds that the work of the one step has."""
    return [work.seconds for work in work_of([STEP], events)]


def test_a_step_counts_as_it_was_when_it_was_made():
    made, read = event(3.5, False, "seen", "k"), event(0.1, True, "k")
    assert work_of([STEP], [made, read, event(0.2, True, "k")]) == [
        Work("student", "a-task", "naive", 1, 3.5, 2, 1)
    ]
    assert seconds_of(read, event(0.2, True, "k")) == [0.1], "or as it was first read"
    assert seconds_of(read, made) == [3.5]


def test_another_result_of_the_same_step_is_another_work():
    """Such as one of changed code, or of another number of threads."""
    made, other = event(3.5, False, "k"), event(7.5, False, "l")
    assert seconds_of(made, other) == [7.5]
    assert seconds_of(made, other, event(0.1, True, "k")) == [3.5]


def test_what_does_not_tell_its_seconds_is_left_out():
    """Events of older releases, and lines that something else wrote."""
    assert seconds_of(event(None, False, "k"), event(0.1, True, "k")) == [0.1]
    assert seconds_of({"event": "step"}, {"event": "step", "name": STEP.name}) == []
    assert work_of([STEP], [event(1.0, False, "k", step=Step("ceiling", "a-task", 1))]) == []


def test_a_torn_line_of_the_log_is_skipped_and_what_follows_is_not_lost(tmp_path):
    with events_of(tmp_path) as add:
        add("start", workers=1)
    with (tmp_path / FILE).open("ab") as log:
        log.write(b'{"time": "2026-01-01T00:00:00+00:00", "event": "st\xff')
    with events_of(tmp_path) as add:
        add("start", workers=2)
    lines = ["[1]", json.dumps({"event": "step"}), json.dumps({"time": "noon", "event": "step"})]
    with (tmp_path / FILE).open("a") as log:
        log.write("\n".join(lines))
    assert [e["workers"] for e in read_events(tmp_path)] == [1, 2]
    assert read_events(tmp_path / "nowhere") == []
