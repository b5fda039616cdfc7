"""Games of our own: legal, repeatable, and each position with exactly the mates it has."""

from weak2strong.subjects.chess.board import EMPTY, START, read_board, read_move
from weak2strong.subjects.chess.moves import is_legal, mating_moves
from weak2strong.subjects.chess.positions import FILE, positions
from weak2strong.subjects.chess.selfplay import _gain, self_play


def test_the_first_games_are_those_of_the_shipped_file():
    told = []
    found = list(self_play(7, 0, told.append))
    assert told == list(range(1, 8))
    last = max(p.game for p in found)
    assert tuple(found) == tuple(p for p in positions(FILE) if p.game <= last)
    assert len({p.board.squares.count(EMPTY) for p in found}) > 3


def test_another_seed_gives_other_games():
    one, other = ({p.board.squares for p in self_play(4, seed)} for seed in (1, 2))
    assert one
    assert other
    assert not one & other


def test_positions_follow_from_a_legal_move_and_have_all_of_their_mates():
    found = list(self_play(4, 3))
    assert len(found) % 3 == 0
    for p in found:
        assert is_legal(p.before, p.last)
        assert mating_moves(p.board) == p.mates


def gain(fen, move):
    return _gain(read_board(fen), read_move(move))


def test_a_player_sees_what_it_takes_and_what_can_be_taken_back():
    assert gain(START, "e2e4") == 0
    assert gain("4k3/8/8/3q4/4P3/8/8/4K3 w - - 0 1", "e4d5") == 9
    assert gain("4k3/8/4p3/3q4/4P3/8/8/4K3 w - - 0 1", "e4d5") == 8
    assert gain("4k3/8/8/8/8/8/5Kp1/R7 b - - 0 1", "g2g1q") == 9 - 1 - 9
    assert gain("7k/P7/8/8/8/8/8/K7 w - - 0 1", "a7a8q") == 8
    assert gain("7k/8/8/2p5/8/8/8/KQ6 w - - 0 1", "b1b4") == -9
