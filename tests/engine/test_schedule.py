"""Which step comes next: against a slow literal planner, by invariants, and by counted work."""

import heapq
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.engine import schedule as module
from weak2strong.engine.schedule import ALIKE, Place, Schedule
from weak2strong.protocol.steps import Step

SECONDS = (1, 2, 3, 5, 8)


def named(name, *needs):
    """A step of this name, which waits for others."""
    return Step("ngrams", name, needs=tuple(f"{n} ngrams" for n in needs))


def names(steps):
    return [step.task if step else None for step in steps]


def drive(schedule, places, fails=lambda step: False):
    """Run to the end by a clock; the place, begin and end of each step that was tried."""
    free, running, log, now = list(places), [], [], 0.0
    while schedule.left:
        for place in list(free) if schedule.ready else ():
            if step := schedule.next(place):
                free.remove(place)
                seconds = SECONDS[len(log) % len(SECONDS)]
                heapq.heappush(running, (now + seconds, len(log), place, step))
                log.append((step, place, now, now + seconds))
        now, _, place, step = heapq.heappop(running)
        free.append(place)
        if fails(step) and not schedule.is_alone(step):
            schedule.again(step)
        else:
            schedule.done(step)
    return log


@st.composite
def graphs(draw):
    """Steps that need earlier ones, with seconds, models and devices of some of them."""
    count = draw(st.integers(1, 25))
    steps = [
        named(str(i), *draw(st.sets(st.integers(0, i - 1), max_size=3) if i else st.just(())))
        for i in range(count)
    ]
    seconds = {s: draw(st.sampled_from(SECONDS)) for s in steps}
    models = {s: draw(st.sampled_from((None, "small", "large"))) for s in steps}
    anywhere = (None, frozenset({"cpu"}), frozenset({"cpu", "cuda"}))
    devices = {s: draw(st.sampled_from(anywhere)) for s in steps}
    return steps, seconds, models, devices


@given(graphs(), st.integers(1, 3))
def test_the_longest_way_comes_first_unless_a_held_model_is_nearly_as_long(graph, workers):
    steps, seconds, models, devices = graph
    schedule = Schedule(steps, seconds.get, models.get, devices.get)
    places = [Place("gpu", "cuda"), *(Place(f"cpu {i}") for i in range(workers))]

    @cache
    def way(step):
        return seconds[step] + max((way(s) for s in steps if step.name in s.needs), default=0)

    held, running, done = {}, {}, set()
    while schedule.left:
        for place in places:
            if place in running:
                continue
            ready = [
                s for s in steps
                if s not in done and s not in running.values()
                and all(n in {d.name for d in done} for n in s.needs)
                and (devices[s] is None or place.device in devices[s])
            ]  # fmt: skip
            step = schedule.next(place)
            if not ready:
                assert step is None
                continue
            longest = max(ready, key=way)
            known = [s for s in ready if models[s] and models[s] == held.get(place)]
            known = [s for s in known if way(s) >= ALIKE * way(longest)]
            if known and models[longest]:
                longest = max(known, key=way)
            assert step == longest
            assert schedule.way(step) == way(step)
            running[place] = step
            held[place] = models[step] or held.get(place)
        place = min(running, key=lambda p: (seconds[running[p]], p.name))
        schedule.done(running[place])
        done.add(running.pop(place))
    assert done == set(steps)


@given(graphs(), st.sets(st.integers(0, 24)), st.integers(1, 4))
def test_every_step_is_done_once_after_its_needs_also_where_some_fail_once(graph, failing, workers):
    steps, seconds, models, _ = graph
    fails = {f"{n} ngrams" for n in failing}
    schedule = Schedule(steps, seconds.get, models.get)
    places = [Place(f"worker {i}", memory=f"gpu {i % 2}") for i in range(workers)]
    log = drive(schedule, places, lambda step: step.name in fails)
    tried = [step.name for step, *_ in log]
    assert all(tried.count(s.name) == 1 + (s.name in fails) for s in steps)
    assert len(set(tried)) == len(steps)
    ended = {step.name: end for step, _, _, end in log}
    assert all(ended[need] <= begun for step, _, begun, _ in log for need in step.needs)
    second = [log[i] for i, name in enumerate(tried) if name in tried[:i]]
    for step, place, begun, end in second:
        others = [e for e in log if e[0] is not step and e[1].memory == place.memory]
        assert all(e[3] <= begun or e[2] >= end for e in others), "it was not alone in its memory"
    assert (schedule.left, schedule.ready, len(schedule.running)) == (0, 0, 0)


def test_equal_ways_come_in_the_order_of_the_list_and_needs_outside_it_are_done():
    schedule = Schedule([named("b", "elsewhere"), named("a"), named("c", "a")])
    place = Place("worker")
    assert names([schedule.next(place)]) == ["a"]
    assert names([schedule.next(place)]) == ["b"]
    assert names([schedule.next(place)]) == [None]
    assert set(schedule.running) == {"a ngrams", "b ngrams"}


def test_a_place_keeps_as_many_models_as_it_holds_and_a_new_worker_none():
    steps = [named(name) for name in ("s1", "m1", "l1", "s2", "m2", "l2")]
    models = {step: step.task[0] for step in steps}
    one = Place("one", models=1)
    schedule = Schedule(steps, models=models.get)
    assert names(schedule.next(one) for _ in steps) == ["s1", "s2", "m1", "m2", "l1", "l2"]
    assert schedule.loads == 3
    # Held are m and then s, so that of the two others that of m is known.
    two = Place("two", models=2)
    schedule = Schedule([steps[i] for i in (0, 1, 2, 4)], models=models.get)
    assert names(schedule.next(two) for _ in range(4)) == ["s1", "m1", "m2", "l1"]
    schedule = Schedule(steps, models=models.get)
    first = schedule.next(one)
    schedule.again(first)
    assert schedule.is_alone(first)
    assert schedule.next(one) is first
    schedule.done(first)
    schedule.next(one)
    schedule.again(steps[3])
    assert names(schedule.next(Place("other")) for _ in range(2)) == ["s2", None]


def test_a_longer_way_is_not_left_for_a_model():
    steps = [named("first"), named("known"), named("long")]
    seconds = {"first": 20, "known": 10 * ALIKE - 0.1, "long": 10}
    models = {"first": "small", "known": "small", "long": "large"}
    schedule = Schedule(steps, lambda s: seconds[s.task], lambda s: models[s.task])
    place = Place("worker")
    assert names(schedule.next(place) for _ in steps) == ["first", "long", "known"]


def test_a_memory_is_emptied_for_a_step_that_is_to_be_alone():
    steps = [named(str(i)) for i in range(5)]
    schedule = Schedule(steps)
    a, b, other = Place("a", memory="gpu"), Place("b", memory="gpu"), Place("c")
    assert names(map(schedule.next, (a, b, other))) == ["0", "1", "2"]
    schedule.again(steps[0])
    assert schedule.next(a) is None, "another step runs in the same memory"
    schedule.done(steps[1])
    assert schedule.next(b) is steps[0]
    assert schedule.next(a) is None, "nothing runs beside it"
    schedule.done(steps[2])
    assert schedule.next(other) is steps[3], "other memories go on"
    schedule.done(steps[0])
    assert schedule.next(a) is steps[4]


def test_another_memory_that_is_free_earlier_takes_the_step_that_is_to_be_alone():
    steps = [named(str(i)) for i in range(4)]
    schedule = Schedule(steps)
    a, b, other = Place("a", memory="gpu"), Place("b", memory="gpu"), Place("c")
    assert names(map(schedule.next, (a, b, other))) == ["0", "1", "2"]
    schedule.again(steps[0])
    assert schedule.next(a) is None
    schedule.done(steps[2])
    assert schedule.next(other) is steps[0]
    assert schedule.next(a) is steps[3], "its memory need not be emptied any more"


def test_the_critical_path_is_the_longest_chain():
    steps = [named("a"), named("b", "a"), named("c"), named("d", "a", "c"), named("e", "b", "d")]
    seconds = {"a": 2, "b": 5, "c": 3, "d": 4, "e": 1}
    schedule = Schedule(steps, lambda step: seconds[step.task])
    assert names(schedule.critical_path()) == ["a", "b", "e"]
    assert schedule.way(steps[0]) == schedule.way(steps[2]) == 8
    seconds["c"] = 4
    schedule = Schedule(steps, lambda step: seconds[step.task])
    assert names(schedule.critical_path()) == ["c", "d", "e"]
    assert Schedule([]).critical_path() == ()


def test_steps_of_one_name_and_circles_are_refused():
    with pytest.raises(ValueError, match="one name"):
        Schedule([named("a"), named("a")])
    with pytest.raises(ValueError, match="a ngrams waits for itself"):
        Schedule([named("a", "b"), named("b", "a"), named("c")])


SHAPES = {
    "apart": lambda n: [named(str(i)) for i in range(n)],
    "chain": lambda n: [named(str(i), *([i - 1] if i else ())) for i in range(n)],
    "fan": lambda n: [named("0"), *(named(str(i), 0) for i in range(1, n))],
    "gather": lambda n: [*(named(str(i)) for i in range(n)), named("end", *range(n))],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("workers", [1, 8])
def test_work_grows_as_steps_and_needs_do(shape, workers):
    """Lines of the planner's code that run, so that the clock of the machine does not matter."""

    def lines(count):
        steps, ran = SHAPES[shape](count), 0

        def trace(frame, event, _):
            nonlocal ran
            if frame.f_code.co_filename != str(Path(module.__file__)):
                return None
            ran += event == "line"
            return trace

        places = [Place(str(i)) for i in range(workers)]
        models = {step: str(i % 3) for i, step in enumerate(steps)}
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            drive(Schedule(steps, models=models.get), places)
        finally:
            sys.settrace(before)
        return ran

    assert lines(240) < 4.4 * lines(60)
