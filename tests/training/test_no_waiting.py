"""A step of a training reads no number of the device, so that the host may run ahead of it.

Tensors are faked here: they have shapes and no values, so that whoever reads one fails, which is
what would wait for a GPU.
"""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.models.language import load_language_model
from weak2strong.models.ranks import ALONE, clip_gradients
from weak2strong.training import record
from weak2strong.training.fit import _add_gradients, fit
from weak2strong.training.language import _Passages
from weak2strong.training.loss import seen_of_batch, shown_of_part
from weak2strong.training.memory import TokenBudget
from weak2strong.training.optimizer import optimizer_of
from weak2strong.training.passes import Whole
from weak2strong.training.record import Memory

ROWS = [list(range(5, 5 + length)) for length in (3, 9, 4, 7, 5)]
LOSSES = [
    CrossEntropy(),
    *(Confidence(threshold=t) for t in ("median", "soft-mean", "hard-share", "recent-32")),
]
SETTINGS = Training(learning_rate=1e-3, head_rate=1e-3)


def without_values(mode, network):
    """Put tensors without values in place of all of a network's."""
    for module in network.modules():
        for name, p in module.named_parameters(recurse=False):
            fake = nn.Parameter(mode.from_tensor(p.detach()), requires_grad=p.requires_grad)
            setattr(module, name, fake)
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, mode.from_tensor(buffer))


def step(model, add_gradients):
    """A step of the loop."""
    memory = Memory()
    optimizer = optimizer_of(model, [(model.network, 1e-3)], SETTINGS, seed=0)
    passed = add_gradients(np.array([4, 0, 2, 1, 3]), 0.5, memory.carried, TokenBudget(30))
    norm = clip_gradients(model.network, 1.0, ALONE)
    optimizer.step()
    memory.unread.append((passed.loss, norm))
    return memory


def test_a_step_of_a_head_and_its_trunk_reads_nothing(load):
    model, mode = load("llama"), FakeTensorMode(allow_non_fake_inputs=True)
    with mode:
        without_values(mode, model.network)
        texts, targets = Whole(model, ROWS), torch.rand(5, 2)
        memory = step(model, partial(_add_gradients, model, texts, targets, Confidence()))
        with pytest.raises(DataDependentOutputException):
            memory.unread[0][0].item()


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_losses_and_what_they_carry_on_read_nothing(loss):
    with FakeTensorMode():
        logits, targets, carried = torch.rand(5, 2, requires_grad=True), torch.rand(5, 2), []
        shown = None
        for _ in range(2 if loss.needs_batch else 0):
            shown, carried = seen_of_batch(loss, logits.detach(), targets, 0.5, carried)
        losses = loss.per_example(logits, targets, 0.5, shown_of_part(shown, torch.arange(5)))
        losses.sum().backward()


def test_a_step_of_a_language_model_reads_nothing(toy_models):
    model = load_language_model(ModelSpec(str(toy_models["llama"])))
    mode, counted = (
        FakeTensorMode(allow_non_fake_inputs=True),
        [[0, *[1] * len(r)][:-1] for r in ROWS],
    )
    with mode:
        without_values(mode, model.network)
        step(model, _Passages(model, ROWS, counted).add_gradients)


@pytest.mark.parametrize("every", [3, 10**9])
def test_losses_are_those_that_are_read_at_each_step(load, soft_lesson, monkeypatch, every):
    """Also where an evaluation, a checkpoint or the end comes before it is time to read."""
    loss, found = Confidence(threshold="recent-32"), []
    for at_once in (True, False):
        monkeypatch.setattr(record, "READ_EVERY", every)
        monkeypatch.setattr(record, "reads_at_once", lambda device, at_once=at_once: at_once)
        found.append(fit(load(), soft_lesson(14), loss, SETTINGS, seed=1))
    assert found[0] == found[1]
    assert len(found[0].curve.losses) == len(found[0].curve.norms) == found[0].steps
