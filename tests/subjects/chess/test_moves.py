"""The rules: published counts of positions, and another program on random games."""

import pytest

from weak2strong.subjects.chess.attacks import attackers
from weak2strong.subjects.chess.board import START, read_board
from weak2strong.subjects.chess.moves import (
    candidates_to,
    in_check,
    is_legal,
    is_mate,
    legal_moves,
    mating_moves,
)

# https://www.chessprogramming.org/Perft_Results
PERFT = {
    START: (20, 400, 8902),
    "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1": (48, 2039),
    "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1": (14, 191, 2812),
    "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1": (6, 264, 9467),
    "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8": (44, 1486),
    "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10": (46, 2079),
}


def perft(board, depth):
    """Sequences of so many legal moves."""
    moves = legal_moves(board)
    return len(moves) if depth == 1 else sum(perft(board.after(m), depth - 1) for m in moves)


@pytest.mark.parametrize("fen", PERFT)
def test_there_are_as_many_sequences_of_moves_as_published(fen):
    board = read_board(fen)
    for depth, count in enumerate(PERFT[fen], start=1):
        assert perft(board, depth) == count
        assert perft(board.mirrored(), depth) == count


def test_legal_moves_attacks_and_mates_are_those_of_the_oracle(games, chess):
    mates = 0
    for game in games[:3]:
        for board, _ in game:
            theirs = chess.Board(board.fen)
            moves = legal_moves(board)
            assert {m.uci for m in moves} == {m.uci() for m in theirs.legal_moves}
            assert in_check(board) == theirs.is_check()
            mating = {m.uci for m in mating_moves(board)}
            mates += len(mating)
            for move in theirs.legal_moves:
                theirs.push(move)
                assert theirs.is_checkmate() == (move.uci() in mating)
                theirs.pop()
    assert mates > 0


def test_attackers_are_those_of_the_oracle(games, chess):
    for board, _ in games[0] + games[1]:
        theirs = chess.Board(board.fen)
        for square in range(64):
            for white in (True, False):
                expected = {s ^ 56 for s in theirs.attackers(white, square ^ 56)}
                found = attackers(board.squares, square, white)
                assert len(found) == len(expected)
                assert set(found) == expected


def test_a_move_is_legal_if_it_is_listed(games):
    for board, _ in games[2][::5]:
        listed = set(legal_moves(board))
        tried = {m._replace(end=end) for m in listed for end in range(64)}
        # The other side's moves, too.
        tried |= {m for other in games[2][1:8] for m in legal_moves(other[0])}
        assert {m for m in tried if is_legal(board, m)} == tried & listed
        for kind in "pnbrqk":
            for end in range(0, 64, 5):
                mine = {
                    m for m in listed if m.end == end and board.squares[m.start].lower() == kind
                }
                assert set(candidates_to(board, kind, end)) == mine


@pytest.mark.parametrize(
    ("fen", "mates"),
    [
        ("6k1/5ppp/8/8/8/8/8/R6K w - - 0 1", {"a1a8"}),
        ("6k1/5ppp/8/8/8/8/8/RR5K w - - 0 1", {"a1a8", "b1b8"}),
        ("6k1/5pp1/8/8/8/8/8/R6K w - - 0 1", set()),  # h7 is free
        ("6k1/5ppp/8/2b5/8/8/8/R6K w - - 0 1", set()),  # the bishop comes between
        ("7k/5Q2/6K1/8/8/8/8/8 b - - 0 1", set()),  # stalemate is no mate, and nothing mates
    ],
)
def test_mates_are_found_and_nothing_else(fen, mates):
    board = read_board(fen)
    assert {m.uci for m in mating_moves(board)} == mates
    assert not is_mate(board)
