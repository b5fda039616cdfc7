"""Games are joined to puzzles by their address, and must lead to them."""

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.board import START, read_board
from weak2strong.subjects.chess.games import moves_of, moves_until, read_games
from weak2strong.subjects.chess.notation import read_san

PGN = """[Event "Rated game"]
[Site "https://lichess.org/aaaaaaaa"]
[Result "1-0"]

1. e4 { [%eval 0.3] [%clk 0:03:00] } 1... e5 2. Nf3! Nc6 (2... d6 3. d4 (3. Bc4)) 3. Bb5 $1 1-0

[Event "Another"]
[Site "https://lichess.org/bbbbbbbb"]

1.d4 d5
2.c4 *

[Event "A match"]
[Site "London, England"]

1. a3 0-1

[Event "Last"]
[Site "https://lichess.org/cccccccc"]

1. e4 c5 ; the Sicilian
2. Nf3 1/2-1/2
"""


@pytest.fixture
def pgn(tmp_path):
    file = tmp_path / "games.pgn"
    file.write_text(PGN)
    return file


def test_wanted_games_are_found_without_comments_variations_and_marks(pgn):
    assert read_games(pgn, ["aaaaaaaa", "cccccccc", "dddddddd"]) == {
        "aaaaaaaa": ("e4", "e5", "Nf3", "Nc6", "Bb5"),
        "cccccccc": ("e4", "c5", "Nf3"),
    }
    assert read_games(pgn, ["bbbbbbbb"]) == {"bbbbbbbb": ("d4", "d5", "c4")}


def test_a_game_without_an_address_is_nobodys(pgn):
    assert set(read_games(pgn, ["London", "aaaaaaaa"])) == {"aaaaaaaa"}


def test_no_file_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read \(No such file"):
        read_games(tmp_path / "none.pgn", ["aaaaaaaa"])


def test_castling_and_promotion_are_moves():
    assert moves_of("1. O-O O-O-O 2. exd8=Q+ a1=N# 1-0") == ("O-O", "O-O-O", "exd8=Q+", "a1=N#")


def position(*moves):
    board = read_board(START)
    for move in moves:
        board = board.after(read_san(board, move))
    return board


def test_a_game_is_told_up_to_the_position():
    moves = ("e4", "e5", "Nf3", "Nc6", "Bb5")
    told = [moves_until(position(*moves[:n]), moves) for n in range(4)]
    assert told == ["1.", "1. e4", "1. e4 e5 2.", "1. e4 e5 2. Nf3"]


def test_the_word_that_follows_is_the_next_move():
    moves = ("d4", "d5", "c4", "e6", "Nc3")
    whole = moves_until(position(*moves), moves)
    for n in range(5):
        assert whole.startswith(f"{moves_until(position(*moves[:n]), moves)} {moves[n]}")


@pytest.mark.parametrize("moves", [("d4", "e5"), ("e4",), (), ("e4", "e9"), ("e4", "Ke4")])
def test_a_game_that_leads_elsewhere_is_refused(moves):
    with pytest.raises(ValueError, match=r"lead|is no"):
        moves_until(position("e4", "e5"), moves)


def test_a_puzzle_need_not_name_the_square_behind_a_double_step():
    named = position("e4")
    assert named.en_passant is not None
    unnamed = read_board(named.fen.replace("e3", "-"))
    assert moves_until(unnamed, ("e4", "e5")) == "1. e4"


def test_games_are_read_as_the_oracle_reads_them(games, chess, tmp_path):
    import chess.pgn

    blocks, wanted = [], {}
    for n, game in enumerate(games):
        theirs = chess.pgn.Game()
        theirs.headers["Site"] = f"https://lichess.org/random{n:02}"
        node = theirs
        for _, move in game:
            node = node.add_variation(chess.Move.from_uci(move.uci), comment="[%eval 0.1] (so) 1.")
        node.parent.add_variation(node.parent.board().parse_san(node.san()))
        blocks.append(str(theirs))
        wanted[f"random{n:02}"] = [board for board, _ in game]
    file = tmp_path / "games.pgn"
    file.write_text("\n\n".join(blocks))
    found = read_games(file, wanted)
    assert set(found) == set(wanted)
    for name, boards in wanted.items():
        for board in boards[::17]:
            words = moves_until(board, found[name]).split()
            assert sum(not word.endswith(".") for word in words) == board.ply
