"""A model that is finetuned on targets writes them, and stops where it writes them best."""

import numpy as np
import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.predictions import texts
from weak2strong.models.language import load_language_model
from weak2strong.models.prompts import decoded, prompt_rows
from weak2strong.tasks.task import Item
from weak2strong.training import writing
from weak2strong.training.generate import generate
from weak2strong.training.training_set import TrainingSet
from weak2strong.training.writing import fit_writing

PLACES = ["Lyon", "Lima", "Nairobi", "Quito", "Oslo", "Accra"]
TARGETS = ["red", "a blue river", "red", "bird", "a blue river", "bird"]
ITEMS = [Item(name, name, f"{name} is a city in") for name in PLACES]
LESSON = TrainingSet(ITEMS, texts(TARGETS))


@pytest.fixture
def load(toy_models):
    return lambda name: load_language_model(ModelSpec(str(toy_models[name])))


def by_heart(**others):
    return Training(
        **{"learning_rate": 1e-2, "epochs": 30, "batch_size": 3, "stopping": "none"} | others
    )


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_targets_are_learnt_and_written_to_their_end(load, name):
    writer, done = fit_writing(load(name), LESSON, by_heart(), seed=0)
    found = writer.answers(ITEMS[::-1])
    assert found.ids == tuple(PLACES[::-1])
    assert found.values.tolist() == TARGETS[::-1]
    assert found.kind == "generation"
    assert done.trace[-1].score is None


def test_answers_have_room_for_the_longest_target_and_no_more(load):
    model = load("llama")
    writer, _ = fit_writing(model, LESSON, by_heart(epochs=1), seed=0)
    tokens = [len(model.tokenizer(f" {t}", add_special_tokens=False).input_ids) for t in TARGETS]
    assert writer.most == max(tokens) + 1
    longest = [len(row) for row in generate(model, prompt_rows(model.tokenizer, ["Oslo"], 9), 9)]
    assert max(longest) <= 9


def test_what_is_written_does_not_depend_on_who_is_asked_beside(load):
    """Prompts of different lengths, so that a batch has padding."""
    model = load("gpt2")
    writer, _ = fit_writing(model, LESSON, by_heart(epochs=3), seed=0)
    items = [*ITEMS, Item("long", "long", "The capital of Kenya is Nairobi. Lima is a city in")]
    alone = [writer.answers([item]).values[0] for item in items]
    assert writer.answers(items).values.tolist() == alone
    row = prompt_rows(model.tokenizer, [items[0].text], writer.most)
    assert alone[0] == decoded(model.tokenizer, generate(model, row, writer.most))[0]


def test_the_weights_are_kept_that_write_the_labels_best(load):
    wrong = TrainingSet(ITEMS, texts(["bird"] * 6))
    training = by_heart(epochs=20, evaluations=5, stopping="weak-validation")
    _, done = fit_writing(load("llama"), LESSON, training, 0, validation=LESSON)
    scores = [p.score for p in done.trace]
    assert scores[-1] == max(scores) == 1
    assert done.kept == 1, "the latest of equals"
    _, other = fit_writing(load("llama"), LESSON, training, 0, validation=wrong)
    assert [p.loss for p in other.trace] == [p.loss for p in done.trace]
    assert other.trace[-1].score == pytest.approx(2 / 6)
    best = max(p.score for p in other.trace)
    assert other.kept == max(p.fraction for p in other.trace if p.score == best)


def test_an_evaluation_looks_at_some_examples_evenly_spaced(load, monkeypatch):
    asked = []
    real = writing.Writer.answers

    def spy(self, items):
        asked.append([item.id for item in items])
        return real(self, items)

    monkeypatch.setattr(writing.Writer, "answers", spy)
    monkeypatch.setattr(writing, "JUDGED", 3)
    training = by_heart(epochs=1, evaluations=1, stopping="weak-validation")
    fit_writing(load("llama"), LESSON, training, 0, validation=LESSON)
    assert asked == [["Lyon", "Nairobi", "Oslo"]]


def test_prompts_do_not_count(load):
    """Another prompt is another lesson, but its own tokens are no part of the loss."""
    model = load("llama")
    training = by_heart(epochs=1, batch_size=6, evaluations=1)
    _, done = fit_writing(model, LESSON, training, 0)
    fresh = load("llama")
    rows, counted = writing.prompt_and_target(fresh.tokenizer, [i.text for i in ITEMS], TARGETS)
    assert done.trace[-1].loss == pytest.approx(_mean_surprise(fresh, rows, counted), rel=1e-4)


def _mean_surprise(model, rows, counted):
    """Token by token, from the model's own logits."""
    import torch

    found = []
    for row, marks in zip(rows, counted, strict=True):
        with torch.no_grad():
            logits = model.network.whole(torch.tensor([row])).logits[0].double()
        said = torch.log_softmax(logits, dim=-1)
        found += [-said[i - 1, row[i]].item() for i in range(1, len(row)) if marks[i]]
    return np.mean(found)
