"""The rules of chess: which moves are legal, and which of them mate.

Draws by repetition, by the counter of moves and by material are not known here.
"""

from __future__ import annotations

from collections.abc import Iterator

from weak2strong.subjects.chess.attacks import EMPTY, RAYS, TAKES, attackers
from weak2strong.subjects.chess.board import Board, Move


def own(piece: str, white: bool) -> bool:
    """Whether a sign of the board is a piece of this side."""
    return piece != EMPTY and piece.isupper() == white


def in_check(board: Board) -> bool:
    """Whether the side to move is in check."""
    king = board.squares.index("K" if board.white else "k")
    return bool(attackers(board.squares, king, not board.white))


def legal_moves(board: Board) -> list[Move]:
    """Every legal move, in the order of the squares where the moves start."""
    return [move for move in _candidates(board) if _leaves_no_check(board, move)]


def is_legal(board: Board, move: Move) -> bool:
    """Whether a move is legal."""
    return (
        own(board.squares[move.start], board.white)
        and move in _from(board, move.start)
        and _leaves_no_check(board, move)
    )


def is_mate(board: Board) -> bool:
    """Whether the side to move is checkmated."""
    return in_check(board) and not any(_leaves_no_check(board, m) for m in _candidates(board))


def mating_moves(board: Board) -> tuple[Move, ...]:
    """Every legal move that checkmates."""
    return tuple(move for move in legal_moves(board) if is_mate(board.after(move)))


def candidates_to(board: Board, kind: str, end: int) -> list[Move]:
    """The legal moves to a square by pieces of one kind (p, n, b, r, q, k)."""
    piece = kind.upper() if board.white else kind
    return [
        move
        for start, p in enumerate(board.squares)
        if p == piece
        for move in _from(board, start)
        if move.end == end and _leaves_no_check(board, move)
    ]


def _candidates(board: Board) -> Iterator[Move]:
    """The moves of all pieces, also moves that leave the king attacked."""
    for start, piece in enumerate(board.squares):
        if own(piece, board.white):
            yield from _from(board, start)


def _from(board: Board, start: int) -> Iterator[Move]:
    kind = board.squares[start].lower()
    if kind == "p":
        yield from _pawn(board, start)
        return
    for ray in RAYS[kind][start]:
        for end in ray:
            piece = board.squares[end]
            if piece == EMPTY:
                yield Move(start, end)
                continue
            if not own(piece, board.white):
                yield Move(start, end)
            break
    if kind == "k" and board.castling:
        yield from _castling(board, start)


def _pawn(board: Board, start: int) -> Iterator[Move]:
    squares, ahead = board.squares, -8 if board.white else 8
    ends = []
    if squares[start + ahead] == EMPTY:
        ends.append(start + ahead)
        if start // 8 == (6 if board.white else 1) and squares[start + 2 * ahead] == EMPTY:
            ends.append(start + 2 * ahead)
    for (end,) in TAKES["P" if board.white else "p"][start]:
        if own(squares[end], not board.white) or end == board.en_passant:
            ends.append(end)
    for end in ends:
        for promotion in "nbrq" if end // 8 in (0, 7) else ("",):
            yield Move(start, end, promotion)


def _castling(board: Board, start: int) -> Iterator[Move]:
    """Castling, which goes neither through pieces nor out of check or through check.

    `_leaves_no_check` decides whether the king is in check afterwards.
    """
    for right, between, passed, end in (
        ("K", (61, 62), 61, 62),
        ("Q", (57, 58, 59), 59, 58),
        ("k", (5, 6), 5, 6),
        ("q", (1, 2, 3), 3, 2),
    ):
        if (
            right in board.castling
            and right.isupper() == board.white
            and all(board.squares[square] == EMPTY for square in between)
            and not attackers(board.squares, start, not board.white)
            and not attackers(board.squares, passed, not board.white)
        ):
            yield Move(start, end)


def _leaves_no_check(board: Board, move: Move) -> bool:
    squares = board.after(move).squares
    king = squares.index("K" if board.white else "k")
    return not attackers(squares, king, not board.white)
