"""The process of a place, as Ray calls it: work, news of a training, and stops."""

import threading
import time

import pytest

from weak2strong.engine.on_ray import worker as module
from weak2strong.engine.on_ray.code import code_digest
from weak2strong.engine.on_ray.worker import Worker
from weak2strong.engine.workers import Answered, Ended, Failed, LacksMemoryError, Trained
from weak2strong.ground.errors import UserError
from weak2strong.ground.stops import CTRL_C


@pytest.fixture
def worker(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    monkeypatch.setattr(module, "PAUSE", 0.01)
    return Worker(1, tmp_path, code_digest())


def doubled(on_step, number):
    return 2 * number


def refused(on_step):
    raise UserError("never defined")


def lacking(on_step):
    raise LacksMemoryError from RuntimeError("out of memory")


class Training:
    """Work of three steps, each of which waits until it is allowed."""

    def __init__(self):
        self.may_go_on, self.done = threading.Semaphore(0), 0

    def __call__(self, on_step):
        for self.done in range(1, 4):
            self.may_go_on.acquire()
            on_step(self.done, 3)
        return "trained"


def begin(worker, number, training):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(worker.do(number, (training, ()))))
    thread.start()
    return thread, answers


def test_work_is_answered_and_its_errors_are_told(worker):
    assert worker.do(1, (doubled, (3,))) == Answered(6)
    failed = worker.do(2, (refused, ()))
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UserError)
    assert not failed.memory
    lack = worker.do(3, (lacking, ()))
    assert isinstance(lack, Failed)
    assert lack.memory
    assert str(lack.error) == "out of memory"
    # What failed leaves the worker as it was.
    assert worker.do(4, (doubled, (4,))) == Answered(8)


def test_relative_paths_are_those_of_the_driver(worker, tmp_path):
    from pathlib import Path

    assert Path.cwd() == tmp_path


def test_a_worker_with_other_source_does_nothing(tmp_path):
    failed = Worker(1, tmp_path / "nowhere", "another digest").do(1, (doubled, (3,)))
    assert isinstance(failed, Failed)
    assert "another state of weak2strong" in str(failed.error)


def test_news_come_when_a_training_goes_on_and_end_with_it(worker):
    training = Training()
    thread, answers = begin(worker, 1, training)
    training.may_go_on.release()
    assert worker.news(1, None) == Trained(1, 3)
    training.may_go_on.release(2)
    thread.join(10)
    assert worker.news(1, Trained(1, 3)) is None
    assert answers == [Answered("trained")]


def test_news_of_what_trains_nothing_are_none_after_a_while(worker, monkeypatch):
    monkeypatch.setattr(module, "WAIT", 0.01)
    assert worker.news(1, None) == Trained(0, 0)


def test_news_of_the_next_work_are_not_those_of_the_last(worker):
    training = Training()
    training.may_go_on.release(3)
    worker.do(1, (training, ()))
    training = Training()
    thread, _ = begin(worker, 2, training)
    training.may_go_on.release()
    assert worker.news(2, None) == Trained(1, 3)
    training.may_go_on.release(2)
    thread.join(10)


def test_a_training_that_is_asked_to_stop_stops_between_two_steps(worker):
    training = Training()
    thread, answers = begin(worker, 1, training)
    training.may_go_on.release()
    while training.done < 2:
        time.sleep(0.001)
    worker.ask_to_stop(CTRL_C)
    training.may_go_on.release()
    thread.join(10)
    assert answers == [Ended(None)]
    assert training.done == 2
    assert worker.do(2, (doubled, (3,))) == Ended(None)
