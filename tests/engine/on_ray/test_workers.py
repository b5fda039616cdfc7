"""Workers of a cluster as the driver has them, on a Ray that only does as it is told."""

from functools import partial
from types import SimpleNamespace

import pytest

from weak2strong.engine.on_ray import workers as module
from weak2strong.engine.on_ray.places import Needs
from weak2strong.engine.on_ray.workers import RayWorkers
from weak2strong.engine.workers import Answered, Ended, Failed, Trained
from weak2strong.ground.errors import UserError


class RayError(Exception):
    pass


class RayTaskError(RayError):
    pass


class UnschedulableError(RayError):
    pass


class Ray:
    """Two nodes of one processor each; calls to actors answer when the test says what."""

    exceptions = SimpleNamespace(
        RayError=RayError, RayTaskError=RayTaskError, ActorUnschedulableError=UnschedulableError
    )
    util = SimpleNamespace(
        scheduling_strategies=SimpleNamespace(
            NodeAffinitySchedulingStrategy=lambda node, soft: node
        )
    )

    def __init__(self):
        self.alive, self.answers, self.killed, self.calls = ["a", "b"], {}, [], []

    def nodes(self):
        return [
            {"NodeID": n, "NodeManagerHostname": n, "Resources": {"CPU": 1.0}, "Alive": True}
            for n in self.alive
        ]

    def method(self, **groups):
        return lambda function: function

    def remote(self, **options):
        return lambda kind: SimpleNamespace(options=self._options)

    def _options(self, scheduling_strategy, **options):
        return SimpleNamespace(remote=lambda *arguments: Actor(self, scheduling_strategy))

    def kill(self, actor):
        self.killed.append(actor.node)

    def wait(self, refs, num_returns=1, timeout=None, fetch_local=True):
        ready = [ref for ref in refs if ref in self.answers]
        return ready[:num_returns], [ref for ref in refs if ref not in ready]

    def get(self, ref):
        answer = self.answers[ref]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Actor:
    """A handle; a call of it is named by its node, the method, and the number of the work."""

    def __init__(self, ray, node):
        self.ray, self.node = ray, node

    def __getattr__(self, method):
        return SimpleNamespace(remote=partial(self._call, method))

    def _call(self, method, number, *others):
        self.ray.calls.append((self.node, method, number))
        return self.node, method, number


@pytest.fixture
def ray():
    return Ray()


@pytest.fixture
def workers(ray, monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0.0)
    workers = RayWorkers(ray, Needs({"CPU": 1}, 1))
    workers.joined()
    return workers


@pytest.fixture
def names(workers):
    return [place.name for place in workers.places]


def test_news_come_before_the_end_of_the_step_and_never_after_it(ray, workers, names):
    one, _ = names
    workers.give(one, "work")
    assert workers.heard(timeout=0) == []
    assert ("a", "news", 1) in ray.calls
    ray.answers = {("a", "do", 1): Answered("result"), ("a", "news", 1): Trained(1, 2)}
    assert workers.heard() == [(one, Trained(1, 2)), (one, Answered("result"))]
    # The news that were asked for then tell of a step that is over.
    workers.give(one, "other work")
    del ray.answers["a", "do", 1]
    assert workers.heard(timeout=0) == []


def test_a_worker_that_dies_is_replaced_and_one_of_a_node_that_is_gone_is_not(ray, workers, names):
    one, two = names
    workers.give(one, "work")
    workers.give(two, "work")
    ray.answers = {("a", "do", 1): RayError("died"), ("b", "do", 1): UnschedulableError("gone")}
    ended = dict(workers.heard())
    assert not ended[one].gone
    assert ended[two].gone
    assert ray.killed == ["a", "b"]
    assert [place.name for place in workers.places] == [one]
    ray.answers = {}
    workers.give(one, "work")
    assert ray.calls[-1] == ("a", "do", 1)


def test_a_node_that_ray_lists_no_more_is_gone(ray, workers, names):
    workers.give(names[0], "work")
    ray.alive = ["b"]
    ray.answers = {("a", "do", 1): RayError("died")}
    assert workers.heard() == [(names[0], Ended(None, "its node a a is gone", gone=True))]


def test_an_error_of_what_was_sent_is_told_to_the_user(ray, workers, names):
    workers.give(names[0], "work")
    ray.answers = {("a", "do", 1): RayTaskError("No module named 'weak2strong'\n")}
    [(_, failed)] = workers.heard()
    assert isinstance(failed, Failed)
    assert "No module named 'weak2strong'): install weak2strong there" in str(failed.error)


def test_another_node_is_asked_where_the_first_one_has_just_died(ray, workers):
    ray.answers = {("a", "do", 0): RayError("died"), ("b", "do", 0): Answered(("runtime",))}
    assert workers.runtimes() == ("runtime",)
    ray.answers = {("a", "do", 0): RayError("died"), ("b", "do", 0): RayError("died")}
    with pytest.raises(UserError, match="Every worker that begins"):
        workers.runtimes()


def test_a_node_that_joins_brings_its_places_once(ray, workers, names, monkeypatch):
    monkeypatch.setattr(module, "NODES", 0.0)
    ray.alive = ["a", "b", "c"]
    assert [place.memory for place in workers.joined()] == ["c"]
    assert workers.joined() == []
    assert len(workers.places) == 3


def test_a_cluster_without_nodes_is_waited_for_until_patience_ends(ray, workers, monkeypatch):
    assert not workers.awaits_places()
    monkeypatch.setattr(module, "NODES", 0.0)
    ray.alive = []
    workers.joined()
    assert workers.awaits_places()
    monkeypatch.setattr(module, "PATIENCE", -1.0)
    with pytest.raises(UserError, match="add one, and run the same command again"):
        workers.awaits_places()
