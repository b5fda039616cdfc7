"""The embedded generation of chess: a move that mates, and no other that does."""

from weak2strong.subjects.chess.board import read_board, read_move
from weak2strong.subjects.chess.moves import mating_moves
from weak2strong.subjects.chess.positions import positions
from weak2strong.subjects.chess.prompts import spaced
from weak2strong.tasks import GROUPS, TASKS


def test_every_target_mates_and_nothing_else_does():
    examples = TASKS.get("chess-mates").load()
    by_text = {spaced(p.board): p for p in positions()}
    assert len(examples) == len({e.item.text for e in examples}) == 1812
    for e in examples[::20]:
        position = by_text[e.item.text]
        assert mating_moves(read_board(position.board.fen)) == (read_move(str(e.label)),)
        assert (e.item.group, e.accepted) == (position.group, ())
        assert e.difficulty == sum(map(str.isalpha, position.board.fen.split()[0]))


def test_it_stands_apart_from_the_tasks_with_classes():
    """Whose metrics it does not have."""
    suite = GROUPS.get("chess-suite")
    assert {TASKS.get(name).kind for name in suite} == {"classification"}
    assert len(suite) == 3
