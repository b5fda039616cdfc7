"""One table in the terminal, as Markdown, as HTML and as JSON."""

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from rich.cells import cell_len
from rich.console import Console

from weak2strong.ground.table import DASH, Document, Table, count, number, pgr, words
from weak2strong.report.formats import to_html, to_json, to_markdown
from weak2strong.report.terminal import print_document, print_table

COLUMNS = (
    words("task"),
    words("method"),
    *(number(name) for name in ("floor", "student", "ceiling")),
    pgr(),
    number("probe", detail=True),
    count("examples", detail=True),
)
ROWS = [
    {
        "task": "atlas-asia",
        "method": method,
        "floor": 0.8191,
        "student": 0.915,
        "ceiling": 0.979,
        "pgr": value,
        "pgr_low": value and value - 0.3499,
        "pgr_high": value and 0.94,
        "probe": None,
        "examples": 1000,
        "extra": np.float64("nan"),
    }
    for method, value in (("naive", 0.6), ("confidence", None))
]
TABLE = Table("scores", "Scores", COLUMNS, ROWS, ["A note."])


def printed(table: Table, width: int = 140, terminal: bool = False) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    print_table(table, console)
    return console.file.getvalue().splitlines()


def test_a_wide_terminal_shows_a_line_a_row():
    lines = printed(TABLE)
    assert lines == [
        "",
        "Scores",
        "task        method      floor  student  ceiling          PGR [95%]  probe  examples",
        "─" * 83,
        "atlas-asia  naive       0.819    0.915    0.979  0.60 [0.25, 0.94]      –     1,000",
        "atlas-asia  confidence  0.819    0.915    0.979          undefined      –     1,000",
        "A note.",
    ]


def test_details_stand_beneath_the_row_where_it_does_not_fit():
    assert printed(TABLE, 80)[2:6] == [
        "task        method      floor  student  ceiling          PGR [95%]",
        "─" * 66,
        "atlas-asia  naive       0.819    0.915    0.979  0.60 [0.25, 0.94]",
        f"    probe {DASH} · examples 1,000",
    ]


def test_then_the_last_columns_leave_the_row():
    assert printed(TABLE, 60)[2:6] == [
        "task        method      floor  student  ceiling",
        "─" * 47,
        "atlas-asia  naive       0.819    0.915    0.979",
        "    PGR [95%] 0.60 [0.25, 0.94] · probe – · examples 1,000",
    ]


def test_below_60_characters_a_row_is_a_block():
    assert printed(TABLE, 59)[2:18] == [
        *("task: atlas-asia", "  method     naive"),
        *("  floor      0.819", "  student    0.915", "  ceiling    0.979"),
        *("  PGR [95%]  0.60 [0.25, 0.94]", f"  probe      {DASH}", "  examples   1,000"),
        *("", "task: atlas-asia", "  method     confidence"),
        *("  floor      0.819", "  student    0.915", "  ceiling    0.979"),
        *("  PGR [95%]  undefined", f"  probe      {DASH}"),
    ]
    fits = Table("t", "", (words("a"), number("x")), [{"a": "b", "x": 1}])
    assert printed(fits, 20)[0] == "a      x"


def test_a_long_title_of_a_block_stands_above_its_text():
    columns = (words("a"), words("b", "what it does, and where it is from", wraps=True))
    table = Table("t", "", columns, [{"a": "x" * 30, "b": "one two three"}])
    assert printed(table, 32) == [
        *("a:", "x" * 30, "  what it does, and where it is", "  from:", "    one two three")
    ]


def test_prose_takes_several_lines_and_titles_break_between_words():
    columns = (words("name", "the name"), words("about", "what it does", wraps=True), number("x"))
    rows = [{"name": "n", "about": "one two three four five six seven eight nine", "x": 1.0}]
    assert printed(Table("t", "", columns, rows), 50) == [
        "the name  what it does                           x",
        "─" * 50,
        "n         one two three four five six seven  1.000",
        "          eight nine",
    ]
    narrow = Table("t", "", (words("a", "a long title"), number("x", "an x")), [{"a": "b", "x": 1}])
    assert printed(narrow, 12)[:3] == ["a", "long", "title   an x"]


def test_a_gap_stands_before_a_part():
    table = Table("t", "", (words("a"),), [{"a": "x"}, {"a": "y"}], gaps=(1,))
    assert printed(table) == ["a", "─", "x", "", "y"]


def test_what_data_say_is_no_markup():
    hostile = Table("t", "[red]t[/red]", (words("a", "[b]a[/b]"),), [{"a": "[red]x[/red] [/]"}])
    assert printed(hostile, terminal=True)[1:] == [
        "[red]t[/red]",
        "[b]a[/b]",
        "─" * 16,
        "[red]x[/red] [/]",
    ]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"])), min_size=3),
    st.integers(20, 90),
)
def test_nothing_is_cut_or_wider_than_the_terminal(texts, width):
    names = [f"c{i}" for i in range(len(texts))]
    columns = tuple(words(n, wraps=i % 2 == 1, detail=i % 3 == 2) for i, n in enumerate(names))
    lines = printed(Table("t", "", columns, [dict(zip(names, texts, strict=True))]), width)
    assert max(map(cell_len, lines)) <= width
    shown = "".join("".join(lines).split())
    for text in texts:
        for word in text.split():
            assert len(word) > 8 or word in shown


def test_markdown_escapes_what_it_would_take_for_markup():
    rows = [{"a": "x|y <b> *z* [l](u)\nnext", "pgr": 0.5, "pgr_low": 0.25, "pgr_high": 0.75}]
    assert to_markdown(Table("t", "A title", (words("a", "a|b"), pgr()), rows, ["A note."])) == (
        "A title\n\n| a\\|b | PGR [95%] |\n| --- | ---: |\n"
        "| x\\|y \\<b\\> \\*z\\* [l\\](u)<br>next | 0.50 [0.25, 0.75] |\n\nA note."
    )


def test_html_escapes_every_text():
    evil = '<script>alert("x")</script> & co'
    table = Table("t", evil, (words("a", evil), pgr()), [{"a": evil}], [evil])
    html = to_html(table)
    assert isinstance(html, Markup)
    assert "<script>" not in html
    assert html.count("&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; co") == 5
    assert '<td class="number">undefined</td>' in html
    assert "data-sortable" in html
    assert "data-sortable" not in to_html(table, sortable=False)


def test_json_has_raw_values_and_null_for_what_is_not_defined():
    facts = {"folder": Path("runs/x"), "infinite": math.inf, "array": np.arange(2)}
    other = Table("more", "", (words("a"),), [{"a": np.int64(1)}])
    document = Document((TABLE, other, other), facts, notes=["Last."], warnings=["Careful."])
    found = json.loads(to_json(document, "table"))
    assert list(found) == [
        "command", "version", "scores", "more", "folder", "infinite", "array", "notes", "warnings",
    ]  # fmt: skip
    assert found["scores"][0] == {**ROWS[0], "extra": None, "pgr_wide": False}
    assert found["scores"][1]["pgr"] is None
    assert found["more"] == [{"a": 1}, {"a": 1}]
    assert (found["folder"], found["infinite"], found["array"]) == ("runs/x", None, [0, 1])
    assert found["notes"] == ["A note.", "Last."]
    assert found["warnings"] == ["Careful."]


def test_a_fact_takes_the_place_of_the_rows_of_its_name():
    document = Document((TABLE,), {"scores": [1]})
    assert json.loads(to_json(document, "table"))["scores"] == [1]


@pytest.mark.parametrize("terminal", [True, False])
def test_sentences_break_between_words_in_a_terminal_alone(terminal):
    console = Console(file=io.StringIO(), width=20, force_terminal=terminal, color_system=None)
    print_document(Document((), head=["one two three four five"], warnings=["six"]), console)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    first = ["one two three four", "five"] if terminal else ["one two three four five"]
    assert lines == [*first, "warning: six"]
