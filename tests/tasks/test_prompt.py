"""A prompt is one template for all; what cannot be compared is refused."""

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.tasks.prompt import Prompt, default_prompt, few_shot_prompt

ANSWERS = ((" no",), (" yes",))


def test_shots_are_written_like_the_question_and_end_in_their_answers():
    prompt = Prompt(((" no", " never"), (" yes",)), "Q: {text}\nA:", "\n\n")
    said = few_shot_prompt(prompt, [("red?", 1), ("blue?", 0)], "green?")
    assert said == "Q: red?\nA: yes\n\nQ: blue?\nA: no\n\nQ: green?\nA:"
    assert few_shot_prompt(prompt, [], "green?") == "Q: green?\nA:"


def test_a_text_is_taken_as_it_is():
    assert Prompt(ANSWERS, "{text}!").asked("{text} {0} {city}") == "{text} {0} {city}!"


def test_the_default_names_the_classes():
    prompt = default_prompt(["bad", "good", "neither"])
    assert few_shot_prompt(prompt, [("x", 2)], "y") == "x\nAnswer: neither\n\ny\nAnswer:"
    assert prompt.scored == ((" bad",), (" good",), (" neither",))


def test_default_answers_end_where_one_name_begins_with_another():
    prompt = default_prompt(["starfish", "star"])
    assert prompt.answers == ((" starfish\n",), (" star\n",))
    assert few_shot_prompt(prompt, [("x", 1)], "y") == "x\nAnswer: star\n\ny\nAnswer:"


def test_the_class_that_gets_the_rest_is_not_scored():
    prompt = Prompt(((" elsewhere",), (" Asia",)), rest=0)
    assert prompt.scored == ((), (" Asia",))
    assert few_shot_prompt(prompt, [("Lyon is in", 0)], "x").startswith("Lyon is in elsewhere")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"template": "Answer:"}, "must have {text} in it, once"),
        ({"template": "{text} {text}"}, "must have {text} in it, once"),
        ({"template": "{text} "}, "ends in a space"),
        ({"answers": ((" yes",),)}, "two classes or more"),
        ({"answers": ((" yes",), ())}, "an answer for each"),
        ({"answers": ((" yes",), ("",))}, "an answer for each"),
        ({"answers": ((" Niger",), (" Nigeria",))}, "' Nigeria' begins with the answer ' Niger'"),
        ({"answers": ((" a", " ab"), (" c",))}, "' ab' begins with the answer ' a'"),
        ({"answers": ((" a",), (" a",))}, "begins with"),
        ({"rest": 2}, "no class 2"),
    ],
)
def test_what_cannot_be_right_is_refused(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        Prompt(**{"answers": ANSWERS, **settings})
