"""A model that several processes hold together learns what one process learns."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from weak2strong.ground.errors import UserError
from weak2strong.ground.processes import starting
from weak2strong.ground.stops import Stopped
from weak2strong.models.devices import FAKE
from weak2strong.models.gpus import Gpus, fits_on, gpus_for, gpus_per_fit
from weak2strong.models.needs import count as parameters
from weak2strong.models.needs import skeleton
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.protocol.runtime import Runtime
from weak2strong.training.together import Job, together

sys.path.insert(0, str(Path(__file__).parent))
import in_ranks
from in_ranks import Case, finetuned

LOSSES = {True: 1e-9, False: 1e-6}
"""How far losses may be off, by whether the numbers are float64."""

WEIGHTS = {True: 1e-9, False: 1e-5}


def nothing(done, total):
    """Nobody listens."""


def stopping_at(last):
    def on_step(done, total):
        if done == last:
            raise Stopped

    return on_step


def alike(found, expected, double):
    """That two finetunings are the same one, up to rounding."""
    (fit, weights, answers, written), (of_one, its, right, said) = found, expected
    assert fit.steps == of_one.steps
    assert fit.kept == of_one.kept
    for name in ("losses", "norms"):
        ours, theirs = (np.array(getattr(f.curve, name)) for f in (fit, of_one))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=LOSSES[double] * max(1, theirs.max()))
    assert weights.keys() == its.keys()
    for name in its:
        np.testing.assert_allclose(weights[name], its[name], rtol=0, atol=WEIGHTS[double])
    np.testing.assert_allclose(answers, right, rtol=0, atol=WEIGHTS[double])
    assert written == said


def by_one(cases):
    return finetuned(cases, on_step=nothing, ranks=ALONE, token_budget=None)


def test_two_processes_learn_what_one_does_and_one_goes_on_where_they_stopped(
    toy_models, tmp_path, monkeypatch
):
    """By a loss that sees the whole batch, with the weights of an evaluation.

    The processes are copies of one that has the libraries; slow tests have such as begin empty.
    """
    copies = SimpleNamespace(get_context=lambda how: starting(loaded=True))
    monkeypatch.setattr("weak2strong.training.together.multiprocessing", copies)
    kept = Case(
        str(toy_models["llama"]),
        loss="confidence",
        stopping="weak-validation",
        checkpoint=tmp_path / "c.safetensors",
    )
    (expected,) = by_one([replace(kept, checkpoint=None)])
    with pytest.raises(Stopped):
        together(Job(finetuned, ([kept],)), 2, stopping_at(7))
    shards = sorted(file.name for file in tmp_path.glob("c-*.safetensors"))
    assert [name[-len("1-of-2.safetensors") :] for name in shards] == [
        "1-of-2.safetensors",
        "2-of-2.safetensors",
    ]
    heard = []
    (again,) = finetuned(
        [kept], on_step=lambda done, of: heard.append(done), ranks=ALONE, token_budget=None
    )
    assert 7 < heard[0] < 10, "who is asked to stop may do a step meanwhile"
    assert heard == [*range(heard[0], expected[0].steps + 1)]
    alike(again, expected, double=True)


CASES = [
    *product(
        ("classification", "preference"), ("full", "lora", "head"), ("cross-entropy", "confidence")
    ),
    *product(("generation",), ("full", "lora"), ("cross-entropy",)),
]


@pytest.mark.slow
@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_learn_what_one_does(toy_models, count, double):
    cases = [
        Case(str(toy_models["llama"]), *case, double=double, stopping=stopping)
        for case, stopping in zip(CASES, ("none", "weak-validation") * len(CASES), strict=False)
    ]
    # Two of one model also where texts are packed.
    cases += [replace(case, packing="on") for case in (cases[1], cases[-2])]
    every = zip(together(Job(finetuned, (cases,)), count, nothing), by_one(cases), strict=True)
    for found, expected in every:
        alike(found, expected, double)


@pytest.mark.slow
@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_a_checkpoint_of_two_goes_on_with_one_and_with_three(toy_models, tmp_path, adaptation):
    case = Case(str(toy_models["llama"]), adaptation=adaptation, loss="confidence")
    (expected,) = by_one([case])
    for count in (1, 3):
        kept = replace(case, checkpoint=tmp_path / f"{count}" / "c.safetensors")
        kept.checkpoint.parent.mkdir()
        with pytest.raises(Stopped):
            together(Job(finetuned, ([kept],)), 2, stopping_at(4))
        heard = []
        job = Job(finetuned, ([kept],))
        (again,) = together(job, count, lambda done, of, heard=heard: heard.append(done))
        assert 4 < heard[0] < 8
        assert heard == [*range(heard[0], expected[0].steps + 1)]
        alike(again, expected, double=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_other_families_are_cut_as_well(toy_models, name):
    cases = [
        Case(str(toy_models[name]), adaptation=adaptation, loss="confidence")
        for adaptation in ("full", "lora")
    ]
    for found, expected in zip(
        together(Job(finetuned, (cases,)), 3, nothing), by_one(cases), strict=True
    ):
        for of in (found, expected):
            # Nothing reads the pooler of BERT, and no file has it.
            for unread in [name for name in of[1] if "pooler" in name]:
                del of[1][unread]
        alike(found, expected, double=True)


@pytest.mark.slow
def test_torchrun_starts_the_same_processes(toy_models, tmp_path):
    out, (expected,) = tmp_path / "losses.json", by_one([Case(str(toy_models["llama"]))])
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    subprocess.run(
        [*command, "2", in_ranks.__file__, str(toy_models["llama"]), str(out)], check=True
    )
    found = json.loads(out.read_text())
    np.testing.assert_allclose(found, expected[0].curve.losses, rtol=0, atol=LOSSES[True])


@pytest.mark.slow
def test_where_memory_runs_out_all_begin_again_with_half_the_tokens():
    assert together(Job(in_ranks.too_large, (100,)), 2, nothing) == 64


@pytest.mark.slow
def test_who_is_killed_once_is_forgiven_and_twice_is_told(tmp_path):
    assert together(Job(in_ranks.dying, (tmp_path / "mark",)), 2, nothing) == "alive"
    with pytest.raises(UserError, match="ended by the system twice"):
        together(Job(in_ranks.dying, (tmp_path / "none" / "mark",)), 2, nothing)


@pytest.mark.slow
def test_the_error_of_one_process_is_told_and_not_that_of_those_who_wait_for_it():
    with pytest.raises(KeyError, match="of the last"):
        together(Job(in_ranks.failing, ()), 2, nothing)


def test_every_position_is_in_one_hand_and_hands_are_alike():
    costs = [int(c) for c in np.random.default_rng(0).integers(1, 100, 50)]
    hands = Ranks(0, 3).hands(costs)
    assert sorted(position for hand in hands for position in hand) == list(range(50))
    sums = [sum(costs[i] for i in hand) for hand in hands]
    assert max(sums) - min(sums) < max(costs)
    assert ALONE.hands(costs) == [list(range(50))]


@pytest.mark.parametrize("groups", range(6))
def test_all_ranks_pass_equally_often(groups):
    given = [[n] for n in range(groups)]
    dealt = [list(Ranks(rank, 3).deal(given)) for rank in range(3)]
    assert len({len(of_rank) for of_rank in dealt}) == 1
    assert sorted(group[0] for of_rank in dealt for group in of_rank if group) == [*range(groups)]
    assert list(ALONE.deal(given)) == given


@pytest.mark.parametrize(
    ("gibibytes", "there", "expected"),
    [(10, 8, 1), (60, 8, 1), (100, 8, 2), (500, 8, 8), (900, 8, 8)],
)
def test_a_model_is_on_one_gpu_where_it_fits_and_else_on_as_many_as_it_needs(
    gibibytes, there, expected
):
    """On GPUs of which a training may fill 80 GiB; a fifth is left for activations."""
    assert gpus_for(gibibytes * 2**30, 80 * 2**30, there) == expected


def test_gpus_elsewhere_say_on_how_many_a_fit_is(toy_models, monkeypatch):
    """As a driver without a GPU asks, and as a worker does that has the GPUs."""
    spec = in_ranks.ModelSpec(str(toy_models["llama"]), adaptation="full")
    resting = 16 * parameters(skeleton(spec))
    frozen = replace(spec, adaptation="head")
    # A training takes two and a half of them; weights alone need one.
    memory = int(resting / 0.68 / 2.5)
    with fits_on(Gpus(8, memory, "float32")):
        assert [gpus_per_fit(s) for s in (spec, frozen)] == [3, 1]
        assert gpus_per_fit(replace(spec, gpus_per_fit=5)) == 5
    for elsewhere in (Gpus(1, memory, "float32"), Gpus(8, 0, "float32"), None):
        with fits_on(elsewhere):
            assert gpus_per_fit(spec) == 1
    monkeypatch.setenv(FAKE, f"cuda:8:{memory}")
    assert [gpus_per_fit(s) for s in (spec, frozen)] == [3, 1]
    monkeypatch.setenv(FAKE, f"cuda:2:{memory}")
    assert gpus_per_fit(spec) == 2
    (runtime,) = Runtime.of_machine(threads=1)
    assert runtime.memory == memory
    # It is in no key, and makes no other place of it.
    assert runtime == replace(runtime, memory=0)


def test_without_gpus_auto_is_one_process_and_a_number_is_that_number(toy_models):
    assert not torch.cuda.is_available()
    spec = in_ranks.ModelSpec(str(toy_models["llama"]))
    assert gpus_per_fit(spec) == 1
    assert gpus_per_fit(replace(spec, gpus_per_fit=3)) == 3
