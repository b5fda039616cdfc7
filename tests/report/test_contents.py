"""What the terminal says of a task before anything is trained."""

import io
import re

import pytest
from rich.console import Console

from weak2strong.engine.contents import Contents
from weak2strong.report.contents import contents_document
from weak2strong.report.terminal import print_document
from weak2strong.tasks.cleaning import Cleaning


def shown(classes, **changes):
    row = {"split": "test", "examples": 12345, "groups": 1200, "classes": classes}
    row |= {"median_tokens": None, "longest_tokens": None, "truncated": None, **changes}
    cleaning = Cleaning(20000, 5, 0, 0, 0, 0, 7650, 12345)
    task = Contents("data", "data.csv", "data.csv, SHA-256 1", "mit", (), [row], {}, cleaning)
    console = Console(file=io.StringIO(), width=120)
    print_document(contents_document(task), console)
    return console.file.getvalue()


def cells(text):
    (row,) = [line for line in text.splitlines() if line.startswith("test ")]
    return re.split(r"  +", row)


def test_what_was_left_out_stands_above_the_sizes():
    text = shown({"no": 0.25, "[red]yes": 0.75})
    assert text.startswith("data: data.csv, SHA-256 1\n12,345 of 20,000 rows are used.\n")
    assert text.index("Left out as repeats of another row: 5.") < text.index("groups")
    assert cells(text) == ["test", "12,345", "1,200", "no 25.0%, [red]yes 75.0%"]


def test_tokens_have_columns_where_they_were_counted():
    text = shown({"a": 0.5, "b": 0.5}, median_tokens=21.5, longest_tokens=1400, truncated=0.0123)
    assert cells(text)[-3:] == ["21.5", "1,400", "1.2%"]
    assert "longest tokens" in text
    assert cells(shown({"a": 1.0}, median_tokens=21.0))[-1] == "21"


@pytest.mark.parametrize(("count", "said"), [(4, "c0 25.0%"), (5, "5 classes, 10.0% to 60.0%")])
def test_of_many_classes_the_extremes_are_shown(count, said):
    shares = [0.25] * 4 if count == 4 else [0.6, 0.1, 0.1, 0.1, 0.1]
    assert said in shown({f"c{i}": share for i, share in enumerate(shares)})
