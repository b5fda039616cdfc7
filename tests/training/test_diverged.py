"""A training whose loss is not finite any more stops with a sentence, and nothing of it is kept;
steps that do not need it are done."""

import pickle

import pytest

from weak2strong.config.training import Training
from weak2strong.engine import local
from weak2strong.engine.parallel import _Run
from weak2strong.engine.schedule import Place, Schedule
from weak2strong.engine.workers import Failed
from weak2strong.ground.errors import DivergedError, UserError
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stops
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.protocol.steps import Step
from weak2strong.training.fit import fit

MUCH = Training(
    steps=5, batch_size=10, learning_rate=1e30, head_rate=1e30, schedule="constant", warmup=0.0
)


def test_the_step_is_told_and_no_checkpoint_has_what_came_of_it(load, lesson, tmp_path):
    steps, checkpoint = [], tmp_path / "checkpoint.safetensors"
    options = {"on_step": lambda done, total: steps.append(done), "checkpoint": checkpoint}
    with pytest.raises(DivergedError, match="loss of step 3 is nan, and nothing of it is kept"):
        fit(load(), lesson(20), CrossEntropy(), MUCH, 0, **options)
    assert steps == [1, 2]
    assert not checkpoint.exists()


def test_weights_that_the_last_step_made_infinite_are_told(load, lesson):
    once = Training(steps=1, batch_size=10, learning_rate=1e39, head_rate=1e39, warmup=0.0)
    with pytest.raises(DivergedError, match=r"after its last step the weight \S+ is"):
        fit(load(), lesson(20), CrossEntropy(), once, 0)


def test_the_sentence_goes_between_processes():
    sent = pickle.loads(pickle.dumps(DivergedError("the loss of step 2 is nan", "The training")))  # noqa: S301
    assert str(sent).startswith("The training has diverged: the loss of step 2 is nan, and nothing")
    assert isinstance(sent, UserError)


SUPERVISOR = Step("supervisor", "one", 0)
STUDENT = Step("student", "one", 0, "naive", needs=(SUPERVISOR.name,))
AFTER = Step("check", "one", needs=(STUDENT.name,))
OTHER = Step("supervisor", "two", 0)


def test_one_after_another_the_steps_that_do_not_need_it_are_done(monkeypatch):
    class Run:
        on_step = None

    def do(step, task_run):
        if step is SUPERVISOR:
            raise DivergedError("the loss of step 2 is nan")
        return step

    monkeypatch.setattr(local, "do", do)
    todo, done = (SUPERVISOR, STUDENT, AFTER, OTHER), []
    runs = {"one": Run(), "two": Run()}
    with pytest.raises(DivergedError):
        done.extend(local._in_this_process(todo, runs, Progress(quiet=True), Stops()))
    assert done == [OTHER]


def test_side_by_side_nothing_else_is_stopped():
    place = Place("worker 0")
    run = _Run(
        Schedule([SUPERVISOR, STUDENT, OTHER]),
        [place],
        lambda step: (do_nothing, ()),
        Idle(),
        Progress(quiet=True),
        Stops(),
    )
    run.begin()
    ((place, first),) = run.busy.values()
    run.hear(place, first, Failed(DivergedError("the loss of step 2 is nan")))
    assert run.stopping is None
    assert len(run.errors) == 1
    assert run.begin()
    ((_, second),) = run.busy.values()
    assert {first, second} == {SUPERVISOR, OTHER}


def do_nothing():
    """The work of a worker that never begins."""


class Idle:
    """Workers that are given work and do none."""

    tries = 2

    def give(self, name, work):
        """Take it."""
