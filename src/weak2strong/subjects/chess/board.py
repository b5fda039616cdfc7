"""A chess position: it is read from FEN, written as FEN, and changed by moves.

Squares have the numbers 0 to 63 in the order of FEN: a8 to h8, a7 to h7, down to h1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from weak2strong.subjects.chess.attacks import EMPTY, attackers

START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"
"""The position that games begin with."""

NAMES = tuple(f"{file}{rank}" for rank in "87654321" for file in "abcdefgh")
"""Squares by number."""

_NUMBERS = {name: number for number, name in enumerate(NAMES)}

_HOMES = {"K": (60, 63), "Q": (60, 56), "k": (4, 7), "q": (4, 0)}
"""Where king and rook of a castling right stand."""

_TOUCHED = {60: "KQ", 63: "K", 56: "Q", 4: "kq", 7: "k", 0: "q"}
"""By square, the castling rights that end when a piece leaves the square or is taken there."""

_MOVE = re.compile(r"([a-h][1-8])([a-h][1-8])([nbrq]?)")


class Move(NamedTuple):
    """A move from one square to another; ``promotion`` is n, b, r, q or empty."""

    start: int
    end: int
    promotion: str = ""

    @property
    def uci(self) -> str:
        """The move as engines write it: ``e2e4``, ``e7e8q``, and ``e1g1`` for castling."""
        return NAMES[self.start] + NAMES[self.end] + self.promotion


def read_move(text: str) -> Move:
    """A move in UCI notation.

    Raises:
        ValueError: where it is none.
    """
    found = _MOVE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no move such as e2e4 or e7e8q")
    return Move(_NUMBERS[found[1]], _NUMBERS[found[2]], found[3])


@dataclass(frozen=True)
class Board:
    """A position with everything that FEN says about it.

    Attributes:
        squares: 64 signs; white's pieces are PNBRQK, black's pnbrqk.
        white: whether white is to move.
        castling: the rights that are left, in the order of "KQkq".
        en_passant: the square that a pawn has just passed in a double step.
        clock: half-moves since a pawn moved or a piece was taken.
        number: of the move; it grows after a move of black.
    """

    squares: str
    white: bool
    castling: str
    en_passant: int | None
    clock: int
    number: int

    @property
    def fen(self) -> str:
        """The position as FEN, which names the square behind every double step."""
        ranks = (self.squares[i : i + 8] for i in range(0, 64, 8))
        placed = re.sub(r"\.+", lambda empty: str(len(empty[0])), "/".join(ranks))
        passed = "-" if self.en_passant is None else NAMES[self.en_passant]
        side = "w" if self.white else "b"
        return f"{placed} {side} {self.castling or '-'} {passed} {self.clock} {self.number}"

    @property
    def ply(self) -> int:
        """How many half-moves the game has had."""
        return 2 * (self.number - 1) + (not self.white)

    def after(self, move: Move) -> Board:
        """The position after a move, which must be legal."""
        start, end, promotion = move
        squares = list(self.squares)
        piece = squares[start]
        pawn, taken = piece in "Pp", squares[end] != EMPTY
        squares[start] = EMPTY
        squares[end] = (promotion.upper() if self.white else promotion) or piece
        if pawn and end == self.en_passant:
            squares[end + (8 if self.white else -8)] = EMPTY
        if piece in "Kk" and abs(end - start) == 2:
            corner = end + 1 if end > start else end - 2
            squares[(start + end) // 2], squares[corner] = squares[corner], EMPTY
        castling = self.castling
        for right in _TOUCHED.get(start, "") + _TOUCHED.get(end, ""):
            castling = castling.replace(right, "")
        return Board(
            "".join(squares),
            not self.white,
            castling,
            (start + end) // 2 if pawn and abs(end - start) == 16 else None,
            0 if pawn or taken else self.clock + 1,
            self.number + (not self.white),
        )

    def mirrored(self) -> Board:
        """The same position with exchanged colours: the board is turned, the other side moves."""
        ranks = [self.squares[i : i + 8] for i in range(56, -1, -8)]
        rights = self.castling.swapcase()
        passed = self.en_passant
        return Board(
            "".join(ranks).swapcase(),
            not self.white,
            "".join(right for right in "KQkq" if right in rights),
            None if passed is None else passed ^ 56,
            self.clock,
            self.number,
        )


def read_board(fen: str) -> Board:
    """The position that a FEN of six fields describes.

    Raises:
        ValueError: where the text is no FEN, or no game can have the position: a king is missing
            or can be taken, a pawn stands on the last rank, or castling or en passant do not fit
            the pieces.
    """
    fields = fen.split()
    if len(fields) != 6:
        raise ValueError(f"FEN {fen!r} has {len(fields)} fields and not 6")
    placed, side, castling, passed, clock, number = fields
    if side not in ("w", "b"):
        raise ValueError(f"FEN {fen!r} has {side!r} to move, and not w or b")
    if not re.fullmatch(r"-|K?Q?k?q?", castling) or not re.fullmatch(r"-|[a-h][36]", passed):
        raise ValueError(f"FEN {fen!r} has bad castling rights or en passant square")
    if not (clock.isdecimal() and number.isdecimal() and int(number) > 0):
        raise ValueError(f"FEN {fen!r} has bad counters of moves")
    board = Board(
        _squares(placed, fen),
        side == "w",
        castling.strip("-"),
        None if passed == "-" else _NUMBERS[passed],
        int(clock),
        int(number),
    )
    _check(board, fen)
    return board


def _squares(placed: str, fen: str) -> str:
    ranks = [
        re.sub("[1-8]", lambda digit: EMPTY * int(digit[0]), rank) for rank in placed.split("/")
    ]
    if len(ranks) != 8 or not all(re.fullmatch(r"[.pnbrqkPNBRQK]{8}", rank) for rank in ranks):
        raise ValueError(f"FEN {fen!r} does not have 8 ranks of 8 squares")
    return "".join(ranks)


def _check(board: Board, fen: str) -> None:
    squares = board.squares
    if squares.count("K") != 1 or squares.count("k") != 1:
        raise ValueError(f"FEN {fen!r} does not have one king a side")
    if any(piece in "Pp" for piece in squares[:8] + squares[56:]):
        raise ValueError(f"FEN {fen!r} has a pawn on the last rank")
    if attackers(squares, squares.index("k" if board.white else "K"), board.white):
        raise ValueError(f"FEN {fen!r} lets the side to move take the king")
    for right in board.castling:
        king, rook = _HOMES[right]
        if (squares[king], squares[rook]) != (("K", "R") if right.isupper() else ("k", "r")):
            raise ValueError(f"FEN {fen!r} has castling right {right} without king and rook there")
    if board.en_passant is not None:
        ahead = 8 if board.white else -8
        passed = board.en_passant
        if (
            passed // 8 != (2 if board.white else 5)
            or squares[passed + ahead] != ("p" if board.white else "P")
            or squares[passed] != EMPTY
        ):
            raise ValueError(f"FEN {fen!r} has no pawn that has just passed {NAMES[passed]}")
