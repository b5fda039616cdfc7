"""Scorers of written answers, against answers as people read them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import METRICS, metric, metric_title, range_of, score_each
from weak2strong.ground.predictions import texts
from weak2strong.ground.written import (
    WRITTEN_METRICS,
    choice_letter,
    found_by,
    last_number,
    words_of,
)
from weak2strong.tasks.answers import comparable, is_right
from weak2strong.tasks.kinds import labels_from_lists


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", "42"),
        ("She has 3 + 4 = 7 apples.", "7"),
        ("9 - 5 = 4, so 4.\n#### 4", "4"),
        ("The price is $1,234.50.", "1234.5"),
        ("1,234,567", "1234567"),
        ("12, 13", "13"),
        ("-3", "-3"),
        ("It fell to \N{MINUS SIGN}0.50 degrees", "-0.5"),
        ("10-5", "5"),
        ("on page A4", ""),
        ("007", "7"),
        (".25", "0.25"),
        ("50%", "50"),
        ("3/4", "0.75"),
        ("1 / 3 of them", "1/3"),
        ("2/6", "1/3"),
        ("5/0", ""),
        ("6.0e2 m", "600"),
        ("1e999999", "1"),
        ("no number", ""),
        ("", ""),
        ("42km", "42"),
        ("1000000000000000000000000000000001", "1000000000000000000000000000000001"),
        ("9" * 5000, "9" * 5000),
        ("1 1/2", "1.5"),
        ("It takes -2 1/4 hours", "-2.25"),
        ("of 3 3/2", "1.5"),
        ("A4 1/2", "0.5"),
        ("1,5 1/2", "0.5"),
        ("1.000.000", "1000000"),
        ("12.345.678", "12345678"),
        ("1.000", "1"),
        ("version 1.2.3", ""),
        ("12.34.56", ""),
        ("on 24.12.2024 it was 5", "5"),
        ("He has 5.", "5"),
        ("1.5e3.", "1500"),
    ],
)
def test_the_last_number_of_a_text(text, number):
    assert last_number(text) == number


@given(st.fractions(max_denominator=10**6))
def test_a_number_has_one_form_however_it_is_written(value):
    form = last_number(f"x = {value}")
    assert Fraction(form) == value
    assert last_number(form) == form
    if value.denominator in (1, 2, 4, 8, 5, 10, 100):
        assert last_number(f"{float(value):.6f}") == form if abs(value) < 10**6 else True


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("b.", "B"),
        ("B) Paris", "B"),
        ("(c)", "C"),
        ("(A) is tempting, but it is (D).", "D"),
        ("The answer is B because A is too small", "B"),
        ("Answer: c", "C"),
        ("the answer is (d) of course", "D"),
        ("The answer is a dog", ""),
        ("So the answer: I think it is C", "C"),
        ("I would choose option E.", "E"),
        ("A dog", ""),
        ("Paris", ""),
        ("", ""),
    ],
)
def test_the_letter_of_a_choice(text, letter):
    assert choice_letter(text) == letter


def test_words_are_compared_without_case_signs_and_articles():
    assert words_of("The  U.S.A., an 'odd' Place!") == "usa odd place"
    assert words_of("another theory") == "another theory"


def test_a_pattern_takes_its_last_match_and_its_first_group():
    assert found_by(r"is (\w+)", "it is red, no, it is  BLUE") == "red"
    assert found_by(r"is\s+(\w+)", "it is red, no, it is  BLUE") == "blue"
    assert found_by(r"[a-z]+", "one two") == "two"
    assert found_by(r"a(b)?", "a") == ""


def labelled(*accepted):
    return labels_from_lists("generation", accepted)


def test_what_says_nothing_is_wrong_even_where_the_target_says_nothing():
    answers = texts(["7 apples", "none", "8", "none"])
    labels = labelled(("7",), ("7", "0.5"), ("8.0",), ("none",))
    score = metric("generation", "number_match")
    assert score.each(answers, labels).tolist() == [True, False, True, False]
    assert score(answers, labels) == pytest.approx(0.5)
    assert score(answers, labels, np.array([[1, 1, 1, 1], [3, 1, 0, 0]])) == pytest.approx(
        [0.5, 0.75]
    )
    assert range_of(score) == (0, 1)


def test_the_target_of_a_pattern_may_stand_alone():
    score = metric("generation", r"pattern_match:answer is (\d+)")
    answers = texts(["The answer is 12.", "12", "the answer is 12", "The answer is 13"])
    labels = labelled(("12",), ("12",), ("Well, the answer is 12",), ("12",))
    assert score.each(answers, labels).tolist() == [True, False, True, False]
    with pytest.raises(UserError, match=r"pattern_match:\( is no regular expression"):
        metric("generation", "pattern_match:(")
    with pytest.raises(UserError, match="needs a regular expression"):
        metric("generation", "pattern_match")
    with pytest.raises(UserError, match="Unknown metric of classification tasks"):
        metric("classification", "pattern_match:a")
    assert metric_title("pattern_match:a_b") == "pattern match (a_b)"


@pytest.mark.parametrize("name", [*METRICS["generation"], r"pattern_match:(\w+)\W*$"])
def test_who_is_right_is_what_the_score_counts(name):
    rng = np.random.default_rng(0)
    some = ["7", "7.0 km", "(B)", "b", "B", "the cat", "Cat.", "", "none", "1/2", "0.5"]
    labels = labelled(*(tuple(rng.choice(some, 2)) for _ in range(50)))
    values = texts(rng.choice(some, 3 * 50)).reshape(3, 50)
    score, weights = metric("generation", name), rng.integers(0, 4, (5, 50))
    right = is_right(values, labels, "generation", name)
    expected = [score(row, labels) for row in values]
    assert right.mean(axis=1) == pytest.approx(expected)
    assert score_each(score, list(values), labels, weights) == pytest.approx(
        (weights @ right.T) / weights.sum(axis=1, keepdims=True)
    )
    said = comparable(values, "generation", name)
    assert said.shape == (3, 50)
    assert 0 < right.mean() < 1


def test_a_fraction_at_the_end_of_a_sentence_and_a_debt_are_read_whole():
    assert last_number("The answer is 7/8.") == "0.875"
    assert last_number("It is 1/3.") == "1/3"
    assert last_number("either 7/8.5") == "8.5"
    assert last_number("a loss of -$1,200.50.") == "-1200.5"
    assert last_number("from $5-$7") == "7"


def test_a_match_of_nothing_is_no_match():
    assert found_by(r".*", "red") == "red"
    assert found_by(r"\d*", "it is 12, I think") == "12"
    assert found_by(r"is (\w*)", "it is red, it is ") == "red"


@pytest.mark.parametrize(
    ("answer", "right"), [("", False), ("the", False), ("a", True), ("B", False)]
)
def test_a_target_without_words_is_not_what_every_empty_answer_says(answer, right):
    assert WRITTEN_METRICS["words_match"].each(np.array([answer]), one_each(("A",))) == [right]


def one_each(*texts):
    """What counts as right, an entry an example."""
    made = np.empty(len(texts), dtype=object)
    made[:] = texts
    return made
