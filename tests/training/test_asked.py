"""What a model writes after solved prompts: each prompt as alone, and the most frequent answer."""

import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.models.language import load_language_model
from weak2strong.models.prompts import decoded, prompt_rows
from weak2strong.tasks.asked import Asked, longest_of
from weak2strong.tasks.prompt import answer_in, written_prompt
from weak2strong.training import asked as asking
from weak2strong.training.asked import SPARE, pretrained_answers, written_answers
from weak2strong.training.generate import generate

SHOTS = [[("Lyon is a city in", "France"), ("A red", "house")], []]
PROMPTS = ["The blue bird sings in the", "Lima", "Quito is a city in"]


@pytest.fixture(scope="module")
def model(toy_models):
    return load_language_model(ModelSpec(str(toy_models["llama"])))


@pytest.mark.parametrize("form", ["plain", "headed"])
def test_a_prompt_is_answered_after_its_shots(model, form):
    shots = SHOTS[0][:1] if form == "plain" else []  # the toy model reads few tokens
    asked = Asked(form, "Now.", [shots], ("morning and",))
    found = written_answers(model, asked, PROMPTS)
    tokens = model.tokenizer("morning and", add_special_tokens=False)["input_ids"]
    for prompt, answer in zip(PROMPTS, found, strict=True):
        whole = written_prompt(form, "Now.", shots, prompt)
        rows = prompt_rows(model.tokenizer, [whole], len(tokens) + SPARE)
        (text,) = decoded(model.tokenizer, generate(model, rows, len(tokens) + SPARE))
        assert answer == answer_in(form, text, True)


def test_the_most_frequent_answer_counts_and_the_first_of_equals(model, monkeypatch):
    said = iter([["b.", "x"], ["a", "y"], ["B", "z"]])
    monkeypatch.setattr(asking, "generate", lambda *_: next(said))
    monkeypatch.setattr(asking, "decoded", lambda _, texts: texts)
    asked = Asked("plain", None, [[], [], []], ("one",))
    assert written_answers(model, asked, ["p", "q"]) == ["b.", "x"]


def test_shots_that_there_is_no_room_for_are_left_out_with_a_warning(model, monkeypatch):
    asked = Asked("plain", None, [[("bird " * 100, "house"), ("Lima", "house")]], ("house",))
    seen = []
    monkeypatch.setattr(asking, "longest_read", lambda _: 40)
    monkeypatch.setattr(
        asking, "prompt_rows", lambda *args: seen.append(args[1]) or prompt_rows(*args)
    )
    with pytest.warns(UserWarning, match="1 of 1 prompts are longer"):
        written_answers(model, asked, ["Quito"])
    assert seen == [["Lima house\n\nQuito"]]


def test_answers_are_by_split_and_the_longest_are_counted(toy_models):
    from weak2strong.tasks.task import Item

    items = {"test": [Item("1", "1", "Lima")]}
    asked = Asked("plain", None, [[]], longest_of(["a", "bird and house", "a"]))
    assert asked.longest == ("bird and house", "a")
    assert asked.one_line
    assert not Asked("plain", None, [[("a", "b\nc")]], ("a",)).one_line
    spec = ModelSpec(str(toy_models["llama"]))
    found = pretrained_answers(spec, asked, items, on_step=lambda *_: None)
    assert found["test"].ids == ("1",)
    assert found["test"].kind == "generation"
