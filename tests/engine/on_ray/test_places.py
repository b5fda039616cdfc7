"""What a worker takes, and how many have room, on clusters that are only told of."""

import pytest

from weak2strong.engine.on_ray.places import Needs, Node
from weak2strong.ground.errors import UserError


def node(name="a", **has):
    return Node(f"{name}00000000", name, {"CPU": 8.0, "memory": 64e9, **has})


def needs(*nodes, tiny=False, workers_per_gpu=1, **wanted):
    return Needs.of(nodes, tiny, wanted, workers_per_gpu)


def places(needs, *nodes):
    return [place for node in nodes for place in needs.places_on(node)]


def test_tiny_models_take_a_processor_each():
    of = needs(node(), node("b", CPU=2.0), tiny=True)
    assert (of.amounts, of.threads) == ({"CPU": 1}, 1)
    assert len(places(of, node(), node("b", CPU=2.0))) == 10


def test_other_models_take_a_node_of_the_least_size():
    # All have the same number of threads, which is in the keys of what a CPU computes.
    nodes = node(), node("b", CPU=4.0)
    of = needs(*nodes)
    assert (of.amounts, of.threads) == ({"CPU": 4.0}, 4)
    assert [place.name for place in places(of, *nodes)] == [
        "a a00000, worker 0",
        "a a00000, worker 1",
        "b b00000, worker 0",
    ]


def test_gpus_share_the_processors_of_their_node():
    nodes = node(GPU=4.0), node("b", CPU=2.0)
    of = needs(*nodes)
    assert (of.amounts, of.threads) == ({"GPU": 1.0, "CPU": 2.0}, 2)
    found = places(of, *nodes)
    assert [place.device for place in found] == ["cuda"] * 4
    # Each has the memory of its GPU for itself.
    assert len({place.memory for place in found}) == 4


def test_workers_that_share_a_gpu_have_as_many_threads_as_one():
    nodes = (node(GPU=2.0),)
    of = needs(*nodes, workers_per_gpu=3)
    assert of.amounts == {"GPU": pytest.approx(1 / 3), "CPU": 1.0}
    assert of.threads == needs(*nodes).threads == 4
    found = places(of, *nodes)
    assert len(found) == 6
    assert len({place.memory for place in found}) == 1


def test_a_user_says_what_a_worker_takes():
    nodes = node(GPU=2.0, big=1.0), node("b", GPU=2.0)
    of = needs(*nodes, GPU=0.5, CPU=2.0, memory=8e9, big=1.0)
    assert of.options == {
        "num_cpus": 2.0,
        "num_gpus": 0.5,
        "memory": 8e9,
        "resources": {"big": 1.0},
    }
    assert len(places(of, *nodes)) == 1
    assert needs(*nodes, tiny=True, GPU=0.0).options["num_gpus"] == 0
    assert len(places(needs(*nodes, tiny=True, GPU=0.0), *nodes)) == 16


def test_a_cluster_without_room_for_a_worker_is_refused():
    nodes = node(), node("b")
    with pytest.raises(UserError, match=r"None of the 2 nodes .* \(big 1, CPU 1\)"):
        needs(*nodes, tiny=True, big=1.0).check(nodes)
    needs(*nodes, tiny=True).check(nodes)


def test_a_worker_may_have_the_gpus_of_the_largest_node_or_as_many_as_the_user_says():
    nodes = node(GPU=2.0), node("b", GPU=4.0, big=1.0), node("c", GPU=8.0, CPU=0.0)
    assert needs(*nodes, CPU=1.0).most_gpus(nodes, {}) == 4
    assert needs(*nodes, CPU=1.0, GPU=3.0).most_gpus(nodes, {"GPU": 3.0}) == 3
    assert needs(node()).most_gpus([node()], {}) == 0


def test_shares_that_fill_a_gpu_fill_it():
    assert node(GPU=1.0).room_for({"GPU": 1 / 3}) == 3
    assert node(GPU=1.0).room_for({"GPU": 0.1}) == 10
