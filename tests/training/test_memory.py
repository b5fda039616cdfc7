"""How much fits is measured, and running out of memory costs a repeated step, not the run."""

import pytest
import torch

from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.models.batches import encode
from weak2strong.models.needs import SPARE, activation_bytes, training_bytes
from weak2strong.training import memory
from weak2strong.training.fit import fit
from weak2strong.training.memory import find_token_budget

SETTINGS = {"learning_rate": 3e-3, "head_rate": 3e-3, "epochs": 2, "batch_size": 7}
SHORT = Training(**SETTINGS, stopping="none", evaluations=3)


def test_training_bytes_are_those_of_a_training(load, lesson):
    for adaptation in ("full", "lora", "head"):
        model = load("llama", adaptation=adaptation)
        network = model.network
        optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad])
        for p in network.parameters():
            if p.requires_grad:
                p.grad = torch.zeros_like(p)
        optimizer.step()
        held = [*network.parameters(), *(p.grad for p in network.parameters() if p.requires_grad)]
        for state in optimizer.state.values():
            held += [state["exp_avg"], state["exp_avg_sq"]]
        assert training_bytes(network) == sum(t.nbytes for t in held)


def rows(model, lesson):
    return encode(model.tokenizer, [i.text for i in lesson(20).items])


def with_memory(monkeypatch, model, activations):
    """A device whose memory leaves room for so many bytes of activations."""
    total = training_bytes(model.network) + activations
    monkeypatch.setattr(memory, "usable_bytes", lambda device: total)


def test_more_memory_is_more_room_up_to_what_is_useful(load, lesson, monkeypatch):
    model, found = load("llama"), []
    texts = rows(model, lesson)
    longest = max(map(len, texts))
    one = activation_bytes(model.network, longest)
    for times in (2, 8, 10**9):
        with_memory(monkeypatch, model, times * SPARE * one)
        budget = find_token_budget(model, texts)
        assert not budget.checkpointing
        assert budget.tokens.bit_count() == 1
        assert times * longest / 2 < budget.tokens <= times * longest or times > 8
        found.append(budget.tokens)
    assert found[0] < found[1] < found[2] == memory.MOST


def test_where_one_text_does_not_fit_activations_are_computed_twice(load, lesson, monkeypatch):
    model = load("llama")
    texts = rows(model, lesson)
    longest = max(map(len, texts))
    one = activation_bytes(model.network, longest)
    with_memory(monkeypatch, model, 0.8 * SPARE * one)
    assert find_token_budget(load("llama", checkpointing="off"), texts).checkpointing is False
    assert find_token_budget(model, texts).checkpointing is True
    assert activation_bytes(model.network, longest) < 0.6 * one


def test_a_model_that_cannot_fit_is_a_sentence(load, lesson, monkeypatch):
    model = load("llama")
    monkeypatch.setattr(memory, "usable_bytes", lambda device: training_bytes(model.network))
    with pytest.raises(UserError, match=r"GiB with gradients and optimiser.*by LoRA"):
        fit(model, lesson(20), CrossEntropy(), SHORT, 0)


def crowded(model, limit, error):
    """Make passes with gradients of more than so many tokens fail."""
    seen = []

    def refuse(_, inputs):
        if torch.is_grad_enabled() and inputs[0].numel() > limit:
            raise error
        seen.append(inputs[0].numel())

    model.network.register_forward_pre_hook(refuse)
    return seen


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
]


@pytest.mark.parametrize("error", ERRORS, ids=["cuda", "cpu"])
@pytest.mark.parametrize(
    "loss",
    [CrossEntropy(), Confidence(), Confidence(threshold="recent-32", warmup=0)],
    ids=["ce", "confidence", "recent"],
)
def test_a_step_without_memory_is_repeated_with_half_the_tokens(load, lesson, loss, error):
    found, rooms = [], []
    for limit in (10**9, 40):
        model = load(double=True)
        seen = crowded(model, limit, error)
        done = fit(model, lesson(20), loss, SHORT, 0, token_budget=8192)
        found.append([p.detach() for p in model.network.parameters()])
        rooms.append(done.budget)
        assert max(seen) <= limit or loss.needs_batch
    assert rooms[0] == 8192
    assert 1 < rooms[1] <= 64
    assert max((a - b).abs().max().item() for a, b in zip(*found, strict=True)) < 1e-9


def test_other_errors_are_not_taken_for_it(load, lesson):
    model = load()
    crowded(model, 0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        fit(model, lesson(20), CrossEntropy(), SHORT, 0, token_budget=64)


def test_memory_that_is_short_while_it_is_measured_is_a_sentence_too(load, lesson):
    model = load()
    crowded(model, 0, ERRORS[0])
    with pytest.raises(UserError, match="ran out of memory with one text at a time"):
        fit(model, lesson(20), CrossEntropy(), SHORT, 0)


def test_the_last_resorts_are_computing_twice_and_a_sentence(load, lesson):
    model = load()
    crowded(model, 0, ERRORS[0])
    with pytest.raises(UserError, match="ran out of memory with one text at a time"):
        fit(model, lesson(20), CrossEntropy(), SHORT, 0, token_budget=64)
    # Every layer was made to compute twice on the way.
    model.network._forward_pre_hooks.clear()
    assert activation_bytes(model.network, 30) < 0.6 * activation_bytes(load().network, 30)
