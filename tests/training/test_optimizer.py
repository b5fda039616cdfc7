"""AdamW in less memory: against PyTorch's own, and what it promises of rounding and of memory."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModel

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.ground.stops import Stopped
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.models.guess import guess
from weak2strong.models.needs import resting_bytes, training_bytes
from weak2strong.models.ranks import ALONE, Ranks, clip_gradients
from weak2strong.models.weights import read_weights
from weak2strong.training import optimizer
from weak2strong.training.fit import fit
from weak2strong.training.optimizer import BLOCK, SmallAdamW, _levels, optimizer_of
from weak2strong.training.predict import predict

BETAS = (0.9, 0.95)
LESS = {"adaptation": "full", "trained_weights": "bfloat16", "optimizer_states": "8-bit"}


def steps(make, dtype=torch.float32, number=30):
    """Weights after some steps by random gradients of very different sizes."""
    torch.manual_seed(0)
    params = [nn.Parameter(torch.randn(60, 100).to(dtype)), nn.Parameter(torch.randn(50).to(dtype))]
    sizes = [torch.logspace(-4, 0, p.numel()).view_as(p) for p in params]
    groups = [
        {"params": params[:1], "lr": 1e-2, "weight_decay": 0.1},
        {"params": params[1:], "lr": 1e-2, "weight_decay": 0.0},
    ]
    done = make(groups)
    for _ in range(number):
        for p, size in zip(params, sizes, strict=True):
            p.grad = ((torch.randn(p.shape) + 0.3) * size).to(dtype)
        done.step()
    return torch.cat([p.detach().float().flatten() for p in params])


def of_torch(groups):
    return torch.optim.AdamW(groups, betas=BETAS)


def by_8_bits(groups):
    return SmallAdamW(groups, BETAS, True, 0)


def test_with_moments_of_float32_it_is_pytorchs(monkeypatch):
    monkeypatch.setattr(optimizer, "CHUNK", {"cpu": 4 * BLOCK})
    found = steps(lambda groups: SmallAdamW(groups, BETAS, False, 0))
    torch.testing.assert_close(found, steps(of_torch), rtol=0, atol=1e-6)


def test_moments_of_8_bits_move_weights_nearly_as_far(monkeypatch):
    expected, begin = steps(of_torch), steps(of_torch, number=0)
    found = steps(by_8_bits)
    moved = (expected - begin).abs()
    assert moved.median() > 0.05
    assert ((found - expected).abs() / moved.mean()).mean() < 0.02
    assert (found - expected).abs().max() < 0.3 * moved.mean()
    # Small tensors have float32 moments.
    torch.testing.assert_close(found[6000:], expected[6000:], rtol=0, atol=1e-6)
    monkeypatch.setattr(optimizer, "CHUNK", {"cpu": 4 * BLOCK})
    assert steps(by_8_bits).equal(found)


@pytest.mark.parametrize("signed", [True, False])
def test_the_nearest_of_256_levels_is_kept(signed):
    levels = _levels(signed, "cpu")
    assert len(levels) == 256 == len(levels.unique())
    assert {0.0, 1.0} <= {*levels.tolist()}
    assert (levels.min() < -0.99) == signed
    name = "mean" if signed else "root"
    values = torch.randn(1000) * torch.logspace(-6, 1, 1000)
    values = values if signed else values.abs()
    state = optimizer._nothing(name, values, small=True)
    assert optimizer._read(name, state, slice(0, 1000)).count_nonzero() == 0
    optimizer._write(name, values, state, slice(0, 1000))
    found = optimizer._read(name, state, slice(0, 1000))
    for block, kept in zip(values.split(BLOCK), found.split(BLOCK), strict=True):
        scale = block.abs().max()
        nearest = (block[:, None] / scale - levels[None, :]).abs().min(dim=1).values * scale
        torch.testing.assert_close((block - kept).abs(), nearest, rtol=1e-3, atol=1e-7)


def test_rounding_at_random_keeps_the_mean_and_what_is_exact():
    draws = torch.Generator().manual_seed(0)
    exact = torch.tensor([0.0, -1.5, 2**-130, 3e38, torch.inf, -torch.inf]).bfloat16().float()
    assert optimizer.rounded_at_random(exact, draws).float().equal(exact)
    assert optimizer.rounded_at_random(torch.tensor([torch.nan]), draws).isnan().all()
    for value in (1.001, -0.3001, 7e-5):
        values = torch.full((100_000,), value)
        found = optimizer.rounded_at_random(values, draws)
        assert found.dtype == torch.bfloat16
        assert len(found.unique()) == 2
        gap = (found.max() - found.min()).float()
        assert (found.float().mean() - value).abs() < 0.01 * gap


def test_steps_below_the_last_digit_of_bfloat16_add_up():
    p = nn.Parameter(torch.ones(1000, dtype=torch.bfloat16))
    done = SmallAdamW([{"params": [p], "lr": 1e-4, "weight_decay": 0.0}], BETAS, False, 0)
    for _ in range(100):
        p.grad = torch.ones_like(p)
        done.step()
    assert p.float().mean().item() == pytest.approx(1 - 100 * 1e-4, abs=1e-3)
    assert (p.detach() - 1e-4 == p).all(), "to the nearest, none of the steps would be left"


def test_a_model_in_less_memory_learns_and_goes_on_to_the_same_bits(load, lesson, tmp_path):
    train, asked = lesson(64), lesson(40, seed=1)
    training = Training(learning_rate=1e-2, head_rate=1e-2, epochs=4, batch_size=8)
    found = []
    for stop in (None, 13):
        options = {"checkpoint": tmp_path / f"{stop}.safetensors"}

        def on_step(done, total, stop=stop):
            if done == stop:
                raise Stopped

        model = load(**LESS)
        assert {p.dtype for p in model.network.trunk.parameters()} == {torch.bfloat16}
        assert model.network.head.weight.dtype == torch.float32
        if stop:
            with pytest.raises(Stopped):
                fit(model, train, CrossEntropy(), training, 0, on_step=on_step, **options)
            model = load(**LESS)
        done = fit(model, train, CrossEntropy(), training, 0, **options)
        found.append((model.network.state_dict(), done))
        answers = predict(model, asked.items).probabilities
        assert (answers.argmax(1) == asked.targets.argmax(1)).mean() > 0.9
    assert found[0][1] == found[1][1]
    assert all(torch.equal(value, found[1][0][name]) for name, value in found[0][0].items())


@pytest.mark.parametrize(
    "settings", [{"adaptation": "full"}, LESS, LESS | {"trained_weights": "float32"}]
)
def test_memory_is_what_is_told(load, settings):
    model = load(**settings)
    network = model.network
    done = optimizer_of(model, [(network, 1e-3)], Training(), seed=0)
    network(torch.arange(3, 9)[None], torch.ones(1, 6).long()).sum().backward()
    trained = list(network.parameters())
    for p in trained:
        p.grad = torch.zeros_like(p) if p.grad is None else p.grad
    done.step()
    tensors = [*trained, *(p.grad for p in trained)]
    tensors += [t for p in trained for t in done.state[p].values() if t.ndim]
    taken = sum(t.nbytes for t in tensors)
    told = training_bytes(network, model.optimizer_states)
    assert taken == pytest.approx(told, rel=0.01)


def test_three_billion_parameters_are_trained_in_80_gigabytes():
    billions = 3_200_000_000
    assert resting_bytes("full", billions) == 16 * billions
    less = resting_bytes("full", billions, weights="bfloat16", states="8-bit")
    assert less == pytest.approx(6.03 * billions, rel=0.001)
    assert resting_bytes("full", billions, weights="bfloat16") == 12 * billions
    spec = ModelSpec("meta-llama/Llama-3.2-3B", **LESS)
    told, usual = (
        guess(s, torch.device("cpu")).resting
        for s in (spec, replace(spec, trained_weights="float32", optimizer_states="float32"))
    )
    assert told is None or told < 0.4 * usual


def test_the_norm_of_gradients_of_bfloat16_is_of_float32():
    layer = nn.Linear(300, 200, dtype=torch.bfloat16)
    torch.manual_seed(0)
    for p in layer.parameters():
        p.grad = torch.randn(p.shape).bfloat16()
    exact = np.sqrt(sum((p.grad.double() ** 2).sum().item() for p in layer.parameters()))
    assert clip_gradients(layer, 1.0, ALONE).item() == pytest.approx(exact, rel=1e-5)
    clipped = np.sqrt(sum((p.grad.double() ** 2).sum().item() for p in layer.parameters()))
    assert clipped == pytest.approx(1, rel=0.01)


def test_what_cannot_be_is_a_sentence(toy_models):
    with pytest.raises(UserError, match="leave precision at auto"):
        ModelSpec("atlas-s", precision="float32", **LESS)
    for settings in (LESS, {"adaptation": "full", "optimizer_states": "8-bit"}):
        spec = ModelSpec(str(toy_models["llama"]), **settings)
        with pytest.raises(UserError, match="for fits on one GPU"):
            read_weights(spec, AutoModel, torch.device("cpu"), Ranks(0, 2))


def test_only_what_is_used_is_in_keys():
    assert ModelSpec("atlas-s").settings == ModelSpec("atlas-s", trained_weights="float32").settings
    whole = ModelSpec("atlas-s", adaptation="full")
    for name, value in LESS.items():
        assert name == "adaptation" or replace(whole, **{name: value}).settings != whole.settings
    lora = ModelSpec("atlas-s", adaptation="lora")
    assert replace(lora, trained_weights="bfloat16").settings == lora.settings
