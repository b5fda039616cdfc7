"""The language model as it is: logits at chosen places, and beginnings that are read once."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import pad
from weak2strong.models.prompted import load_prompted

ROWS = [[5, 9, 17, 40, 300], [5, 9, 17, 12], [5, 9, 17, 7, 8, 250, 31]]
PLACES = (torch.tensor([0, 1, 2, 2]), torch.tensor([4, 3, 4, 6]))


@pytest.fixture(params=["llama", "gpt2"])
def folder(request, toy_models):
    return toy_models[request.param]


def whole_logits(folder):
    """The logits of every place, a text at a time, by Transformers alone."""
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.inference_mode():
        return [model(input_ids=torch.tensor([row])).logits[0] for row in ROWS]


def test_logits_are_those_of_the_language_model(folder):
    model = load_prompted(ModelSpec(str(folder)))
    found = model.logits(*pad(ROWS, 0, model.device), PLACES)
    every = whole_logits(folder)
    expected = torch.stack([every[r][c] for r, c in zip(*PLACES, strict=True)])
    assert found.shape == (4, model.vocabulary)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_a_beginning_that_was_read_changes_nothing_and_can_be_used_again(folder):
    model = load_prompted(ModelSpec(str(folder)))
    plain = model.logits(*pad(ROWS, 0, model.device), PLACES)
    begun = model.read(ROWS[0][:3])
    assert begun is not None
    rest = pad([row[3:] for row in ROWS], 0, model.device)
    for _ in range(2):
        found = model.logits(*rest, (PLACES[0], PLACES[1] - 3), begun)
        torch.testing.assert_close(found, plain, rtol=0, atol=1e-4)
        assert begun.get_seq_length() == 3


def test_the_output_layer_makes_no_other_logits(folder):
    model = load_prompted(ModelSpec(str(folder)))
    seen = []
    output = model.whole.get_output_embeddings()
    output.register_forward_hook(lambda module, states, logits: seen.append(logits.shape))
    model.logits(*pad(ROWS, 0, model.device), PLACES)
    model.read(ROWS[0])
    assert seen == [(1, 4, model.vocabulary)]


def test_nothing_is_left_behind_and_nothing_can_be_trained(folder):
    model = load_prompted(ModelSpec(str(folder)))
    before = {k: v.clone() for k, v in model.whole.state_dict().items()}
    model.logits(*pad(ROWS, 0, model.device), PLACES)
    assert not any(p.requires_grad for p in model.whole.parameters())
    assert all(torch.equal(v, before[k]) for k, v in model.whole.state_dict().items())
    said = model.whole(input_ids=torch.tensor([ROWS[0]])).logits
    assert said.shape == (1, 5, model.vocabulary)


def test_a_model_with_a_sliding_window_reads_everything_anew(tmp_path):
    from transformers import MistralConfig, MistralForCausalLM

    config = MistralConfig(
        vocab_size=50,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        sliding_window=4,
    )
    from weak2strong.models.prompted import PromptedModel

    model = PromptedModel(MistralForCausalLM(config).eval(), None, torch.device("cpu"))
    assert model.read([1, 2, 3]) is None


def test_an_encoder_cannot_be_prompted(toy_models):
    with pytest.raises(UserError, match="is an encoder, so it has no next word"):
        load_prompted(ModelSpec(str(toy_models["bert"])))
