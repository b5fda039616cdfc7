"""A prompt is one template for all; what cannot be compared is refused."""

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.tasks.prompt import (
    SYSTEM,
    Prompt,
    answer_in,
    compared,
    default_prompt,
    few_shot_prompt,
    written_prompt,
)

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


SHOTS = [("Lyon is in ", "France"), ("Where is Quito?\n", "Ecuador")]


def test_prompts_that_are_answered_in_words():
    plain = "Lyon is in France\n\nWhere is Quito?\nEcuador\n\nOslo is in"
    assert written_prompt("plain", None, SHOTS, "Oslo is in") == plain
    assert written_prompt("plain", "Be brief.", SHOTS, "Oslo is in") == f"Be brief.\n\n{plain}"
    assert written_prompt("plain", None, [], "Oslo is in") == "Oslo is in"
    headed = "# Query:\nLyon\n\n# Answer:\nFrance\n\n# Query:\nOslo\n\n# Answer:\n"
    assert written_prompt("headed", None, [("Lyon", "France")], "Oslo") == f"{SYSTEM}\n\n{headed}"
    assert written_prompt("headed", "A.", [("Lyon", "France")], "Oslo") == f"A.\n\n{headed}"


@pytest.mark.parametrize(
    ("form", "one_line", "written", "answer"),
    [
        ("plain", True, " Norway\nParis is in France", "Norway"),
        ("plain", False, " Norway\nor so\n\nParis is in", "Norway\nor so"),
        ("headed", True, "\nNorway\n# Query:", "Norway"),
        ("headed", False, "1. a\n\n2. b\n\n# Query:\nParis", "1. a\n\n2. b"),
        ("headed", False, "# Query:", ""),
    ],
)
def test_an_answer_ends_where_the_next_prompt_begins(form, one_line, written, answer):
    assert answer_in(form, written, one_line) == answer


def test_a_preference_is_asked_about_as_one_text():
    text = "Where?\n\nAnswer A: Here.\n\nAnswer B: There {text}."
    assert compared("Where?", " Here.", " There {text}.") == text
    assert compared("", "x", "y") == "Answer A: x\n\nAnswer B: y"
