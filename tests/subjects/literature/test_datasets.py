"""What a dataset's rows hold becomes labels, keys and prompts, and what they lack is named."""

import pytest

from weak2strong.subjects.literature import DATASETS, ELEUTHER
from weak2strong.subjects.literature.fields import MisfitError
from weak2strong.tasks import SOURCES
from weak2strong.tasks.hub import CONVERTED


@pytest.mark.parametrize("name", ELEUTHER)
def test_a_language_model_is_asked_a_question_that_yes_or_no_answer(rows, name):
    dataset, (_, make) = SOURCES.get(name), rows[name]
    said = dataset.prompt.asked(dataset.form(make(0, 1)).text)
    assert said.endswith("?\nAnswer:")
    assert dataset.prompt.scored == ((" no",), (" yes",))


@pytest.mark.parametrize("name", ELEUTHER)
def test_an_item_depends_on_its_row_alone(rows, name):
    dataset, (_, make) = SOURCES.get(name), rows[name]
    one, other = (make(0, seed) for seed in (1, 2))
    first = dataset.form(one)
    dataset.form(other)
    assert dataset.form(dict(reversed(one.items()))) == first


@pytest.mark.parametrize("name", ELEUTHER)
def test_a_field_that_is_not_what_it_should_be_is_named(rows, name):
    dataset, (_, make) = SOURCES.get(name), rows[name]
    for field in dataset.fields:
        with pytest.raises(MisfitError, match=field):
            dataset.form(make(0, 0) | {field: None})


@pytest.mark.parametrize(("name", "label"), [("boolq", -1), ("anli-r2", -1), ("piqa", -1)])
def test_a_hidden_label_is_no_label(rows, name, label):
    dataset, (_, make) = SOURCES.get(name), rows[name]
    field = dataset.fields[-1]
    with pytest.raises(MisfitError, match=f"-1 in field '{field}', which is not "):
        dataset.form(make(0, 0) | {field: label})


def test_entailment_stands_against_the_rest(rows):
    form, (_, make) = SOURCES.get("anli-r2").form, rows["anli-r2"]
    assert [form(make(label, 0)).label for label in range(3)] == [1, 0, 0]


def test_none_of_the_above_is_never_asked_about(rows):
    form, (_, make) = SOURCES.get("cosmos_qa").form, rows["cosmos_qa"]
    for seed in range(40):
        row = make(seed % 4, seed) | {"answer2": "None of the above choices ."}
        item = form(row)
        assert "None of the above" not in item.text
        assert item.label == 0 or row["label"] != 2


@pytest.mark.parametrize("label", [1, "1", True, "true", "yes", "True "])
def test_a_label_may_be_written_in_every_way_that_files_have(rows, label):
    make = rows["cola"][1]
    assert SOURCES.get("cola").form(make(0, 0) | {"label": label}).label == 1


def test_rows_that_ask_nothing_are_left_out():
    assert SOURCES.get("anthropic_hh").form({"chosen": "a", "rejected": "a"}) is None
    pair = {"baseline": "a", "less_pleasant": "a"}
    assert SOURCES.get("ethics-utilitarianism").form(pair) is None


KEYS = {
    "boolq": "passage",
    "dream": "dialogue_id",
    "hellaswag": "source_id",
    "quail": "context_id",
    "quartz": "para_id",
    "multirc": "paragraph",
    "mc_taco": "sentence",
    "cosmos_qa": "context",
    "social_i_qa": "context",
    "sciq": "question",
    "openbookqa": "question_stem",
    "piqa": "goal",
    "wic": "word",
    "anli-r2": "premise",
    "ethics-deontology": "scenario",
}


@pytest.mark.parametrize("name", list(KEYS))
def test_items_about_one_thing_have_its_key(rows, name):
    dataset, (_, make) = SOURCES.get(name), rows[name]
    row = make(0, 0)
    assert dataset.form(row).keys == (row[KEYS[name]],)


def test_keys_that_are_part_of_a_text():
    def keys(name, **row):
        return SOURCES.get(name).form(row).keys

    assert keys("ethics-virtue", scenario="He ran. [SEP] brave", label=1) == ("He ran.",)
    assert keys("ethics-justice", scenario="I paid because I ate.", label=1) == ("I paid",)
    talk = "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: No\n\nAssistant: "
    assert keys("anthropic_hh", chosen=talk + "a", rejected=talk + "b") == ("\n\nHuman: Hi",)
    pair = {"baseline": "sun", "less_pleasant": "rain"}
    assert set(keys("ethics-utilitarianism", **pair)) == {"sun", "rain"}


@pytest.mark.parametrize("name", list(DATASETS))
def test_what_is_recorded_is_complete(name):
    dataset = SOURCES.get(name)
    assert dataset.repo.count("/") == 1
    assert dataset.revision in (None, CONVERTED)
    assert dataset.question.endswith("?")
    assert dataset.licence
    assert dataset.paper is None or dataset.paper.startswith("https://")
    assert not dataset.rows or dataset.rows > 1000
