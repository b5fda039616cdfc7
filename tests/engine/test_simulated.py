"""A simulated run: by hand, within bounds that always hold, and beside a real run that sleeps."""

import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.engine.schedule import Place, Schedule
from weak2strong.engine.simulated import simulate
from weak2strong.protocol.steps import Step


def named(name, *needs):
    return Step("ngrams", name, needs=tuple(f"{n} ngrams" for n in needs))


def places(count):
    return [Place(f"worker {i}") for i in range(count)]


SECONDS = {"a": 2, "b": 3, "c": 4, "d": 1, "e": 1}
STEPS = [named("a"), named("b", "a"), named("c"), named("d", "a"), named("e")]


def seconds(step):
    return SECONDS[step.task]


@pytest.mark.parametrize(
    ("workers", "makespan"),
    # a, b and c have the longest ways: 5, 3 and 4. On two workers a, b, d stand beside c, e.
    [(1, 11), (2, 6), (3, 5), (9, 5)],
)
def test_a_run_is_simulated_as_by_hand(workers, makespan):
    run = simulate(Schedule(STEPS, seconds), places(workers), seconds)
    assert (run.workers, run.makespan, run.work) == (workers, makespan, 11)
    assert run.speedup == pytest.approx(11 / makespan)
    assert run.idle == pytest.approx(1 - 11 / (makespan * workers))


def test_what_ends_at_once_ends_before_anything_begins():
    # Both first steps end at 1; then "late" has the longer way, though "early" stood in the heap.
    steps = [named("x"), named("y"), named("early", "x"), named("late", "y"), named("end", "late")]
    taken = {"x": 1, "y": 1, "early": 5, "late": 1, "end": 9}
    one = Place("only", models=1)

    def of(step):
        return taken[step.task]

    run = simulate(Schedule(steps, of), [one, Place("other")], of)
    assert run.makespan == 11


def test_steps_may_take_other_times_than_the_schedule_expects():
    run = simulate(Schedule(STEPS), places(2), lambda step: 2 * seconds(step))
    assert run.work == 22


def test_models_are_loaded_once_a_worker_where_that_costs_nothing():
    steps = [named(f"{model}{i}") for i in range(4) for model in "sl"]
    run = simulate(Schedule(steps, models=lambda s: s.task[0]), places(2), lambda step: 1.0)
    assert (run.makespan, run.loads) == (4, 2)


def test_a_step_that_no_place_may_do_is_an_error_and_not_an_endless_run():
    schedule = Schedule([named("a")], devices=lambda step: frozenset({"cuda"}))
    with pytest.raises(ValueError, match="None of the places may do 1 of the steps"):
        simulate(schedule, places(3), seconds)
    assert simulate(Schedule([]), places(3), seconds).speedup == 1


@st.composite
def graphs(draw):
    steps = []
    for i in range(draw(st.integers(1, 30))):
        needs = draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else ()
        steps.append(named(str(i), *needs))
    return steps, {step: draw(st.integers(1, 9)) for step in steps}


@given(graphs(), st.integers(1, 9))
def test_a_run_is_no_quicker_than_path_and_work_and_within_grahams_bound(graph, workers):
    """Graham, Bounds on Multiprocessing Timing Anomalies, 1969: a schedule that leaves no worker
    idle while a step is ready takes at most work / workers + (1 - 1 / workers) path."""
    steps, taken = graph
    schedule = Schedule(steps, taken.get)
    path = sum(taken[step] for step in schedule.critical_path())
    run = simulate(schedule, places(workers), taken.get)
    assert max(path, run.work / workers) <= run.makespan
    assert run.makespan <= run.work / workers + (1 - 1 / workers) * path + 1e-9


def test_a_real_run_of_sleeping_steps_takes_as_long_as_the_simulated_one():
    steps = [named(str(i), *([i - 7] if i >= 7 else ())) for i in range(24)]
    taken = {step: 0.02 * (1 + i % 4) for i, step in enumerate(steps)}
    expected = simulate(Schedule(steps, taken.get), places(4), taken.get).makespan

    def sleep_through():
        schedule, free, running = Schedule(steps, taken.get), places(4), {}
        with ThreadPoolExecutor(4) as pool:
            begun = time.monotonic()
            while schedule.left:
                while free and (step := schedule.next(free[-1])):
                    running[pool.submit(time.sleep, taken[step])] = (free.pop(), step)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    place, step = running.pop(future)
                    schedule.done(step)
                    free.append(place)
            return time.monotonic() - begun

    # A busy machine only adds to the time.
    real = sleep_through()
    for _ in range(4):
        real = real if real < 1.1 * expected else min(real, sleep_through())
    assert expected <= real < 1.1 * expected
