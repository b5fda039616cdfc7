"""What a model reads of a puzzle, and what it should write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.board import NAMES, Board, read_board, read_move
from weak2strong.subjects.chess.games import moves_until
from weak2strong.subjects.chess.notation import san
from weak2strong.subjects.chess.options import Form, Notation
from weak2strong.subjects.chess.puzzles import Puzzle

SIGNS = dict(zip(".PNBRQKpnbrqk", "oPNBRQKfhltdm", strict=True))
"""The signs of a spaced board: an empty square o, white's pieces as in FEN, black's as
footman, horse, bishop (l), tower, dame, monarch.

With a space before it each is one token of the ladder, which FEN's own signs are not
all (``r``, ``q`` and the full stop are two), and no two of them are the same word in
another case, since comparisons of texts do not heed case.
"""


@dataclass(frozen=True)
class Prompted:
    """A question whose answer is to be written.

    Attributes:
        id: stable and unique.
        group: what must not be split.
        prompt: what the model reads; the answer follows after a space.
        answers: what counts as right; the first is what is learnt.
        difficulty: the puzzle's rating; None where nobody has rated it.
    """

    id: str
    group: str
    prompt: str
    answers: tuple[str, ...]
    difficulty: float | None


def spaced(board: Board) -> str:
    """A position as 70 words: side to move, castling rights, en passant, then the squares.

    The side is w or b. The four rights are the signs of king and queen, white's first,
    or o where one is lost. En passant is a file, or o. Squares go from a8 to h8, then
    a7, down to h1.
    """
    words = ["w" if board.white else "b"]
    words += [SIGNS[right] if right in board.castling else "o" for right in "KQkq"]
    words.append("o" if board.en_passant is None else NAMES[board.en_passant][0])
    return " ".join([*words, *(SIGNS[piece] for piece in board.squares)])


def prompted(
    puzzles: Sequence[Puzzle],
    form: Form = "fen",
    notation: Notation = "uci",
    games: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[Prompted, ...]:
    """Puzzles as questions, in their order.

    Args:
        puzzles: what is asked.
        form: how positions are told.
        notation: how answers are written.
        games: moves by group, for the form ``pgn`` (see `read_games`); a puzzle whose
            game is not there, or does not lead to it, is left out.

    Raises:
        UserError: for an unknown form or notation, and where games are missing for all.
    """
    if form not in get_args(Form) or notation not in get_args(Notation):
        raise UserError(
            f"Positions are told as {', '.join(get_args(Form))} and moves written as "
            f"{', '.join(get_args(Notation))}, not as {form} and {notation}."
        )
    if form == "pgn" and games is None:
        raise UserError(
            "Puzzles as moves of their games (pgn) need the games, which the file of puzzles does "
            "not have: give a PGN file of them (--games), or take the form fen or board."
        )
    questions = []
    for puzzle in puzzles:
        board = read_board(puzzle.fen)
        text = _told(board, puzzle.group, form, games or {})
        if text is not None:
            answers = tuple(_written(board, move, notation) for move in puzzle.accepted)
            questions.append(Prompted(puzzle.id, puzzle.group, text, answers, puzzle.rating))
    without = len(puzzles) - len(questions)
    if without and not questions:
        raise UserError(
            f"None of the {without:,} puzzles has its game in the PGN file: take the one of the "
            "month in which the games were played, or the form fen or board."
        )
    return tuple(questions)


def _told(board: Board, group: str, form: Form, games: Mapping[str, tuple[str, ...]]) -> str | None:
    if form == "fen":
        return board.fen
    if form == "board":
        return spaced(board)
    try:
        return moves_until(board, games[group])
    except (KeyError, ValueError):
        return None


def _written(board: Board, move: str, notation: Notation) -> str:
    return move if notation == "uci" else san(board, read_move(move))
