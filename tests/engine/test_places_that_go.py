"""Workers whose machines come and go: their steps are done elsewhere, and waiting has an end."""

import io
from contextlib import AbstractContextManager

import pytest

from weak2strong.engine.parallel import MOVES, in_parallel
from weak2strong.engine.schedule import Place, Schedule
from weak2strong.engine.workers import Answered, Ended
from weak2strong.ground.errors import UserError
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stops
from weak2strong.protocol.steps import Step

GONE = Ended(None, "its node is gone", gone=True)
DIED = Ended(None, "died")


class Crew(AbstractContextManager["Crew"]):
    """Workers that answer at once with the name of a step, but for what is told of some."""

    tries = 3

    def __init__(self, told=(), joining=()):
        """What each beginning of a step ends in, and the places that come, one at a time."""
        self.told = {name: list(ends) for name, ends in dict(told).items()}
        self.joining, self.given, self.busy = list(joining), [], {}

    def __exit__(self, *error):
        pass

    def give(self, name, work):
        self.given.append((work, name))
        self.busy[name] = work

    def heard(self, also=(), timeout=None):
        said = [(name, self._end_of(step)) for name, step in self.busy.items()]
        self.busy = {}
        return said

    def _end_of(self, step):
        ends = self.told.get(step, [])
        return ends.pop(0) if ends else Answered(step)

    def ask_to_stop(self):
        pass

    def end(self, name):
        pass

    def joined(self):
        return [Place(self.joining.pop(0))] if self.joining else []

    def awaits_places(self):
        if not self.joining:
            raise UserError("no node for long")
        return True

    def places_of(self, step):
        return [name for of, name in self.given if of == step]


def run(crew, *names, places=("one", "two")):
    """Do steps of these names, and give what was answered and all that was said."""
    steps = [Step("probe", name) for name in names]
    said = io.StringIO()
    answers = in_parallel(
        Schedule(steps),
        [Place(name) for name in places],
        lambda step: step.task,
        crew,
        Progress(said),
        Stops(),
    )
    return list(answers), said.getvalue()


def test_a_step_whose_machine_is_gone_is_done_on_another_one():
    crew = Crew({"a": [GONE]})
    answers, said = run(crew, "a", "b", "c")
    assert sorted(answers) == ["a", "b", "c"]
    gone, other = crew.places_of("a")
    assert gone != other
    # Nothing is given to the place that is gone.
    assert [name for _, name in crew.given].count(gone) == 1
    assert "a probe: its node is gone; it is done on another one" in said


def test_machines_that_join_get_steps():
    crew = Crew(joining=["three"])
    run(crew, *"abcdef", places=("one",))
    assert {name for _, name in crew.given} == {"one", "three"}


def test_where_no_machine_is_left_one_is_waited_for():
    crew = Crew({"a": [GONE]}, joining=["two"])
    assert sorted(run(crew, "a", "b", places=("one",))[0]) == ["a", "b"]
    assert crew.places_of("b") == ["two"]
    crew = Crew({"a": [GONE]})
    with pytest.raises(UserError, match="no node for long"):
        run(crew, "a", "b", places=("one",))


def test_a_step_does_not_lose_machines_for_ever():
    places = [f"place {i}" for i in range(MOVES + 3)]
    crew = Crew({"a": [GONE] * (MOVES + 3)})
    with pytest.raises(RuntimeError, match="a probe has lost its machine 5 times"):
        run(crew, "a", "b", places=places)
    assert len(crew.places_of("a")) == MOVES + 1


def test_a_worker_that_dies_has_as_many_tries_as_its_crew_gives():
    crew = Crew({"a": [DIED, DIED]})
    assert sorted(run(crew, "a", "b")[0]) == ["a", "b"]
    with pytest.raises(UserError, match="The process of a probe died, also with nothing beside it"):
        run(Crew({"a": [DIED] * 3}), "a", "b")


def test_a_step_that_is_to_be_alone_is_so_on_another_machine():
    crew = Crew({"a": [DIED, GONE]})
    schedule = Schedule([Step("probe", "a"), Step("probe", "b")])
    places = [Place(f"{node} {i}", memory=node) for node in ("n", "m") for i in range(2)]
    list(in_parallel(schedule, places, lambda s: s.task, crew, Progress(quiet=True), Stops()))
    assert schedule.is_alone(Step("probe", "a"))
    assert len(crew.places_of("a")) == 3
