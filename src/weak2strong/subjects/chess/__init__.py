"""Chess: positions and moves, puzzles of others, and positions of our own with exact labels."""

from weak2strong.ground.rooms import COMMANDS, OPTIONS
from weak2strong.tasks import GROUPS, PICTURES, SOURCES, TASKS

_HERE = "weak2strong.subjects.chess"

QUESTIONS = {
    "chess-mate-exists": f"{_HERE}.questions:MATE_EXISTS",
    "chess-hangs": f"{_HERE}.questions:HANGS",
    "chess-material": f"{_HERE}.questions:MATERIAL",
}
"""Yes-or-no questions about positions."""

SUITE = tuple(QUESTIONS)
"""All of them."""

TASKS.enter({**QUESTIONS, "chess-mates": f"{_HERE}.mates:MATES"})
GROUPS.enter({"chess-suite": f"{_HERE}:SUITE"})
SOURCES.enter({"chess-puzzles": f"{_HERE}.source:PUZZLES"})
OPTIONS.enter({"puzzles": f"{_HERE}.options:PuzzleOptions"})
PICTURES.enter({"chess": f"{_HERE}.boards:picture"})
COMMANDS.enter({"chess": f"{_HERE}.commands:CHESS"})
