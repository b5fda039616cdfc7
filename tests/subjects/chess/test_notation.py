"""Algebraic notation as another program writes it, read back as the same move."""

import pytest

from weak2strong.subjects.chess.board import START, read_board
from weak2strong.subjects.chess.moves import legal_moves
from weak2strong.subjects.chess.notation import read_san, san

THREE_QUEENS = "8/k7/8/8/4Q2Q/8/8/1K5Q w - - 0 1"
CASTLING = "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1"


def test_every_legal_move_is_written_as_the_oracle_does_and_read_back(games, chess):
    boards = [board for game in games[:2] for board, _ in game]
    boards += [read_board(THREE_QUEENS), read_board(CASTLING), read_board(CASTLING).mirrored()]
    for board in boards:
        theirs = chess.Board(board.fen)
        for move in legal_moves(board):
            text = san(board, move)
            assert text == theirs.san(chess.Move.from_uci(move.uci))
            assert read_san(board, text) == move


def written(fen):
    board = read_board(fen)
    return {san(board, move) for move in legal_moves(board)}


def test_pieces_are_told_apart_by_file_rank_or_both():
    assert {"Qee1", "Q1e1", "Qh4e1"} <= written(THREE_QUEENS)
    assert {"O-O", "O-O-O", "Rxa8+"} <= written(CASTLING)


@pytest.mark.parametrize(
    ("text", "uci"),
    [("e4", "e2e4"), ("Nf3", "g1f3"), ("Ng1f3", "g1f3"), ("Nf3!?", "g1f3"), ("Nf3+", "g1f3")],
)
def test_what_is_said_too_much_does_not_matter(text, uci):
    assert read_san(read_board(START), text).uci == uci


@pytest.mark.parametrize("text", ["e5", "Nd2", "O-O", "0-0-0", "Ke2", "exd5", "hello", ""])
def test_what_is_no_legal_move_is_refused(text):
    with pytest.raises(ValueError, match="is no"):
        read_san(read_board(START), text)


def test_a_move_that_several_pieces_can_make_is_refused():
    with pytest.raises(ValueError, match="several"):
        read_san(read_board(THREE_QUEENS), "Qe1")


@pytest.mark.parametrize(("zeros", "uci"), [("0-0", "e1g1"), ("0-0-0", "e1c1"), ("O-O+", "e1g1")])
def test_castling_may_be_written_with_zeros(zeros, uci):
    assert read_san(read_board(CASTLING), zeros).uci == uci


def test_a_queen_on_the_kings_square_does_not_castle():
    with pytest.raises(ValueError, match="no legal"):
        read_san(read_board("k7/8/8/8/8/8/8/K3Q3 w - - 0 1"), "O-O")
