"""Chess positions as pictures, where the text of an example has one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from weak2strong.subjects.chess.board import NAMES, Board, Move, read_board, read_move
from weak2strong.subjects.chess.moves import is_legal
from weak2strong.subjects.chess.notation import read_san
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
    rf"(?<!\S)([wb])((?:\s+[{SIGNS['K']}{SIGNS['Q']}{SIGNS['k']}{SIGNS['q']}{SIGNS['.']}]){{4}})"
    rf"\s+([a-h{SIGNS['.']}])((?:\s+[{''.join(_OF_SIGN)}]){{64}})(?!\S)"
)
_FEN = re.compile(
    r"(?<!\S)(?:[1-8pnbrqkPNBRQK]{1,8}/){7}[1-8pnbrqkPNBRQK]{1,8} [wb] (?:-|[KQkq]{1,4}) "
    r"(?:-|[a-h][36]) \d+ \d+"
)


def picture(text: str, truths: Sequence[str] = ()) -> str | None:
    """A position as SVG: the first spaced board or FEN in a text; None where it has none.

    Args:
        text: that a model reads.
        truths: moves, in UCI or as in books, whose squares are marked; what is no move of this
            position is not.
    """
    board = _spaced(text) or _fen(text)
    if board is None:
        return None
    side = "white" if board.white else "black"
    size = 8 * SQUARE
    right = list(dict.fromkeys(move for told in truths for move in _moves(board, told)))
    names = ", ".join(move.uci for move in right)
    told = f"; right: {names}" if right else ""
    parts = [
        f'<svg class="board" role="img" aria-label="Chess position, {side} to move: '
        f'{_placement(board.squares)}{told}" viewBox="0 0 {size} {size}" width="{size}" '
        f'height="{size}">',
        f'<path fill="#efe6d2" d="M0 0h{size}v{size}H0z"/><path fill="#b08d63" d="{DARK}"/>',
        *(_marked(move) for move in right),
        f'<g text-anchor="middle" font-size="{0.85 * SQUARE:g}" stroke="#14161a" '
        'stroke-width=".6">',
    ]
    for square, piece in enumerate(board.squares):
        row, column = divmod(square, 8)
        x, y = column * SQUARE + SQUARE / 2, row * SQUARE + 0.8 * SQUARE
        if piece != ".":
            fill = "#ffffff" if piece.isupper() else "#14161a"
            parts.append(f'<text x="{x:g}" y="{y:g}" fill="{fill}">{PIECES[piece.lower()]}</text>')
    return "".join([*parts, "</g>", *(_arrow(move) for move in right), "</svg>"])


def _moves(board: Board, text: str) -> Iterator[Move]:
    """The move that a text means; nothing where it means none of this position."""
    for read in (read_move, lambda text: read_san(board, text)):
        try:
            move = read(text.strip())
            if is_legal(board, move):
                yield move
                return
        except ValueError:
            continue


def _marked(move: Move) -> str:
    """The squares of a move, beneath the pieces."""
    squares = (divmod(square, 8) for square in (move.start, move.end))
    path = "".join(
        f"M{column * SQUARE} {row * SQUARE}h{SQUARE}v{SQUARE}h-{SQUARE}z" for row, column in squares
    )
    return f'<path fill="#7fb04c" d="{path}"/>'


def _arrow(move: Move) -> str:
    """A line from the first square of a move to a ring on the last one."""
    (y, x), (to_y, to_x) = (
        ((row + 0.5) * SQUARE, (column + 0.5) * SQUARE)
        for row, column in (divmod(square, 8) for square in (move.start, move.end))
    )
    return (
        f'<g fill="none" stroke="#1f5f8b" stroke-width="2.5" opacity=".8">'
        f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}"/>'
        f'<circle cx="{to_x:g}" cy="{to_y:g}" r="{SQUARE / 2 - 2:g}"/></g>'
    )


def _spaced(text: str) -> Board | None:
    match = _SPACED.search(text)
    if match is None:
        return None
    white = match[1] == "w"
    signs = zip("KQkq", match[2].split(), strict=True)
    castling = "".join(right for right, sign in signs if sign != SIGNS["."])
    passed = None if match[3] == SIGNS["."] else NAMES.index(f"{match[3]}{6 if white else 3}")
    squares = "".join(_OF_SIGN[word] for word in match[4].split())
    return Board(squares, white, castling, passed, 0, 1)


def _fen(text: str) -> Board | None:
    match = _FEN.search(text)
    try:
        return read_board(match[0]) if match else None
    except ValueError:
        return None


def _placement(squares: str) -> str:
    """The squares as FEN has them."""
    ranks = (squares[start : start + 8] for start in range(0, 64, 8))
    return re.sub(r"\.+", lambda empty: str(len(empty[0])), "/".join(ranks))
