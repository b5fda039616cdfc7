"""A chess position in an example's text is shown as a board."""

import re

import pytest

from weak2strong.subjects.chess.board import read_board
from weak2strong.subjects.chess.boards import picture
from weak2strong.subjects.chess.prompts import spaced

FEN = "r3k2r/pp3ppp/2n2n2/8/3P4/2N5/PPP2PPP/R3K2R b KQkq - 0 12"


WORDS = "In the position {}, what is a good move?"


@pytest.mark.parametrize("words", ["{}", "Position: {}\nBest move:", WORDS.replace(",", " ,")])
@pytest.mark.parametrize("position", [FEN, spaced(read_board(FEN))])
def test_every_piece_stands_on_its_square(position, words):
    svg = picture(words.format(position))
    assert svg is not None
    assert 'aria-label="Chess position, black to move: r3k2r/pp3ppp/2n2n2/8/3P4/2N5/' in svg
    placed = re.findall(r'<text x="([\d.]+)" y="([\d.]+)".*?fill="(#\w+)".*?>(.)</text>', svg)
    assert len(placed) == sum(c.isalpha() for c in FEN.split()[0])
    on = {(int(float(x)) // 22, int(float(y)) // 22): (sign, fill) for x, y, fill, sign in placed}
    assert on[0, 0] == ("♜", "#14161a")
    assert on[4, 7] == ("♚", "#ffffff")
    assert on[3, 4] == ("♟", "#ffffff")
    assert (0, 3) not in on


def test_the_right_move_is_marked_however_it_is_written():
    board = read_board(FEN)
    for text in (FEN, spaced(board)):
        plain = picture(text)
        for move in ("e8g8", "O-O", " O-O ", "e8g8\n"):
            svg = picture(text, truths=[move])
            assert "; right: e8g8" in svg
            # From e8 to g8: the fifth and the seventh square of the first row.
            assert 'd="M88 0h22v22h-22zM132 0h22v22h-22z"' in svg
            assert 'd="M99 11L143 11"' in svg
            assert svg.replace("; right: e8g8", "").startswith(plain[: plain.index("<g")])
        assert "right: e8g8, f6e4" in picture(text, truths=["O-O", "Ne4", "f6e4"])
        # A class, a move of the other side, and none at all.
        for other in ("no", "d4d5", "e8", ""):
            assert picture(text, truths=[other]) == plain
    passing = read_board("4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 1")
    assert "right: e5d6" in picture(spaced(passing), truths=["exd6"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Surabaya is a city in",
        "a/b/c/d/e/f/g/h w - - 0 1",
        " ".join(["w"] * 70),
        # Cut short, and no place in a game.
        spaced(read_board(FEN))[:-2],
        "8/8/8/8/8/8/8/8 w - - 0 1",
    ],
)
def test_other_texts_are_no_boards(text):
    assert picture(text) is None
