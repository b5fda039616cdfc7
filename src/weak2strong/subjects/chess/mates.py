"""Write the move that mates: positions of our own with exactly one such move."""

from __future__ import annotations

from dataclasses import replace

from weak2strong.subjects.chess.board import read_board
from weak2strong.subjects.chess.positions import mate_puzzles
from weak2strong.subjects.chess.prompts import puzzle_examples
from weak2strong.subjects.chess.questions import SOURCE, crowd
from weak2strong.tasks.task import Example, Task


def _load() -> list[Example]:
    puzzles = mate_puzzles()
    return [
        replace(example, difficulty=crowd(read_board(puzzle.fen)))
        for puzzle, example in zip(puzzles, puzzle_examples(puzzles, "board"), strict=True)
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
