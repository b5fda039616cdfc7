"""Plain attention is what the definition says, and takes the place of the fused one by a rule."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from weak2strong.config.model import ModelSpec
from weak2strong.models import attention as module
from weak2strong.models.attention import NAME, attention
from weak2strong.models.load import load_model


class Layer:
    is_causal = True


def literal(query, key, value, allowed):
    """Attention by loops, in float64; query head h reads key head h // shared."""
    b, heads, t, d = query.shape
    shared = heads // key.shape[1]
    query, key, value = (x.double() for x in (query, key, value))
    result = torch.zeros(b, t, heads, d, dtype=torch.float64)
    for n in range(b):
        for h in range(heads):
            for i in range(t):
                seen = [j for j in range(t) if allowed[n, i, j]]
                scores = torch.stack(
                    [query[n, h, i] @ key[n, h // shared, j] / d**0.5 for j in seen]
                )
                for weight, j in zip(scores.softmax(0), seen, strict=True):
                    result[n, i, h] += weight * value[n, h // shared, j]
    return result


def states(heads, t=5, d=8):
    draws = torch.Generator().manual_seed(heads)
    return torch.randn(2, heads, t, d, generator=draws).bfloat16().requires_grad_()


CAUSAL = torch.ones(2, 5, 5, dtype=torch.bool).tril()
PADDED = CAUSAL & torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool()[:, None]
EVERYTHING = torch.ones_like(CAUSAL)


@pytest.mark.parametrize(
    ("allowed", "given"),
    [
        (CAUSAL, {"attention_mask": None}),
        (PADDED, {"attention_mask": PADDED[:, None]}),
        (PADDED, {"attention_mask": torch.where(PADDED, 0.0, -1e30)[:, None].bfloat16()}),
        (EVERYTHING, {"attention_mask": None, "is_causal": False}),
    ],
)
@pytest.mark.parametrize("groups", [4, 2])
def test_it_is_what_a_loop_computes(allowed, given, groups, monkeypatch):
    # The fused one must have no part in it.
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", None)
    query, key, value = states(4), states(groups), states(groups) / 2
    found, _ = attention(Layer, query, key, value, **given)
    torch.testing.assert_close(
        found.double(), literal(query, key, value, allowed), rtol=0.02, atol=0.02
    )


def test_gradients_are_those_of_the_fused_one_in_float32():
    plain, fused = ([states(h) for h in (4, 3, 2)] for _ in range(2))
    for (query, key, value), run in (
        (plain, lambda *x: attention(Layer, *x, PADDED[:, None])[0].float()),
        (
            fused,
            lambda *x: scaled_dot_product_attention(
                *(one.float() for one in x), attn_mask=PADDED[:, None]
            ).transpose(1, 2),
        ),
    ):
        heads = [x[:, :1].expand(2, 4, 5, 8) for x in (key, value)]
        run(query, *heads).sin().sum().backward()
    for one, other in zip(plain, fused, strict=True):
        torch.testing.assert_close(one.grad.float(), other.grad.float(), rtol=0.03, atol=0.03)
        assert one.grad.abs().max() > 0.1


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_only_what_leaves_gradients_in_bfloat16_passes_it(toy_models, name, monkeypatch):
    """Answers, long texts and float32 pass PyTorch's own."""
    fused = []
    monkeypatch.setattr(
        torch.nn.functional,
        "scaled_dot_product_attention",
        lambda *x, **options: fused.append(1) or scaled_dot_product_attention(*x, **options),
    )

    def passes(model, grad=True):
        fused.clear()
        with torch.set_grad_enabled(grad), model.autocast():
            model.network(*model.batch([[5, 6, 7], [8, 9, 10, 11, 12]]))
        return len(fused)

    def load(**options):
        return load_model(ModelSpec(str(toy_models[name]), **options), "classification", 2, 0)

    model = load(precision="bfloat16")
    layers = model.network.trunk.config.num_hidden_layers
    assert passes(model) == 0
    assert passes(model, grad=False) == layers
    assert passes(load(precision="float32")) == layers
    assert passes(load(precision="bfloat16", adaptation="head")) == layers
    assert passes(load(precision="bfloat16", adaptation="lora")) == 0
    assert passes(load(precision="bfloat16", packing="on")) == 0
    monkeypatch.setattr(module, "LONGEST", 4)
    assert passes(model) == layers
    # Whoever reads a model that was trained and saved finds nothing of it.
    assert NAME not in str(model.network.trunk.config.to_dict())
