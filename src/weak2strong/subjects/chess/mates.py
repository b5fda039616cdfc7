"""Write the move that mates: positions of our own with exactly one such move."""

from __future__ import annotations

from weak2strong.subjects.chess.board import read_board
from weak2strong.subjects.chess.positions import mate_puzzles
from weak2strong.subjects.chess.prompts import prompted
from weak2strong.subjects.chess.questions import SOURCE, crowd
from weak2strong.tasks.task import Example, Item, Task


def _load() -> list[Example]:
    puzzles = mate_puzzles()
    return [
        Example(Item(p.id, p.group, p.prompt), p.answers[0], crowd(read_board(puzzle.fen)))
        for puzzle, p in zip(puzzles, prompted(puzzles, "board"), strict=True)
    ]


MATES = Task(
    name="chess-mates",
    kind="generation",
    classes=(),
    summary="Which move mates?",
    source=SOURCE,
    licence="Apache-2.0",
    load=_load,
)
