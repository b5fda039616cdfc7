"""Workers do steps side by side; what dies, lacks memory or is asked to stop harms nothing else."""

import io
import os
import signal
import sys
import threading
import time
from importlib import import_module

import pytest

from weak2strong.engine.parallel import _death, in_parallel
from weak2strong.engine.schedule import Place, Schedule
from weak2strong.engine.workers import Ended, Workers
from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import load_plugins
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stopped, heeding
from weak2strong.methods import METHODS
from weak2strong.protocol.steps import Step

JOBS = """
import os, pathlib, signal, time
from weak2strong.engine.workers import LacksMemoryError
from weak2strong.ground.stops import Stopped

def first_time(name, folder):
    before = pathlib.Path(folder, name + ".began").exists()
    with open(pathlib.Path(folder, name + ".began"), "a") as file:
        print(time.time(), file=file)
    return not before

def work(on_step, name, folder, how, seconds):
    first = first_time(name, folder)
    if how == "die" or (how == "die once" and first):
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "exit":
        os._exit(3)
    if how == "lack" or (how == "lack once" and first):
        raise LacksMemoryError from RuntimeError("out of memory")
    if how == "fail":
        raise UserError("never defined")
    beside = how.removeprefix("beside ") if isinstance(how, str) and "beside " in how else None
    while beside and not pathlib.Path(folder, beside + ".began").exists():
        time.sleep(0.01)
    if how == "train":
        train(on_step, pathlib.Path(folder, name + ".checkpoint"))
    time.sleep(0.6 if beside else seconds)
    return name, os.getpid(), os.environ.get("W2S_TESTED"), time.time()

def train(on_step, checkpoint):
    for step in range(1, 1001):
        time.sleep(0.01)
        try:
            on_step(step, 1000)
        except Stopped:
            checkpoint.write_text(str(step))
            raise
"""
"""What workers do; they import nothing that is slow to import."""


class Steps:
    """Runs steps on two workers, which share a memory, and tells what happened."""

    def __init__(self, folder):
        self.folder, self.output = folder, io.StringIO()
        self.progress = Progress(self.output, quiet=False)
        self.answers = {}

    def run(self, during=lambda: None, needs=None, **hows):
        """Do a step for each argument, in as many seconds, or in the way that is named."""
        jobs = import_module("jobs_of_test_parallel")

        steps = [Step("probe", name, needs=(needs or {}).get(name, ())) for name in hows]
        places = [Place(f"worker {i}", memory="one") for i in range(2)]

        def work_of(step):
            how = hows[step.task]
            seconds = how if isinstance(how, float) else 0.0
            return jobs.work, (step.task, str(self.folder), how, seconds)

        def environment(name):
            return {"W2S_TESTED": name}

        with heeding() as stops:
            run = in_parallel(
                Schedule(steps), places, work_of, Workers(environment), self.progress, stops
            )
            try:
                for name, *answer in run:
                    self.answers[name] = answer
                    during()
            finally:
                run.close()

    def began(self, name):
        """When a step was begun, each time."""
        lines = (self.folder / f"{name}.began").read_text().splitlines()
        return [float(line) for line in lines]

    @property
    def said(self):
        """All lines so far; one of them may be printed by a thread."""
        for thread in threading.enumerate():
            if thread.name == "answer":
                thread.join()
        return self.output.getvalue()


@pytest.fixture
def steps(tmp_path, monkeypatch):
    """What runs steps."""
    (tmp_path / "jobs_of_test_parallel.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)
    yield Steps(tmp_path)
    sys.modules.pop("jobs_of_test_parallel", None)


def needing(name):
    """The name by which another step needs one of these."""
    return (f"{name} probe",)


def test_workers_have_their_own_environment_and_live_for_several_steps(steps):
    steps.run(a="beside b", b="beside a", c=0.0, d=0.0, needs={"d": needing("c")})
    assert set(steps.answers) == {"a", "b", "c", "d"}
    of = {name: tuple(answer[:2]) for name, answer in steps.answers.items()}
    assert {of["a"][1], of["b"][1]} == {"worker 0", "worker 1"}
    assert of["c"] in (of["a"], of["b"])
    assert steps.began("d")[0] >= steps.answers["c"][2]


@pytest.mark.parametrize("how", ["die once", "lack once"])
def test_a_step_is_tried_once_more_with_nothing_beside_it(steps, how):
    steps.run(a=how, b="beside a", c=0.0, d=0.0)
    assert set(steps.answers) == {"a", "b", "c", "d"}
    first, second = steps.began("a")
    assert first < steps.answers["b"][2] <= second
    # Nothing was begun before it had ended, and its worker is a new one.
    ended = steps.answers["a"][2]
    for name in "cd":
        assert steps.began(name)[0] >= ended or steps.answers[name][2] <= second
    assert "tried once more" in steps.said


def test_a_process_that_is_killed_twice_ends_in_a_sentence_after_the_other_steps(steps):
    with pytest.raises(UserError) as error:
        steps.run(a="die", b=0.0, c=0.3, d=0.0, e=0.0, needs={"b": needing("a")})
    assert str(error.value).startswith("The process of a probe was ended by SIGKILL twice")
    assert "take a smaller one" in str(error.value)
    assert len(steps.began("a")) == 2
    assert set(steps.answers) == {"c", "d", "e"}


def test_a_process_that_ends_itself_ends_in_a_sentence_after_the_other_steps(steps):
    """As a function of a plugin may do, which nobody can catch."""
    with pytest.raises(UserError) as error:
        steps.run(a="exit", b=0.0, c=0.1, needs={"b": needing("a")})
    assert str(error.value) == (
        "The process of a probe ended with exit code 3, twice: a library that it calls may have "
        "crashed, and where it did so is told with PYTHONFAULTHANDLER=1 in the environment; what "
        "is finished is kept."
    )
    assert set(steps.answers) == {"c"}


def test_the_plugin_of_a_method_whose_process_ends_is_named(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("import weak2strong as w2s\n@w2s.method('mine')\ndef mine(context): ...\n")
    load_plugins([file])
    told = str(_death(Step("student", "a", 0, "probe-filter+mine"), Ended(3)))
    assert "exit code 3, twice: it runs functions of" in told
    assert "mine.py, so look for what ends a process there, such as os._exit" in told
    killed = str(_death(Step("student", "a", 0, "mine"), Ended(-signal.SIGSEGV)))
    assert "was ended by SIGSEGV, twice: it runs functions of" in killed
    METHODS.drop(METHODS.origin("mine"))


def test_a_step_that_lacks_memory_twice_ends_in_a_sentence_after_the_other_steps(steps):
    with pytest.raises(UserError, match="Memory ran out in a probe twice") as error:
        steps.run(a="lack", b=0.0, c=0.1, needs={"b": needing("a")})
    assert str(error.value.__cause__) == "out of memory"
    assert set(steps.answers) == {"c"}


def test_an_error_stops_what_trains_with_its_checkpoint_and_says_where_it_came_from(steps):
    with pytest.raises(NameError, match="UserError") as error:
        steps.run(a="beside b", b="train", c="fail", needs={"c": needing("a")})
    assert 'raise UserError("never defined")' in error.value.__notes__[0]
    assert int((steps.folder / "b.checkpoint").read_text()) < 1000
    assert "c probe failed: stopping when each training that goes on (b probe at step" in steps.said


def test_a_request_stops_what_trains_with_its_checkpoint_and_ends_the_rest(steps):
    asked = []

    def ask():
        while not all((steps.folder / f"{name}.began").exists() for name in "bc"):
            time.sleep(0.01)
        time.sleep(0.2)
        asked.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGUSR1)

    threading.Thread(target=ask).start()
    with pytest.raises(Stopped) as stopped:
        steps.run(b="train", c=60.0)
    assert time.monotonic() - asked[0] < 5
    assert stopped.value.number == signal.SIGUSR1
    assert int((steps.folder / "b.checkpoint").read_text()) < 1000
    assert "SIGUSR1: stopping when each training that goes on (b probe at step" in steps.said


def test_a_second_ctrl_c_waits_for_nothing(steps):
    def ask():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped):
        steps.run(ask, a=0.3, b="train")
    assert not (steps.folder / "b.checkpoint").exists()
