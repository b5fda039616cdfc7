"""Moves as people write them: standard algebraic notation."""

from __future__ import annotations

import re

from weak2strong.subjects.chess.attacks import EMPTY
from weak2strong.subjects.chess.board import NAMES, Board, Move
from weak2strong.subjects.chess.moves import candidates_to, in_check, is_legal, is_mate

_SAN = re.compile(r"([NBRQK]?)([a-h]?)([1-8]?)x?([a-h][1-8])(?:=?([NBRQ]))?")


def san(board: Board, move: Move) -> str:
    """A legal move, such as ``e4``, ``Nbd2``, ``exd8=Q+`` or ``O-O#``."""
    after = board.after(move)
    sign = ("#" if is_mate(after) else "+") if in_check(after) else ""
    kind, end = board.squares[move.start].lower(), NAMES[move.end]
    if kind == "k" and abs(move.end - move.start) == 2:
        return ("O-O" if move.end > move.start else "O-O-O") + sign
    start = NAMES[move.start]
    if kind == "p":
        takes = f"{start[0]}x" if start[0] != end[0] else ""
        return takes + end + (f"={move.promotion.upper()}" if move.promotion else "") + sign
    takes = "x" if board.squares[move.end] != EMPTY else ""
    return kind.upper() + _start_of(board, move, kind) + takes + end + sign


def read_san(board: Board, text: str) -> Move:
    """The legal move that a text means; marks of check and mate are not read.

    Raises:
        ValueError: where no legal move fits, or more than one.
    """
    bare = text.rstrip("+#!?")
    if bare in ("O-O", "0-0", "O-O-O", "0-0-0"):
        king = 60 if board.white else 4
        move = Move(king, king + (2 if len(bare) == 3 else -2))
        if board.squares[king] in "Kk" and is_legal(board, move):
            return move
        raise ValueError(f"{text!r} is no legal move")
    match = _SAN.fullmatch(bare)
    if match is None:
        raise ValueError(f"{text!r} is no move such as e4 or Nf3")
    kind, file, rank, end, promotion = match.groups()
    fitting = [
        move
        for move in candidates_to(board, kind.lower() or "p", NAMES.index(end))
        if (not file or NAMES[move.start][0] == file)
        and (not rank or NAMES[move.start][1] == rank)
        and move.promotion == (promotion or "").lower()
    ]
    if len(fitting) != 1:
        what = "fits several legal moves" if fitting else "is no legal move"
        raise ValueError(f"{text!r} {what}")
    return fitting[0]


def _start_of(board: Board, move: Move, kind: str) -> str:
    """File, rank or both of a piece, where others of its kind may go to the same square."""
    start = NAMES[move.start]
    others = {m.start for m in candidates_to(board, kind, move.end)} - {move.start}
    if not others:
        return ""
    if all(NAMES[other][0] != start[0] for other in others):
        return start[0]
    if all(NAMES[other][1] != start[1] for other in others):
        return start[1]
    return start
