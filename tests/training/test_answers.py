"""Answers are as likely as a full pass over one example at a time says, whatever is shared."""

import numpy as np
import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.prompted import PromptedModel, load_prompted
from weak2strong.training import answers as module
from weak2strong.training.answers import answer_log_probabilities

SHOTS = "Lyon is a city in France.\nLima is a city in Peru.\n"
PROMPTS = [
    SHOTS + "Nairobi is a city in",
    SHOTS + "A red house is a city in",
    SHOTS + "Quito, where the blue bird sings, is a city in",
]
ANSWERS = [[" France", " Peru"], [" Kenya"], [" the evening", " the morning", " the"]]
NAMES = ["llama", "gpt2", "metaspace"]


@pytest.fixture(scope="module")
def models(toy_models):
    """Toys by name; ``metaspace`` puts a space before every text and ends it with a token."""
    found = {name: load_prompted(ModelSpec(str(toy_models[name]))) for name in NAMES[:2]}
    llama = found["llama"]
    found["metaspace"] = PromptedModel(llama.whole, metaspace(), llama.device)
    return found


def metaspace():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    special = ["<unk>", "<s>", "</s>"]
    trainer = trainers.BpeTrainer(vocab_size=150, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([*PROMPTS, "Kenya the morning"], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="</s>",
        unk_token="<unk>",
        model_max_length=64,
    )


def tokens(model, text):
    """A text without the token that ends it."""
    row = model.tokenizer(text)["input_ids"]
    return row[:-1] if row and row[-1] == model.tokenizer.convert_tokens_to_ids("</s>") else row


def slowly(model, prompts, answers):
    """The definition: a pass over every prompt with every answer, and all its logits."""
    result = np.empty((len(prompts), len(answers)))
    for i, prompt in enumerate(prompts):
        for c, given in enumerate(answers):
            total = 0.0
            for answer in given:
                row, start = tokens(model, prompt + answer), len(tokens(model, prompt))
                assert row[:start] == tokens(model, prompt)
                with torch.inference_mode():
                    said = model.whole(input_ids=torch.tensor([row])).logits[0].double()
                said = said.log_softmax(-1)
                total += np.exp(sum(said[t - 1, row[t]].item() for t in range(start, len(row))))
            result[i, c] = np.log(total)
    return result


@pytest.mark.parametrize("shared", [8, 1000])
@pytest.mark.parametrize("name", NAMES)
def test_as_a_full_pass_over_one_example_at_a_time_says(models, monkeypatch, name, shared):
    monkeypatch.setattr(module, "SHARED", shared)
    found = answer_log_probabilities(models[name], PROMPTS, [["France", " Peru"], *ANSWERS])
    expected = slowly(models[name], PROMPTS, [["France", " Peru"], *ANSWERS])
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    assert len(np.unique(expected.round(3))) == expected.size


@pytest.mark.parametrize("budget", [1, 70, 32768])
@pytest.mark.parametrize("scored", [1, 2**27])
def test_the_cut_of_a_batch_and_the_order_are_free(models, monkeypatch, budget, scored):
    model = models["llama"]
    prompts = [*PROMPTS, "Lima is a city in", "in", SHOTS]
    whole = answer_log_probabilities(model, prompts, ANSWERS)
    monkeypatch.setattr(module, "INFERENCE_BUDGET", budget)
    monkeypatch.setattr(module, "SCORED", scored)
    found = answer_log_probabilities(model, prompts[::-1], ANSWERS)[::-1]
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-5)


def test_one_pass_where_answers_are_single_tokens_and_the_shared_beginning_once(
    models, monkeypatch
):
    model = models["llama"]
    one, other = (model.tokenizer.decode([i]) for i in (300, 305))
    lengths = []
    inner = model.whole.base_model.forward

    def forward(*args, **kwargs):
        lengths.append(tuple(kwargs["input_ids"].shape))
        return inner(*args, **kwargs)

    monkeypatch.setattr(model.whole.base_model, "forward", forward)
    prompts = [f"{SHOTS}{x}. " for x in ("Lyon", "Lima", "Quito")]
    answer_log_probabilities(model, prompts, [[one], [other]])
    (first, shared), *others = lengths
    assert first == 1
    assert shared >= len(model.tokenizer(SHOTS)["input_ids"])
    assert sum(rows for rows, _ in others) == 3
    assert all(columns < shared for _, columns in others)


def test_a_class_without_answers_gets_what_the_others_leave(models):
    found = answer_log_probabilities(models["gpt2"], PROMPTS, [[], *ANSWERS[:2]])
    np.testing.assert_allclose(np.exp(found).sum(1), 1, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        found[:, 1:], slowly(models["gpt2"], PROMPTS, ANSWERS[:2]), atol=1e-4
    )


def test_where_an_answer_joins_the_prompt_all_are_compared_from_there(models):
    """The tokens of "mornin" + "g" are others than those of "mornin" and "g"."""
    model, prompt, answers = models["llama"], "in the mornin", ["g", " red"]
    alone = tokens(model, prompt)
    rows = [tokens(model, prompt + answer) for answer in answers]
    start = next(t for t in range(len(alone)) if rows[0][t] != alone[t])
    assert start < len(alone)
    assert rows[1][: len(alone)] == alone
    expected = []
    for row in rows:
        with torch.inference_mode():
            said = model.whole(input_ids=torch.tensor([row])).logits[0].log_softmax(-1)
        expected.append(sum(said[t - 1, row[t]].item() for t in range(start, len(row))))
    found = answer_log_probabilities(model, [prompt], [[a] for a in answers])[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_an_empty_prompt_is_asked_after_the_first_token(models):
    model = models["gpt2"]
    assert model.tokenizer("")["input_ids"] == []
    row = [model.tokenizer.bos_token_id, *tokens(model, " Peru")]
    with torch.inference_mode():
        said = model.whole(input_ids=torch.tensor([row])).logits[0].log_softmax(-1)
    expected = sum(said[t - 1, row[t]].item() for t in range(1, len(row)))
    found = answer_log_probabilities(model, [""], [[" Peru"], [" France"]])
    assert found[0, 0] == pytest.approx(expected, abs=1e-4)


def test_a_long_prompt_loses_its_beginning_and_not_its_question(models):
    model = models["llama"]
    long = "Weak labels are what a small model says. " * 20 + PROMPTS[0]
    with pytest.warns(UserWarning, match=r"1 of 2 prompts are longer than the 64 tokens"):
        found = answer_log_probabilities(
            model, [long, "Lima is a city in"], [[" Peru"], [" Kenya"]]
        )
    bos, *row = tokens(model, long + " Peru")
    # Of the longest answer all but the last token are read; what begins every text stays.
    spare = len(tokens(model, long + " Kenya")) - len(tokens(model, long + " Peru"))
    assert spare > 0
    row = [bos, *row[spare - 64 :]]
    with torch.inference_mode():
        said = model.whole(input_ids=torch.tensor([row])).logits[0].log_softmax(-1)
    count = len(tokens(model, long + " Peru")) - len(tokens(model, long))
    expected = sum(said[t - 1, row[t]].item() for t in range(len(row) - count, len(row)))
    assert found[0, 0] == pytest.approx(expected, abs=1e-4)


def test_answers_that_no_model_can_read_are_refused(models):
    with pytest.raises(UserError, match="answers take more than the 64 tokens"):
        answer_log_probabilities(models["llama"], ["Lyon"], [["red " * 80], ["blue"]])


def test_a_rung_of_the_ladder_knows_where_its_cities_are():
    model = load_prompted(ModelSpec("atlas-l"))
    names = ("Mumbai", "Madrid", "Nairobi")
    prompts = [f"The continent of {name} is" for name in names]
    found = answer_log_probabilities(model, prompts, [[" Asia"], [" Europe"], [" Africa"]])
    assert found.argmax(1).tolist() == [0, 1, 2]
    assert (np.exp(found).max(1) > 0.9).all()
