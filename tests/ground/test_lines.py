"""Lines of a terminal: none too wide, and words whole."""

import io

from hypothesis import given
from hypothesis import strategies as st

from weak2strong.ground.lines import cells, tell, width_of, wrapped

WORDS = st.lists(st.text("ab,/-é漢", min_size=1, max_size=30), min_size=1)


@given(WORDS, st.integers(4, 40), st.integers(0, 8))
def test_lines_are_no_wider_and_words_that_fit_stay_whole(words, width, indent):
    text = " " * indent + " ".join(words)
    lines = wrapped(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(words)
    inside = width - (indent if indent <= width // 2 else 0)
    if all(cells(word) <= inside for word in words):
        assert " ".join(" ".join(lines).split()) == " ".join(words)


def test_what_follows_a_break_stands_as_far_in():
    assert wrapped("  one two three\nfour", 9) == ["  one two", "  three", "four"]
    assert wrapped("one two", None) == ["one two"]


def test_spaces_between_columns_stay():
    assert wrapped("  a.parquet  a row a cell", 80) == ["  a.parquet  a row a cell"]


def test_a_path_that_is_told_is_not_broken_so_that_it_can_be_copied(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    path = "/a/path/that/is/longer/than/a/line"
    tell(f"Written to {path} now and then again")
    assert capsys.readouterr().err.splitlines() == ["Written to", path, "now and then again"]


def test_the_width_is_what_columns_says_or_the_terminal(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "73")
    assert width_of(io.StringIO()) == 73
    for odd, width in {"1": 20, "0060": 60, "9" * 5000: 1000}.items():
        monkeypatch.setenv("COLUMNS", odd)
        assert width_of(io.StringIO()) == width
    for none in ("", "0", "wide", "-5", "²"):
        monkeypatch.setenv("COLUMNS", none)
        assert width_of(io.StringIO()) is None

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert width_of(Terminal()) == 80
