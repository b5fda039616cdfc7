"""A packed pass equals the padded one: for every type of model that is packed, to rounding."""

import pytest
import torch
from transformers import AutoConfig, AutoModel

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models import packing
from weak2strong.models.batches import pad
from weak2strong.models.heads import POOLS
from weak2strong.models.load import load_model
from weak2strong.models.packing import PACKED, Packed, pack, packs, trunk_inputs

CPU = torch.device("cpu")
ROWS = [[7, 5, 9, 4, 11, 8], [3], [6, 5, 4, 3, 2, 6, 12, 9, 5, 4, 3], [9, 8, 7], [5, 6, 7, 8, 9]]
SMALL = {
    "vocab_size": 20,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    # Fewer than the tokens of all texts, and no fewer than those of each.
    "max_position_embeddings": 12,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 1,
}
GROUPED = {"num_key_value_heads": 2}
OWN = {
    "bert": {},
    "gpt2": {"n_inner": 48},
    "gpt_neox": {},
    "gemma": GROUPED | {"head_dim": 16},
    "mistral": GROUPED | {"sliding_window": 4},
    "qwen2": GROUPED | {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1},
}


def build(kind):
    """A tiny trunk of a type, in float64 so that only wrong results differ."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **SMALL, **OWN.get(kind, GROUPED))
    model = AutoModel.from_config(config).double().eval()
    with torch.no_grad():
        # Of usual first weights, attention would be nearly even over all tokens.
        for p in model.parameters():
            p.mul_(4 if p.ndim > 1 else 1)
    return model


def one_by_one(model, rows):
    """States of each text alone."""
    return [model(input_ids=torch.tensor([row]))[0][0] for row in rows]


@pytest.mark.parametrize("kind", PACKED)
def test_states_and_gradients_are_those_of_each_text_alone(kind):
    model = build(kind)
    expected = torch.cat(one_by_one(model, ROWS))
    weight = torch.randn(expected.shape, dtype=torch.float64)
    (expected * weight).sum().backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    assert packs(ModelSpec("toy", packing="on"), model, CPU, torch.float32)
    found = model(**trunk_inputs(*pack(ROWS, CPU)))[0][0]
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)
    (found * weight).sum().backward()
    for name, gradient in gradients.items():
        own = dict(model.named_parameters())[name].grad
        torch.testing.assert_close(own, gradient, rtol=1e-5, atol=1e-6)
    assert packs(ModelSpec("toy", packing="on"), model, CPU, torch.float32), "it stays ready"
    # Padded batches pass the same model as before.
    padded = model(**trunk_inputs(*pad(ROWS, 0, CPU)))[0]
    for row, states in zip(padded, expected.split([len(r) for r in ROWS]), strict=True):
        torch.testing.assert_close(row[: len(states)], states, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("pooling", POOLS)
def test_a_text_is_pooled_as_from_a_padded_batch(pooling):
    states, (_, packed) = torch.randn(1, sum(map(len, ROWS)), 3), pack(ROWS, CPU)
    padded = torch.nn.utils.rnn.pad_sequence(states[0].split(packed.lengths), batch_first=True)
    expected = POOLS[pooling](padded, pad(ROWS, 0, CPU)[1])
    torch.testing.assert_close(POOLS[pooling](states, packed), expected, rtol=0, atol=0)


def test_texts_are_found_where_they_are():
    tokens, packed = pack([[5, 6, 7], [8], [9, 4]], CPU)
    assert tokens.tolist() == [[5, 6, 7, 8, 9, 4]]
    assert packed.positions.tolist() == [[0, 1, 2, 0, 0, 1]]
    assert packed.bounds.tolist() == [0, 3, 4, 6]
    assert packed.bounds.dtype == torch.int32
    assert packed.apart(tokens[0]).mul(packed.mask).tolist() == [[5, 6, 7], [8, 0, 0], [9, 4, 0]]
    assert packed.joined(packed.apart(tokens[0])).equal(tokens[0])


def by_hand(query, key, value, packed, causal, scale, window):
    """Attention of each text alone, by its equation, (tokens, heads, d)."""
    done = []
    for text in zip(*(x.split(packed.lengths) for x in (query, key, value)), strict=True):
        q, k, v = (x.transpose(0, 1) for x in text)
        k, v = (x.repeat_interleave(len(q) // len(k), 0) for x in (k, v))
        i = torch.arange(q.shape[1])
        before = i[:, None] - i[None, :]
        seen = (before.abs() < (window or len(i))) & ((before >= 0) | (not causal))
        weights = (q @ k.mT * scale).masked_fill(~seen, -torch.inf).softmax(-1)
        done.append((weights @ v).transpose(0, 1))
    return torch.cat(done)


@pytest.mark.parametrize("release", ["2.10", "2.11", "2.13"])
@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("causal", [True, False])
def test_every_release_of_the_attention_of_a_gpu_is_asked_for_the_same(
    monkeypatch, release, causal, window
):
    """The one for texts of any length has no form for the CPU: here one by its equation stands
    for it, with the arguments that it has in that release of PyTorch."""
    from torch.nn.attention import varlen

    def kernel(q, k, v, begins, ends, longest, longest_too, options):
        assert begins is ends
        assert longest == longest_too == 11
        assert options.pop("enable_gqa", True) or q.shape[1] == k.shape[1]
        left, right = options.pop("window_size", (-1, 0 if options.pop("is_causal", False) else -1))
        scale = options.pop("scale", None) or q.shape[-1] ** -0.5
        assert not options
        assert right in (0, left)
        lengths = Packed(tuple(ends.diff().tolist()), CPU)
        return by_hand(q, k, v, lengths, right == 0, scale, left + 1 if left >= 0 else None)

    def of_2_10(q, k, v, cu_q, cu_k, max_q, max_k, is_causal=False, return_aux=None):
        assert q.shape[1] == k.shape[1]
        return kernel(q, k, v, cu_q, cu_k, max_q, max_k, {"is_causal": is_causal})

    def of_2_11(q, k, v, cu_q, cu_k, max_q, max_k, *, scale=None, window_size=(-1, -1)):
        assert q.shape[1] == k.shape[1]
        options = {"scale": scale, "window_size": window_size}
        return kernel(q, k, v, cu_q, cu_k, max_q, max_k, options)

    def of_2_13(q, k, v, c, d, m, n, *, scale=None, window_size=(-1, -1), enable_gqa=False):
        options = {"scale": scale, "window_size": window_size, "enable_gqa": enable_gqa}
        return kernel(q, k, v, c, d, m, n, options)

    releases = {"2.10": of_2_10, "2.11": of_2_11, "2.13": of_2_13}
    monkeypatch.setattr(varlen, "varlen_attn", releases[release])
    packing.varlen_options.cache_clear()
    packed = Packed(tuple(map(len, ROWS)), CPU)
    torch.manual_seed(0)
    rows = [torch.randn(sum(packed.lengths), heads, 8).double() for heads in (4, 2, 2)]
    expected = by_hand(*rows, packed, causal, 0.3, window)
    found = packing._of_any_length(*rows, packed, causal, 0.3, window)
    packing.varlen_options.cache_clear()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(packing._padded(*rows, packed, causal, 0.3, window, 0.0), expected)


def test_by_itself_a_cpu_packs_nothing_and_what_cannot_be_packed_is_a_sentence(toy_models):
    folder = str(toy_models["llama"])
    assert not load_model(ModelSpec(folder), "classification", 2, 0).packing
    assert load_model(ModelSpec(folder, packing="on"), "classification", 2, 0).packing
    model = build("llama")
    model.config.model_type = "mamba"
    with pytest.raises(UserError, match="type mamba, whose texts cannot be packed"):
        packs(ModelSpec("toy", packing="on"), model, CPU, torch.float32)
    assert not packs(ModelSpec("toy"), model, CPU, torch.float32)


def test_the_rule_of_a_gpu(monkeypatch):
    """bfloat16 on a GPU of its generation, for heads that its attention knows."""
    device, model = torch.device("cuda"), build("llama")
    found = {}
    for generation in ((7, 5), (8, 0), (9, 0)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, g=generation: g)
        for precision in (torch.float32, torch.bfloat16):
            model.set_attn_implementation("sdpa")
            key = generation, precision
            found[key] = packs(ModelSpec("toy"), model, device, precision)
    assert {key for key, packed in found.items() if packed} == {
        ((8, 0), torch.bfloat16),
        ((9, 0), torch.bfloat16),
    }
    model.set_attn_implementation("sdpa")
    model.config.head_dim = 12
    assert not packs(ModelSpec("toy"), model, device, torch.bfloat16)
