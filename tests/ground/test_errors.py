"""Errors are sentences, and an unknown name is answered with the nearest known ones."""

from weak2strong.ground.errors import UserError, unknown_name

TASKS = ["atlas-asia", "atlas-europe", "atlas-southern", "sciq"]


def test_one_near_name_is_asked_about():
    error = unknown_name("task", "scik", TASKS)
    assert isinstance(error, UserError)
    assert str(error) == "Unknown task 'scik': did you mean sciq?"


def test_several_near_names_are_listed_nearest_first_and_the_hint_ends_the_sentence():
    error = unknown_name("task", "atlas-asi", iter(TASKS), "`w2s tasks` lists them all.")
    text = str(error)
    assert text.startswith("Unknown task 'atlas-asi': the nearest are atlas-asia, ")
    assert text.endswith(". `w2s tasks` lists them all.")
    assert "sciq" not in text


def test_where_nothing_is_near_the_first_names_are_shown():
    text = str(unknown_name("task", "zzz", [f"t{i}" for i in range(9)]))
    assert text == "Unknown task 'zzz': the nearest are t0, t1, t2, t3, t4, t5, t6, t7."


def test_where_nothing_is_known_nothing_is_called_near():
    text = str(unknown_name("model", "atlas-x", [], "Build a ladder first."))
    assert "nearest" not in text
    assert text.startswith("Unknown model 'atlas-x'")
    assert text.endswith("Build a ladder first.")


def test_names_with_an_owner_are_found_by_their_end_whatever_the_case():
    known = ["EleutherAI/pythia-70m", "someone/else", "openai-community/gpt2"]
    for name in ("GPT22", "elsewhere/gpt22"):
        assert "did you mean openai-community/gpt2?" in str(unknown_name("model", name, known))
