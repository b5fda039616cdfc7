"""Yes-or-no questions about the embedded positions, which the rules of chess answer.

A model reads a spaced board with the side to move as white: where black is to move, colours are
exchanged, which changes no answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from weak2strong.subjects.chess.attacks import EMPTY, attackers
from weak2strong.subjects.chess.board import Board
from weak2strong.subjects.chess.positions import Position, positions
from weak2strong.subjects.chess.prompts import spaced
from weak2strong.subjects.chess.selfplay import VALUES
from weak2strong.tasks.splits import balanced
from weak2strong.tasks.task import Example, Item, Task, stable_id

SOURCE = "Games of chess that weak2strong played against itself (w2s chess mates)"


def chess_task(
    name: str,
    question: str,
    holds: Callable[[Position, Board], bool | None],
    difficulty: Callable[[Board], float],
) -> Task:
    """A task with at most one example a position, and as many examples of either answer.

    Args:
        name: of the task.
        question: for lists.
        holds: the answer for a position and its board with white to move; None leaves it out.
        difficulty: of such a board; harder boards have more.
    """

    def load() -> list[Example]:
        examples = []
        for position in positions():
            board = position.board
            board = board if board.white else board.mirrored()
            answer = holds(position, board)
            if answer is not None:
                text = spaced(board)
                item = Item(stable_id(name, text), position.group, text)
                examples.append(Example(item, int(answer), difficulty(board)))
        return balanced(examples)

    return Task(
        name=name,
        kind="classification",
        classes=("no", "yes"),
        summary=question,
        source=SOURCE,
        licence="Apache-2.0",
        load=load,
    )


def material(board: Board) -> int:
    """The worth of white's pieces less that of black's: 1 for a pawn, 3, 3, 5 and 9 for others."""
    worth = {kind.upper(): value for kind, value in VALUES.items()}
    worth |= {kind: -value for kind, value in VALUES.items()}
    return sum(worth.get(piece, 0) for piece in board.squares)


def hanging(board: Board) -> tuple[int, ...]:
    """The squares of hanging pieces of the side to move.

    A piece hangs if it is a knight, bishop, rook or queen, if a piece of the other side attacks it,
    and if no piece of its own side defends it, which means to attack its square. Pins, illegal
    moves, and pieces behind other pieces play no part.
    """
    return tuple(
        square
        for square, piece in enumerate(board.squares)
        if piece in ("NBRQ" if board.white else "nbrq")
        and attackers(board.squares, square, not board.white)
        and not attackers(board.squares, square, board.white)
    )


@cache
def _mating_side() -> dict[int, bool]:
    """By game, whether white is to move in the position of the game that has a mate."""
    return {p.game: p.board.white for p in positions() if p.mates}


def _mates(position: Position, board: Board) -> bool | None:
    """Whether there is a mate; None for the position in which the other side is to move."""
    same = position.board.white == _mating_side()[position.game]
    return bool(position.mates) if same else None


def _ahead(position: Position, board: Board) -> bool | None:
    lead = material(board)
    return lead > 0 if lead else None


def crowd(board: Board) -> float:
    """How many pieces stand on a board."""
    return 64 - board.squares.count(EMPTY)


MATE_EXISTS = chess_task(
    "chess-mate-exists", "Can the side to move mate in one?", _mates, difficulty=crowd
)
HANGS = chess_task(
    "chess-hangs",
    "Does a piece of the side to move hang?",
    lambda position, board: bool(hanging(board)),
    difficulty=crowd,
)
MATERIAL = chess_task(
    "chess-material",
    "Is the side to move ahead in material?",
    _ahead,
    difficulty=lambda board: -abs(material(board)),
)
