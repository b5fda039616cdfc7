"""From a puzzle to the text that a model reads, and the move that it should write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.board import NAMES, Board, read_board, read_move
from weak2strong.subjects.chess.games import moves_until
from weak2strong.subjects.chess.notation import san
from weak2strong.subjects.chess.options import Form, Notation
from weak2strong.subjects.chess.puzzles import Puzzle
from weak2strong.tasks.task import Example, Item

SIGNS = dict(zip(".PNBRQKpnbrqk", "oPNBRQKfhltdm", strict=True))
"""The signs of a spaced board: o for an empty square, white's pieces as in FEN, and for black's
pieces footman, horse, bishop (l), tower, dame, monarch.

With a space before it, each sign is one token of the ladder; of FEN's own signs, ``r``, ``q`` and
the full stop are two tokens. No two signs are the same letter in another case, since case does not
count where texts are compared.
"""


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


def puzzle_examples(
    puzzles: Sequence[Puzzle],
    form: Form = "fen",
    notation: Notation = "uci",
    games: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[Example, ...]:
    """Puzzles as examples whose labels are moves, in their order.

    Args:
        puzzles: to be solved.
        form: how positions are written.
        notation: how moves are written.
        games: moves by group, for the form ``pgn`` (see `read_games`); a puzzle whose game is
            missing, or does not lead to it, is left out.

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
    examples = []
    for puzzle in puzzles:
        board = read_board(puzzle.fen)
        text = _position_text(board, puzzle.group, form, games or {})
        if text is not None:
            item = Item(puzzle.id, puzzle.group, text)
            best, *others = (_move_text(board, move, notation) for move in puzzle.accepted)
            examples.append(Example(item, best, puzzle.rating, tuple(others)))
    without = len(puzzles) - len(examples)
    if without and not examples:
        raise UserError(
            f"None of the {without:,} puzzles has its game in the PGN file: take the one of the "
            "month in which the games were played, or the form fen or board."
        )
    return tuple(examples)


def _position_text(
    board: Board, group: str, form: Form, games: Mapping[str, tuple[str, ...]]
) -> str | None:
    if form == "fen":
        return board.fen
    if form == "board":
        return spaced(board)
    try:
        return moves_until(board, games[group])
    except (KeyError, ValueError):
        return None


def _move_text(board: Board, move: str, notation: Notation) -> str:
    return move if notation == "uci" else san(board, read_move(move))
