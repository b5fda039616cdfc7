"""Greedy answers: in batches as alone, with a cache as without one."""

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForCausalLM, StaticCache

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.ground.written import normalised
from weak2strong.models.batches import encode
from weak2strong.models.language import load_language_model
from weak2strong.models.prompts import decoded, prompt_and_target, prompt_rows
from weak2strong.models.ranks import ALONE
from weak2strong.training import generate as generating
from weak2strong.training.generate import generate
from weak2strong.training.language import fit_language

DECODERS = ["llama", "gpt2"]
PROMPTS = [
    "The blue bird sings in the morning, and",
    "Lima",
    "A red house stands beside a blue",
    "Lyon is a city in",
    "",
    "Question: Where is Quito? Answer:",
]
MOST = 12


@pytest.fixture
def load(toy_models):
    def load(name, **settings):
        return load_language_model(ModelSpec(str(toy_models[name]), **settings))

    return load


def slow(folder, rows, most, end=None):
    """Each prompt alone, the whole text anew at every step."""
    model, answers = AutoModelForCausalLM.from_pretrained(folder).eval(), []
    for row in rows:
        text = list(row)
        with torch.inference_mode():
            while len(text) < len(row) + most:
                token = model(torch.tensor([text])).logits[0, -1].argmax().item()
                if token == end:
                    break
                text.append(token)
        answers.append(text[len(row) :])
    return answers


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_batches_write_what_each_prompt_gets_alone(load, toy_models, name, side):
    model = load(name)
    model.tokenizer.padding_side = side
    rows = encode(model.tokenizer, PROMPTS)
    assert len({len(r) for r in rows}) > 3
    end = model.tokenizer.eos_token_id
    expected = slow(toy_models[name], rows, MOST, end)
    assert len({tuple(a) for a in expected}) == len(PROMPTS)
    assert [generate(model, [r], MOST)[0] for r in rows] == expected
    for budget in (None, 60, 1):
        assert generate(model, rows, MOST, budget) == expected


def test_a_batch_for_which_memory_is_too_small_is_written_by_halves(load, monkeypatch):
    model = load("llama")
    rows, sizes = encode(model.tokenizer, PROMPTS), []
    expected = generate(model, rows, MOST)
    write = model.network.whole.generate

    def narrow(input_ids, **options):
        sizes.append(len(input_ids))
        if len(input_ids) > 2:
            raise torch.OutOfMemoryError("no memory")
        return write(input_ids=input_ids, **options)

    monkeypatch.setattr(model.network.whole, "generate", narrow)
    assert generate(model, rows, MOST) == expected
    assert max(sizes) > 2
    monkeypatch.setattr(model.network.whole, "generate", lambda **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        generate(model, rows, MOST)


@pytest.mark.parametrize("name", DECODERS)
def test_what_layers_keep_of_a_token_is_measured(load, name):
    config = load(name).network.whole.config
    keys_and_values = 2 * config.num_hidden_layers * config.hidden_size
    assert generating.kept_bytes(load(name)) == 4 * keys_and_values


@pytest.mark.parametrize(
    ("texts", "memory", "tokens"),
    [(256, 10**9, 256 * 50), (256, 10**6, 0.5 * (10**6 - 4000) // 100), (256, 10**3, 50)],
)
def test_a_gpu_writes_as_many_texts_as_are_quick_and_have_room(monkeypatch, texts, memory, tokens):
    network = torch.nn.Linear(1000, 1, bias=False).requires_grad_(False)
    about = {"network": network, "ranks": ALONE, "optimizer_states": "float32"}
    model = SimpleNamespace(device=torch.device("cuda"), **about)
    pace = SimpleNamespace(enough=texts)
    monkeypatch.setattr(generating, "pace_of", lambda model, gradients: pace)
    monkeypatch.setattr(generating, "usable_bytes", lambda device: memory)
    monkeypatch.setattr(generating, "kept_bytes", lambda model: 100)
    assert generating.batch_tokens(model, 50) == tokens


@pytest.mark.parametrize("name", DECODERS)
def test_with_all_memory_from_the_first_token_on_the_same_is_written(
    load, toy_models, monkeypatch, name
):
    """As on a GPU; what was asked before leaves nothing behind."""
    model = load(name)
    rows = encode(model.tokenizer, PROMPTS)
    expected = slow(toy_models[name], rows, MOST, model.tokenizer.eos_token_id)
    lengths = []
    make = StaticCache.__init__

    def spied(self, config, max_cache_len, *others, **named):
        lengths.append(max_cache_len)
        make(self, config, max_cache_len, *others, **named)

    monkeypatch.setattr(StaticCache, "__init__", spied)
    monkeypatch.setattr(generating, "has_room_at_once", lambda model: True)
    for budget in (None, 60, 1):
        assert generate(model, rows, MOST, budget) == expected
    longest = max(map(len, rows)) + MOST
    assert lengths[0] == longest == max(lengths)
    assert len({*lengths[1:]}) > 2
    assert getattr(model.network.whole, "_cache", None) is None


@pytest.mark.parametrize("name", DECODERS)
def test_an_answer_ends_before_its_end_of_text_token(load, toy_models, name):
    model = load(name)
    rows = encode(model.tokenizer, PROMPTS)
    free = generate(model, rows, MOST)
    # A token that one of the answers has in its middle is made the end of all.
    model.tokenizer.eos_token_id = end = free[3][5]
    ended = generate(model, rows, MOST)
    assert ended == slow(toy_models[name], rows, MOST, end)
    assert len(ended[3]) == free[3].index(end) <= 5
    assert max(map(len, ended)) == MOST


def test_a_models_own_settings_do_not_make_it_sample(toy_models, tmp_path):
    """Hub models come with temperatures, penalties and ends of their own."""
    folder = shutil.copytree(toy_models["llama"], tmp_path / "chat")
    own = {"do_sample": True, "temperature": 5.0, "repetition_penalty": 3.0, "min_new_tokens": 12}
    (folder / "generation_config.json").write_text(json.dumps(own))
    model = load_language_model(ModelSpec(str(folder)))
    rows = encode(model.tokenizer, PROMPTS)
    assert generate(model, rows, MOST) == slow(folder, rows, MOST, model.tokenizer.eos_token_id)


def test_more_than_a_model_reads_is_a_sentence(load):
    model = load("gpt2")
    assert len(generate(model, [[5] * 52], 12)) == 1
    with pytest.raises(UserError, match=r"53 tokens and an answer of 12 are more than the 64"):
        generate(model, [[7], [5] * 53], 12)


def test_nothing_asked_is_nothing_answered(load):
    assert generate(load("gpt2"), [], 5) == []


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_what_is_taught_is_answered(load, name, adaptation):
    model = load(name, adaptation=adaptation)
    prompts = [f"{city} is a city in" for city in ("Lyon", "Lima", "Quito", "Nairobi")]
    targets = ["France", "Peru.", "Ecuador, the red one", "Kenya"]
    rows, counted = prompt_and_target(model.tokenizer, prompts, targets)
    most = max(map(sum, counted))

    def answers():
        asked = prompt_rows(model.tokenizer, prompts, most)
        return [normalised(a) for a in decoded(model.tokenizer, generate(model, asked, most))]

    assert answers() != [normalised(t) for t in targets]
    training = Training(learning_rate=1e-2, epochs=30, batch_size=4, stopping="none")
    fit_language(model, rows, counted, training, seed=0)
    assert answers() == [normalised(t) for t in targets]
