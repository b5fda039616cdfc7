"""How raw values become texts."""

import math

import pytest

from weak2strong.ground.table import (
    DASH,
    Table,
    count,
    counted,
    estimate,
    number,
    pgr,
    pgr_text,
    words,
)

WITH = {"pgr": 0.541, "pgr_low": 0.409, "pgr_high": 0.671}
WITHOUT = {"pgr": 0.541, "pgr_low": None, "pgr_high": None}
UNDEFINED = {"pgr": None, "pgr_low": None, "pgr_high": None}


@pytest.mark.parametrize(
    ("column", "row", "text"),
    [
        (pgr(), WITH, "0.54 [0.41, 0.67]"),
        (pgr(), WITHOUT, "0.54"),
        (pgr(), UNDEFINED, "undefined"),
        (pgr(), {"pgr": math.nan}, "undefined"),
        (estimate("x"), {"x": 0.5, "x_low": -0.0001, "x_high": 1.0}, "0.500 [0.000, 1.000]"),
        (estimate("x", sign=True), {"x": -0.0001}, "+0.000"),
        (estimate("x"), {"x": None}, DASH),
        (number("x"), {"x": 0.97949}, "0.979"),
        (number("x"), {"x": math.nan}, DASH),
        (number("x", digits=1), {"x": 24.52}, "24.5"),
        (count("x"), {"x": 12345}, "12,345"),
        (count("x"), {}, DASH),
        (words("a_name"), {"a_name": "naive"}, "naive"),
        (words("a_name"), {"a_name": None}, DASH),
    ],
)
def test_a_raw_value_becomes_a_text(column, row, text):
    assert column.text(row) == text


def test_a_table_holds_raw_values_and_gives_texts():
    table = Table("found", "", (words("a_name"), pgr()), [{"a_name": "x", **WITH, "more": 1}])
    assert [c.title for c in table.columns] == ["a name", "PGR [95%]"]
    assert table.texts == [["x", pgr_text(WITH)]]
    assert table.rows[0]["more"] == 1


def test_things_are_counted():
    assert [counted(n, "seed") for n in (0, 1, 2000)] == ["0 seeds", "1 seed", "2,000 seeds"]
