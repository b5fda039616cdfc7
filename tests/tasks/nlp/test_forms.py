"""No form lets the answer show through the format: on made-up rows with the true fields.

All texts of a row are random strings that differ. So whatever a form adds to them, or
takes from them, is seen once each is replaced by the name of its field.
"""

import random
from dataclasses import replace

import pytest

from weak2strong.tasks.nlp import BURNS, DATASETS, ELEUTHER
from weak2strong.tasks.nlp.dataset import CONVERTED
from weak2strong.tasks.nlp.fields import MisfitError
from weak2strong.tasks.nlp.forms import draw

LETTERS = "ABCD"


def sayer(seed):
    """Makes strings of every look: either case, digits, stops, spaces at the ends."""
    dice = random.Random(f"say {seed}")

    def say():
        words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(2)]
        look = dice.choice((str.lower, str.upper, str.capitalize))
        ends = ("", "", ".", "!", " ", '"'), ("", "", " ", "{x} ", "1 ")
        return dice.choice(ends[1]) + look(" ".join(words)) + dice.choice(ends[0])

    return say


def numbered(*names, say, **others):
    return {**{name: say() for name in names}, **others}


def lettered(right, count, say, **others):
    letters = LETTERS[:count]
    texts = [say() for _ in letters]
    return {"choices": {"text": texts, "label": list(letters)}, "answerKey": letters[right]} | {
        name: say() for name in others
    }


def swapped(right, count, say):
    """As many strings, the one that is right first."""
    made = [say() for _ in range(count)]
    return [made[right], *(text for i, text in enumerate(made) if i != right)]


def sciq(right, say, *more):
    names = ("correct_answer", "distractor1", "distractor2", "distractor3")
    return numbered("question", *more, say=say) | dict(
        zip(names, swapped(right, 4, say), strict=True)
    )


def conversation(right, say):
    start = f"\n\nHuman: {say()}\n\nAssistant: "
    chosen, rejected = (start + end for end in swapped(right, 2, say))
    return {"chosen": chosen, "rejected": rejected}


def dream(right, say):
    choice = [say() for _ in range(3)]
    fields = numbered("dialogue_id", "question", say=say, dialogue=[say(), say()])
    return fields | {"choice": choice, "answer": choice[right]}


COSMOS = ("context", "question", "answer0", "answer1", "answer2", "answer3")
SOCIAL = ("context", "question", "answerA", "answerB", "answerC")

ROWS = {
    "boolq": (2, lambda r, say: numbered("question", "passage", say=say, answer=bool(r))),
    "cosmos_qa": (4, lambda r, say: numbered(*COSMOS, say=say, label=r)),
    "dream": (3, dream),
    "ethics-justice": (2, lambda r, say: numbered("scenario", say=say, label=r)),
    "ethics-deontology": (2, lambda r, say: numbered("scenario", "excuse", say=say, label=r)),
    "ethics-virtue": (2, lambda r, say: {"scenario": f"{say()} [SEP] {say()}", "label": r}),
    "ethics-utilitarianism": (
        2,
        lambda r, say: dict(zip(("baseline", "less_pleasant"), swapped(r, 2, say), strict=True)),
    ),
    "anli-r2": (3, lambda r, say: numbered("premise", "hypothesis", say=say, label=r)),
    "cola": (2, lambda r, say: numbered("sentence", say=say, label=r)),
    "sst2": (2, lambda r, say: numbered("sentence", say=say, label=r)),
    "hellaswag": (
        4,
        lambda r, say: numbered(
            "source_id", "ctx", say=say, endings=[say() for _ in range(4)], label=str(r)
        ),
    ),
    "mc_taco": (2, lambda r, say: numbered("sentence", "question", "answer", say=say, label=r)),
    "openbookqa": (4, lambda r, say: lettered(r, 4, say, question_stem=0)),
    "paws": (2, lambda r, say: numbered("sentence1", "sentence2", say=say, label=r)),
    "quail": (
        4,
        lambda r, say: numbered(
            "context_id",
            "context",
            "question",
            say=say,
            answers=[say() for _ in range(4)],
            correct_answer_id=r,
        ),
    ),
    "piqa": (2, lambda r, say: numbered("goal", "sol1", "sol2", say=say, label=r)),
    "quartz": (2, lambda r, say: lettered(r, 2, say, para_id=0, para=0, question=0)),
    "sciq": (4, sciq),
    "social_i_qa": (3, lambda r, say: numbered(*SOCIAL, say=say, label=str(r + 1))),
    "multirc": (2, lambda r, say: numbered("paragraph", "question", "answer", say=say, label=r)),
    "wic": (2, lambda r, say: numbered("word", "sentence1", "sentence2", say=say, label=r)),
    "twitter-sentiment": (2, lambda r, say: numbered("text", say=say, label=r)),
    "sciq_with_support": (4, lambda r, say: sciq(r, say, "support")),
    "anthropic_hh": (2, conversation),
    "amazon_polarity": (2, lambda r, say: numbered("title", "content", say=say, label=r)),
}
"""By dataset, how many different answers can be right, and a row where one of them is."""

OPTIONS = {
    "cosmos_qa": lambda row: [row[f"answer{i}"] for i in range(4)],
    "dream": lambda row: row["choice"],
    "hellaswag": lambda row: row["endings"],
    "openbookqa": lambda row: row["choices"]["text"],
    "quail": lambda row: row["answers"],
    "piqa": lambda row: [row["sol1"], row["sol2"]],
    "quartz": lambda row: row["choices"]["text"],
    "sciq": lambda row: [v for k, v in row.items() if k.startswith(("correct", "distr"))],
    "social_i_qa": lambda row: [row[f"answer{x}"] for x in "ABC"],
    "sciq_with_support": lambda row: [v for k, v in row.items() if k.startswith(("corr", "distr"))],
    "anthropic_hh": lambda row: [row["chosen"], row["rejected"]],
}
"""What a text may offer as the answer, of datasets that show one of several."""

RIGHT = {
    "cosmos_qa": lambda row: row[f"answer{row['label']}"],
    "dream": lambda row: row["answer"],
    "hellaswag": lambda row: row["endings"][int(row["label"])],
    "openbookqa": lambda row: row["choices"]["text"][LETTERS.index(row["answerKey"])],
    "quail": lambda row: row["answers"][row["correct_answer_id"]],
    "piqa": lambda row: row[f"sol{row['label'] + 1}"],
    "quartz": lambda row: row["choices"]["text"][LETTERS.index(row["answerKey"])],
    "sciq": lambda row: row["correct_answer"],
    "social_i_qa": lambda row: row[f"answer{'ABC'[int(row['label']) - 1]}"],
    "sciq_with_support": lambda row: row["correct_answer"],
    "anthropic_hh": lambda row: row["chosen"],
}
"""The right one of these."""

SEEDS = range(40)


def strings(value, at=""):
    """Every text of a row that says something, with its place; letters and numbers do not."""
    if isinstance(value, str):
        parts = value.split(" [SEP] ")
        if len(value) > 5:
            yield from ((part, f"<{at} {i}>") for i, part in enumerate(parts))
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from strings(inner, f"{at}/{key}")


def without_strings(text, row):
    for string, place in sorted(strings(row), key=lambda pair: -len(pair[0])):
        text = text.replace(string, place)
    return text


def shown(text, options):
    """The answer that a text asks about: the option that stands last, and where."""
    at, answer = max((text.rfind(option), option) for option in options)
    assert at >= 0, f"no option stands in {text!r} as the dataset has it"
    return at, answer


def check_form(dataset):
    """Raise where something other than the answer itself tells whether it is right."""
    ways, make = ROWS[dataset.name]
    forms, labels = set(), set()
    for seed in SEEDS:
        rows = [make(right, sayer(seed)) for right in range(ways)]
        items = [dataset.form(row) for row in rows]
        for row, item in zip(rows, items, strict=True):
            assert set(row) == set(dataset.fields)
            labels.add(item.label)
            if dataset.name in OPTIONS:
                at, answer = shown(item.text, OPTIONS[dataset.name](row))
                assert item.label == (answer == RIGHT[dataset.name](row))
                rest = item.text[:at] + "<answer>" + item.text[at + len(answer) :]
                # The order of the options is the dataset's, and so is what they say.
                forms.add(without_strings(rest, row))
            else:
                # The first row's texts, so that another order shows as another form.
                forms.add((seed, item.text))
    if dataset.name in OPTIONS:
        assert len(forms) == 1, f"{len(forms)} forms: {sorted(forms)[:3]}"
    else:
        assert len(forms) == len(SEEDS), "the text changes with the label"
    assert labels == {0, 1}


def test_there_are_22_and_3_more():
    assert len(BURNS) == 22
    assert set(ELEUTHER) - set(BURNS) == {"sciq_with_support", "anthropic_hh", "amazon_polarity"}
    assert set(ROWS) == set(ELEUTHER)
    assert set(OPTIONS) == set(RIGHT)


@pytest.mark.parametrize("name", ELEUTHER)
def test_positives_and_negatives_have_one_form(name):
    dataset = DATASETS.get(name)
    assert dataset.name == name
    check_form(dataset)


JUDGED = [name for name in ELEUTHER if name not in OPTIONS and name != "ethics-utilitarianism"]


@pytest.mark.parametrize("name", JUDGED)
def test_a_template_adds_the_same_words_to_every_row(name):
    dataset, (_, make) = DATASETS.get(name), ROWS[name]
    rows = [make(seed % 2, sayer(seed)) for seed in SEEDS]
    assert len({without_strings(dataset.form(row).text, row) for row in rows}) == 1


def letter_for_positives(row, item, right):
    return item.text.replace(f"answer: {right}", f"answer: {row['answerKey']}")


def tidy_positives(row, item, right):
    return item.text.replace(f"answer: {right}", f"answer: {right.strip()}")


def lower_case_positives(row, item, right):
    return item.text.replace(f"answer: {right}", f"answer: {right.lower()}")


def another_question_for_positives(row, item, right):
    return item.text.replace("Is it", "Is this")


def letter_of_the_right_answer_for_all(row, item, right):
    return f"{item.text} {row['answerKey']}"


BROKEN = (
    letter_for_positives,
    tidy_positives,
    lower_case_positives,
    another_question_for_positives,
    letter_of_the_right_answer_for_all,
)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda f: f.__name__)
def test_a_form_that_gives_the_answer_away_is_noticed(broken):
    good = DATASETS.get("openbookqa")

    def form(row):
        item = good.form(row)
        everywhere = broken is letter_of_the_right_answer_for_all
        if item.label or everywhere:
            item = replace(item, text=broken(row, item, RIGHT["openbookqa"](row)))
        return item

    with pytest.raises(AssertionError):
        check_form(replace(good, form=form))


def test_a_label_that_shows_in_the_text_is_noticed():
    good = DATASETS.get("boolq")

    def form(row):
        item = good.form(row)
        return replace(item, text=f"{item.text} {row['answer']}")

    with pytest.raises(AssertionError, match="the text changes with the label"):
        check_form(replace(good, form=form))


@pytest.mark.parametrize("name", [*OPTIONS, "ethics-utilitarianism"])
def test_what_is_drawn_is_right_as_often_as_wrong_and_any_of_the_others(name):
    dataset, (ways, make) = DATASETS.get(name), ROWS[name]
    n, labels, places = 400, [], []
    for seed in range(n):
        row = make(seed % ways, sayer(seed))
        item = dataset.form(row)
        labels.append(item.label)
        if name in OPTIONS and not item.label:
            options = OPTIONS[name](row)
            places.append(options.index(shown(item.text, options)[1]))
    # Four standard deviations of a fair coin.
    assert abs(sum(labels) - n / 2) < 4 * (n / 4) ** 0.5
    if places and not name.startswith(("sciq", "anthropic")):
        assert set(places) == set(range(ways))


@pytest.mark.parametrize("name", ELEUTHER)
def test_a_language_model_is_asked_a_question_that_yes_or_no_answer(name):
    dataset, (_, make) = DATASETS.get(name), ROWS[name]
    said = dataset.prompt.asked(dataset.form(make(0, sayer(1))).text)
    assert said.endswith("?\nAnswer:")
    assert dataset.prompt.scored == ((" no",), (" yes",))


@pytest.mark.parametrize("name", ELEUTHER)
def test_an_item_depends_on_its_row_alone(name):
    dataset, (_, make) = DATASETS.get(name), ROWS[name]
    one, other = (make(0, sayer(seed)) for seed in (1, 2))
    first = dataset.form(one)
    dataset.form(other)
    assert dataset.form(dict(reversed(one.items()))) == first


@pytest.mark.parametrize("name", ELEUTHER)
def test_a_field_that_is_not_what_it_should_be_is_named(name):
    dataset, (_, make) = DATASETS.get(name), ROWS[name]
    for field in dataset.fields:
        with pytest.raises(MisfitError, match=field):
            dataset.form(make(0, sayer(0)) | {field: None})


@pytest.mark.parametrize(("name", "label"), [("boolq", -1), ("anli-r2", -1), ("piqa", -1)])
def test_a_hidden_label_is_no_label(name, label):
    dataset, (_, make) = DATASETS.get(name), ROWS[name]
    field = dataset.fields[-1]
    with pytest.raises(MisfitError, match=f"-1 in field '{field}', which is not "):
        dataset.form(make(0, sayer(0)) | {field: label})


def test_entailment_stands_against_the_rest():
    form, (_, make) = DATASETS.get("anli-r2").form, ROWS["anli-r2"]
    assert [form(make(label, sayer(0))).label for label in range(3)] == [1, 0, 0]


def test_none_of_the_above_is_never_asked_about():
    form, (_, make) = DATASETS.get("cosmos_qa").form, ROWS["cosmos_qa"]
    for seed in SEEDS:
        row = make(seed % 4, sayer(seed)) | {"answer2": "None of the above choices ."}
        item = form(row)
        assert "None of the above" not in item.text
        assert item.label == 0 or row["label"] != 2


@pytest.mark.parametrize("label", [1, "1", True, "true", "yes", "True "])
def test_a_label_may_be_written_in_every_way_that_files_have(label):
    make = ROWS["cola"][1]
    assert DATASETS.get("cola").form(make(0, sayer(0)) | {"label": label}).label == 1


def test_rows_that_ask_nothing_are_left_out():
    assert DATASETS.get("anthropic_hh").form({"chosen": "a", "rejected": "a"}) is None
    pair = {"baseline": "a", "less_pleasant": "a"}
    assert DATASETS.get("ethics-utilitarianism").form(pair) is None


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
def test_items_about_one_thing_have_its_key(name):
    dataset, (_, make) = DATASETS.get(name), ROWS[name]
    row = make(0, sayer(0))
    assert dataset.form(row).keys == (row[KEYS[name]],)


def test_keys_that_are_part_of_a_text():
    def keys(name, **row):
        return DATASETS.get(name).form(row).keys

    assert keys("ethics-virtue", scenario="He ran. [SEP] brave", label=1) == ("He ran.",)
    assert keys("ethics-justice", scenario="I paid because I ate.", label=1) == ("I paid",)
    talk = "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: No\n\nAssistant: "
    assert keys("anthropic_hh", chosen=talk + "a", rejected=talk + "b") == ("\n\nHuman: Hi",)
    pair = {"baseline": "sun", "less_pleasant": "rain"}
    assert set(keys("ethics-utilitarianism", **pair)) == {"sun", "rain"}


@pytest.mark.parametrize("name", list(DATASETS))
def test_what_is_recorded_is_complete(name):
    dataset = DATASETS.get(name)
    assert dataset.repo.count("/") == 1
    assert dataset.revision in (None, CONVERTED)
    assert dataset.question.endswith("?")
    assert dataset.licence
    assert dataset.paper is None or dataset.paper.startswith("https://")
    assert not dataset.rows or dataset.rows > 1000


def test_a_draw_depends_on_content_alone():
    assert draw("a", "b") == draw("a", "b") != draw("ab")
