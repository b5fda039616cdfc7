"""Chess positions as pictures, where the text of an example is one."""

from __future__ import annotations

import re

from weak2strong.tasks.chess.board import read_board
from weak2strong.tasks.chess.prompts import SIGNS

SQUARE = 22
"""Width of a square, in pixels."""

PIECES = dict(zip("kqrbnp", "♚♛♜♝♞♟", strict=True))
"""The solid signs: white's pieces are drawn with an outline, black's filled."""

_OF_SIGN = {sign: piece for piece, sign in SIGNS.items()}
_HEAD = 6
"""Words of a spaced board before its squares: side to move, castling rights, en passant."""


def picture(text: str) -> str | None:
    """A position as SVG, from a spaced board or FEN; None for any other text."""
    found = _spaced(text) or _fen(text)
    if found is None:
        return None
    white, squares = found
    side = "white" if white else "black"
    size = 8 * SQUARE
    parts = [
        f'<svg class="board" role="img" aria-label="Chess position, {side} to move: '
        f'{_placement(squares)}" viewBox="0 0 {size} {size}" width="{size}" height="{size}">',
        f'<rect width="{size}" height="{size}" fill="#efe6d2"/>',
    ]
    for place, piece in enumerate(squares):
        row, column = divmod(place, 8)
        x, y = column * SQUARE, row * SQUARE
        if (row + column) % 2:
            parts.append(
                f'<rect x="{x}" y="{y}" width="{SQUARE}" height="{SQUARE}" fill="#b08d63"/>'
            )
        if piece != ".":
            fill = "#ffffff" if piece.isupper() else "#14161a"
            parts.append(
                f'<text x="{x + SQUARE / 2:g}" y="{y + 0.8 * SQUARE:g}" text-anchor="middle" '
                f'font-size="{0.85 * SQUARE:g}" fill="{fill}" stroke="#14161a" '
                f'stroke-width=".6">{PIECES[piece.lower()]}</text>'
            )
    return "".join([*parts, "</svg>"])


def _spaced(text: str) -> tuple[bool, str] | None:
    words = text.split()
    if len(words) != _HEAD + 64 or words[0] not in ("w", "b"):
        return None
    if not all(word in _OF_SIGN for word in words[_HEAD:]):
        return None
    return words[0] == "w", "".join(_OF_SIGN[word] for word in words[_HEAD:])


def _fen(text: str) -> tuple[bool, str] | None:
    if text.count("/") != 7 or len(text.split()) != 6:
        return None
    try:
        board = read_board(text)
    except ValueError:
        return None
    return board.white, board.squares


def _placement(squares: str) -> str:
    """The squares as FEN has them."""
    ranks = (squares[at : at + 8] for at in range(0, 64, 8))
    return re.sub(r"\.+", lambda empty: str(len(empty[0])), "/".join(ranks))
