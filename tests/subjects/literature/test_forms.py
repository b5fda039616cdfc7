"""No form lets the answer show through the format: on made-up rows with the true fields.

All texts of a row are random strings that differ. So whatever a form adds to them, or
takes from them, is seen once each is replaced by the name of its field.
"""

from dataclasses import replace

import pytest

from weak2strong.subjects.literature import BURNS, ELEUTHER
from weak2strong.subjects.literature.forms import draw
from weak2strong.tasks import SOURCES

LETTERS = "ABCD"

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


def check_form(dataset, rows):
    """Raise where something other than the answer itself tells whether it is right."""
    ways, make = rows[dataset.name]
    forms, labels = set(), set()
    for seed in SEEDS:
        made = [make(right, seed) for right in range(ways)]
        items = [dataset.form(row) for row in made]
        for row, item in zip(made, items, strict=True):
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


def test_there_are_22_and_3_more(rows):
    assert len(BURNS) == 22
    assert set(ELEUTHER) - set(BURNS) == {"sciq_with_support", "anthropic_hh", "amazon_polarity"}
    assert set(rows) == set(ELEUTHER)
    assert set(OPTIONS) == set(RIGHT)


@pytest.mark.parametrize("name", ELEUTHER)
def test_positives_and_negatives_have_one_form(rows, name):
    dataset = SOURCES.get(name)
    assert dataset.name == name
    check_form(dataset, rows)


JUDGED = [name for name in ELEUTHER if name not in OPTIONS and name != "ethics-utilitarianism"]


@pytest.mark.parametrize("name", JUDGED)
def test_a_template_adds_the_same_words_to_every_row(rows, name):
    dataset, (_, make) = SOURCES.get(name), rows[name]
    made = [make(seed % 2, seed) for seed in SEEDS]
    assert len({without_strings(dataset.form(row).text, row) for row in made}) == 1


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
def test_a_form_that_gives_the_answer_away_is_noticed(rows, broken):
    good = SOURCES.get("openbookqa")

    def form(row):
        item = good.form(row)
        everywhere = broken is letter_of_the_right_answer_for_all
        if item.label or everywhere:
            item = replace(item, text=broken(row, item, RIGHT["openbookqa"](row)))
        return item

    with pytest.raises(AssertionError):
        check_form(replace(good, form=form), rows)


def test_a_label_that_shows_in_the_text_is_noticed(rows):
    good = SOURCES.get("boolq")

    def form(row):
        item = good.form(row)
        return replace(item, text=f"{item.text} {row['answer']}")

    with pytest.raises(AssertionError, match="the text changes with the label"):
        check_form(replace(good, form=form), rows)


@pytest.mark.parametrize("name", [*OPTIONS, "ethics-utilitarianism"])
def test_what_is_drawn_is_right_as_often_as_wrong_and_any_of_the_others(rows, name):
    dataset, (ways, make) = SOURCES.get(name), rows[name]
    n, labels, places = 400, [], []
    for seed in range(n):
        row = make(seed % ways, seed)
        item = dataset.form(row)
        labels.append(item.label)
        if name in OPTIONS and not item.label:
            options = OPTIONS[name](row)
            places.append(options.index(shown(item.text, options)[1]))
    # Four standard deviations of a fair coin.
    assert abs(sum(labels) - n / 2) < 4 * (n / 4) ** 0.5
    if places and not name.startswith(("sciq", "anthropic")):
        assert set(places) == set(range(ways))


def test_a_draw_depends_on_content_alone():
    assert draw("a", "b") == draw("a", "b") != draw("ab")
