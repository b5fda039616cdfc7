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
