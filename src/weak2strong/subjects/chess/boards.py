"""Chess positions as pictures, where the text of an example has one."""

from __future__ import annotations

import re

from weak2strong.subjects.chess.board import read_board
from weak2strong.subjects.chess.prompts import SIGNS

SQUARE = 22
"""Width of a square, in pixels."""

DARK = "".join(
    f"M{column * SQUARE} {row * SQUARE}h{SQUARE}v{SQUARE}h-{SQUARE}z"
    for row in range(8)
    for column in range(8)
    if (row + column) % 2
)
"""The dark squares as one path: a page may have hundreds of boards."""

PIECES = dict(zip("kqrbnp", "♚♛♜♝♞♟", strict=True))
"""The solid signs: white's pieces are drawn with an outline, black's filled."""

_OF_SIGN = {sign: piece for piece, sign in SIGNS.items()}
_SPACED = re.compile(
    # Side to move, castling rights and en passant, then the squares, each a word.
    rf"(?<!\S)([wb])(?:\s+[{SIGNS['K']}{SIGNS['Q']}{SIGNS['k']}{SIGNS['q']}{SIGNS['.']}]){{4}}"
    rf"\s+[a-h{SIGNS['.']}]((?:\s+[{''.join(_OF_SIGN)}]){{64}})(?!\S)"
)
_FEN = re.compile(
    r"(?<!\S)(?:[1-8pnbrqkPNBRQK]{1,8}/){7}[1-8pnbrqkPNBRQK]{1,8} [wb] (?:-|[KQkq]{1,4}) "
    r"(?:-|[a-h][36]) \d+ \d+"
)


def picture(text: str) -> str | None:
    """A position as SVG: the first spaced board or FEN in a text; None where it has none."""
    position = _spaced(text) or _fen(text)
    if position is None:
        return None
    white, squares = position
    side = "white" if white else "black"
    size = 8 * SQUARE
    parts = [
        f'<svg class="board" role="img" aria-label="Chess position, {side} to move: '
        f'{_placement(squares)}" viewBox="0 0 {size} {size}" width="{size}" height="{size}">',
        f'<path fill="#efe6d2" d="M0 0h{size}v{size}H0z"/><path fill="#b08d63" d="{DARK}"/>',
        f'<g text-anchor="middle" font-size="{0.85 * SQUARE:g}" stroke="#14161a" '
        'stroke-width=".6">',
    ]
    for square, piece in enumerate(squares):
        row, column = divmod(square, 8)
        x, y = column * SQUARE + SQUARE / 2, row * SQUARE + 0.8 * SQUARE
        if piece != ".":
            fill = "#ffffff" if piece.isupper() else "#14161a"
            parts.append(f'<text x="{x:g}" y="{y:g}" fill="{fill}">{PIECES[piece.lower()]}</text>')
    return "".join([*parts, "</g></svg>"])


def _spaced(text: str) -> tuple[bool, str] | None:
    match = _SPACED.search(text)
    if match is None:
        return None
    return match[1] == "w", "".join(_OF_SIGN[word] for word in match[2].split())


def _fen(text: str) -> tuple[bool, str] | None:
    match = _FEN.search(text)
    try:
        board = read_board(match[0]) if match else None
    except ValueError:
        return None
    return board and (board.white, board.squares)


def _placement(squares: str) -> str:
    """The squares as FEN has them."""
    ranks = (squares[start : start + 8] for start in range(0, 64, 8))
    return re.sub(r"\.+", lambda empty: str(len(empty[0])), "/".join(ranks))
