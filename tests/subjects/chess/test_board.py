"""Positions are what FEN says, and what moves make of them is what another program finds."""

import pytest

from weak2strong.subjects.chess.board import START, Move, read_board, read_move


def test_a_position_is_written_as_it_was_read():
    for fen in (
        START,
        "r6k/pp2r2p/4Rp1Q/3p4/8/1N1P2R1/PqP2bPP/7K b - - 0 24",
        "rnbqkbnr/ppp1p1pp/8/3pPp2/8/8/PPPP1PPP/RNBQKBNR w Kq f6 0 3",
    ):
        assert read_board(fen).fen == fen


@pytest.mark.parametrize(
    ("fen", "says"),
    [
        ("8/8/8/8/8/8/8/8 w - - 0 1", "one king a side"),
        ("kk6/8/8/8/8/8/8/K7 w - - 0 1", "one king a side"),
        ("k7/8/8/8/8/8/8/K7 w - -", "4 fields and not 6"),
        ("k7/8/8/8/8/8/8/K8 w - - 0 1", "8 ranks of 8"),
        ("k7/8/8/8/8/8/K7 w - - 0 1", "8 ranks of 8"),
        ("k7/8/8/8/8/8/8/Kx6 w - - 0 1", "8 ranks of 8"),
        ("k7/8/8/8/8/8/8/K6p w - - 0 1", "pawn on the last rank"),
        ("k6R/8/8/8/8/8/8/K7 w - - 0 1", "take the king"),
        ("k7/8/8/8/8/8/8/K7 x - - 0 1", "'x' to move"),
        ("k7/8/8/8/8/8/8/K7 w K - 0 1", "castling right K without"),
        ("k7/8/8/8/8/8/8/K7 w qK - 0 1", "bad castling"),
        ("k7/8/8/8/8/8/8/K7 w - e5 0 1", "en passant"),
        ("k7/8/8/8/8/8/8/K7 w - e6 0 1", "just passed e6"),
        ("k7/8/8/4p3/8/8/8/K7 b - e6 0 1", "just passed e6"),
        ("k7/8/8/8/8/8/8/K7 w - - -1 1", "counters"),
        ("k7/8/8/8/8/8/8/K7 w - - 0 0", "counters"),
    ],
)
def test_what_is_no_position_is_refused(fen, says):
    with pytest.raises(ValueError, match=says):
        read_board(fen)


@pytest.mark.parametrize("text", ["", "e4", "e2e9", "i2e4", "e7e8k", "e7e8Q", "0000", "e2e4 "])
def test_what_is_no_move_is_refused(text):
    with pytest.raises(ValueError, match="is no move"):
        read_move(text)


def test_moves_are_written_as_they_were_read():
    assert read_move("a8h1") == Move(0, 63)
    assert [read_move(m).uci for m in ("e2e4", "e7e8q", "a2a1n")] == ["e2e4", "e7e8q", "a2a1n"]


def after(fen, *moves):
    board = read_board(fen)
    for move in moves:
        board = board.after(read_move(move))
    return board.fen


@pytest.mark.parametrize(
    ("fen", "move", "then"),
    [
        (START, "e2e4", "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq e3 0 1"),
        ("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 3 9", "e1g1", "r3k2r/8/8/8/8/8/8/R4RK1 b kq - 4 9"),
        ("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 3 9", "e1c1", "r3k2r/8/8/8/8/8/8/2KR3R b kq - 4 9"),
        ("r3k2r/8/8/8/8/8/8/R3K2R b KQkq - 3 9", "e8g8", "r4rk1/8/8/8/8/8/8/R3K2R w KQ - 4 10"),
        ("r3k2r/8/8/8/8/8/8/R3K2R b KQkq - 3 9", "e8c8", "2kr3r/8/8/8/8/8/8/R3K2R w KQ - 4 10"),
        ("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 3 9", "a1a8", "R3k2r/8/8/8/8/8/8/4K2R b Kk - 0 9"),
        ("4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 9", "e5d6", "4k3/8/3P4/8/8/8/8/4K3 b - - 0 9"),
        ("4k3/8/8/8/3pP3/8/8/4K3 b - e3 0 9", "d4e3", "4k3/8/8/8/8/4p3/8/4K3 w - - 0 10"),
        ("1n2k3/P7/8/8/8/8/8/4K3 w - - 5 9", "a7b8q", "1Q2k3/8/8/8/8/8/8/4K3 b - - 0 9"),
        ("4k3/8/8/8/8/8/p7/4K3 b - - 5 9", "a2a1n", "4k3/8/8/8/8/8/8/n3K3 w - - 0 10"),
    ],
)
def test_a_move_takes_castles_passes_and_promotes(fen, move, then):
    assert after(fen, move) == then


def test_counters_and_plies():
    board = read_board(START)
    assert (board.ply, after(START, "g1f3", "g8f6").split()[-2:]) == (0, ["2", "2"])
    assert read_board(after(START, "g1f3", "g8f6", "f3g1")).ply == 3


def test_moves_of_random_games_lead_where_the_oracle_says(games, chess):
    for game in games:
        theirs = chess.Board()
        for board, move in game:
            assert board.fen == theirs.fen(en_passant="fen")
            assert board.mirrored().fen == theirs.mirror().fen(en_passant="fen")
            assert board.ply == theirs.ply()
            theirs.push_uci(move.uci)


def test_a_mirror_of_a_mirror_is_the_position(games):
    boards = [board for game in games for board, _ in game]
    assert len(boards) > 1000
    assert all(board.mirrored().mirrored() == board for board in boards)
    assert all(board.mirrored() != board for board in boards)
