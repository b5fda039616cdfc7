"""Models that are more than a stack of layers for text: which part of them is used, and how."""

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    OPTConfig,
    OPTForCausalLM,
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
    WhisperConfig,
    WhisperForConditionalGeneration,
    XLNetConfig,
)

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import encode, pad
from weak2strong.models.behaviour import behaviour
from weak2strong.models.check import check
from weak2strong.models.configuration import is_decoder, load_config
from weak2strong.models.language import load_language_model
from weak2strong.models.load import load_model
from weak2strong.models.needs import skeleton
from weak2strong.models.prompted import load_prompted
from weak2strong.tasks.task import Item
from weak2strong.training.activations import layer_activations
from weak2strong.training.generate import generate
from weak2strong.training.memory import save_memory

SMALL = {"vocab_size": 320, "initializer_range": 0.2}
LLAMA = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
}
VISION = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
TEXTS = ["Lyon is a city in France.", "Lima", "A red house stands beside a blue river."]


@pytest.fixture(scope="module")
def models(toy_models, tmp_path_factory):
    """Folders of a model that reads images, too, of an encoder-decoder, and of one with narrow
    outputs."""
    root = tmp_path_factory.mktemp("parts")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = {
            "llava": LlavaForConditionalGeneration(
                LlavaConfig(
                    text_config=LlamaConfig(**SMALL, **LLAMA),
                    vision_config=CLIPVisionConfig(**VISION),
                    image_token_id=319,
                )
            ),
            "t5": T5ForConditionalGeneration(
                T5Config(vocab_size=320, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2)
            ),
            "opt": OPTForCausalLM(
                OPTConfig(
                    vocab_size=320,
                    hidden_size=32,
                    num_hidden_layers=2,
                    ffn_dim=64,
                    num_attention_heads=2,
                    max_position_embeddings=64,
                    word_embed_proj_dim=16,
                    pad_token_id=2,
                )
            ),
        }
    for name, model in made.items():
        model.save_pretrained(root / name)
        AutoTokenizer.from_pretrained(toy_models["llama"]).save_pretrained(root / name)
    return {name: root / name for name in made}


def load(folder, **options):
    return load_model(ModelSpec(str(folder), **options), "classification", 2, 0)


def batch(model, texts=TEXTS):
    return pad(encode(model.tokenizer, texts), model.tokenizer.pad_token_id, model.device)


def test_of_a_model_that_reads_images_too_the_language_model_is_used(models):
    model = load(models["llava"])
    tokens, mask = batch(model)
    whole = AutoModel.from_pretrained(models["llava"])
    with torch.no_grad():
        states = whole(input_ids=tokens, attention_mask=mask)[0]
        last = states[torch.arange(3), mask.sum(1) - 1]
        torch.testing.assert_close(model.network.pooled(tokens, mask), last)
    assert not [name for name, _ in model.network.named_parameters() if "vision" in name]
    spec = ModelSpec(str(models["llava"]))
    assert is_decoder(load_config(spec))
    assert sum(p.numel() for p in skeleton(spec).parameters()) == sum(
        p.numel() for p in model.network.trunk.parameters()
    )


def test_it_computes_activations_twice_where_that_is_asked_for(models):
    model = load(models["llava"], checkpointing="on")
    assert save_memory(model)
    model.network(*batch(model)).sum().backward()
    assert all(p.grad is not None for p in model.network.trunk.parameters())


def test_it_can_be_prompted_and_writes(models):
    prompted = load_prompted(ModelSpec(str(models["llava"])))
    assert prompted.read([5, 6]) is None
    tokens, mask = batch(prompted)
    at = torch.arange(3), mask.sum(1) - 1
    next_tokens = prompted.logits(tokens, mask, at).argmax(1).tolist()
    writer = load_language_model(ModelSpec(str(models["llava"])))
    rows = [row[: sum(m)] for row, m in zip(tokens.tolist(), mask.tolist(), strict=True)]
    written = generate(writer, rows, 1)
    ends = writer.tokenizer.eos_token_id
    assert [row or [ends] for row in written] == [[token] for token in next_tokens]


@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_what_reads_images_is_not_trained(models, adaptation):
    writer = load_language_model(ModelSpec(str(models["llava"]), adaptation=adaptation))
    trained = [n for n, p in writer.network.named_parameters() if p.requires_grad]
    assert trained
    assert not [name for name in trained if "vision" in name or "projector" in name]


def test_of_an_encoder_decoder_the_encoder_is_used(models):
    model = load(models["t5"])
    tokens, mask = batch(model)
    encoder = T5EncoderModel.from_pretrained(models["t5"])
    with torch.no_grad():
        states = encoder(input_ids=tokens, attention_mask=mask)[0]
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        torch.testing.assert_close(model.network.pooled(tokens, mask), mean)
        below, last = model.network.pooled_layers((tokens, mask), [1, 2])
    torch.testing.assert_close(last, mean)
    assert below.shape == last.shape
    with pytest.raises(UserError, match="cannot be prompted"):
        load_prompted(ModelSpec(str(models["t5"])))


def test_a_head_is_as_wide_as_what_the_model_gives(models):
    model = load(models["opt"])
    assert model.network.head.in_features == 16
    assert model.network(*batch(model)).shape == (3, 2)
    assert check(ModelSpec(str(models["opt"]))).width == 16
    items = [Item(str(n), "g", text) for n, text in enumerate(TEXTS)]
    states = layer_activations(model, items, [1, 2])
    assert {layer: s.shape for layer, s in states.items()} == {1: (3, 32), 2: (3, 16)}


def test_what_needs_sound_beside_a_text_is_a_sentence(toy_models, tmp_path):
    config = WhisperConfig(
        vocab_size=320,
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        pad_token_id=2,
        bos_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    WhisperForConditionalGeneration(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(toy_models["llama"]).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="cannot read plain text by itself"):
        load(tmp_path)


def test_what_reads_in_both_directions_is_no_decoder_whatever_it_is_called():
    """XLNet's head for language models predicts words in any order."""
    config = XLNetConfig(vocab_size=320, d_model=32, n_layer=2, n_head=2, d_inner=64)
    config.architectures = ["XLNetLMHeadModel"]
    assert not is_decoder(config)


@pytest.mark.parametrize(
    ("name", "decoder", "left", "right"),
    [("llama", True, True, True), ("rwkv", True, False, True), ("fnet", False, False, False)],
)
def test_what_a_large_model_does_is_tried_on_a_small_one(name, decoder, left, right):
    found = behaviour(AutoConfig.for_model(name))
    assert not found.fault
    assert (found.decoder, found.hides_left, found.hides_right) == (decoder, left, right)
