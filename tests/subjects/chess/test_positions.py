"""What comes with the package: every label counted again, nothing twice, nothing too large."""

import gzip
from collections import Counter, defaultdict

from weak2strong.subjects.chess.board import read_board, read_move
from weak2strong.subjects.chess.moves import is_mate
from weak2strong.subjects.chess.positions import (
    FILE,
    mate_puzzles,
    positions,
    write_positions,
)


def test_the_file_is_small_and_holds_thousands():
    assert FILE.stat().st_size < 400_000
    assert 4_000 <= len(positions()) <= 8_000


def test_a_game_gives_a_mate_one_near_it_and_one_of_the_other_side():
    games = defaultdict(list)
    for p in positions():
        games[p.game].append(p)
    for mate, near, other in games.values():
        assert (len(mate.mates), near.mates, other.mates) == (1, (), ())
        assert mate.board.white == near.board.white != other.board.white
        assert 2 <= abs(mate.board.ply - near.board.ply) <= 4


def test_no_two_positions_look_the_same_even_with_colours_exchanged():
    seen = Counter(
        (p.board if p.board.white else p.board.mirrored()).squares.casefold() for p in positions()
    )
    assert max(seen.values()) == 1


def test_positions_are_legal_and_have_the_mates_that_the_oracle_finds(chess):
    for p in positions()[::4]:
        theirs = chess.Board(p.before.fen)
        theirs.push_uci(p.last.uci)  # which refuses illegal moves
        assert theirs.is_valid()
        assert theirs.fen(en_passant="fen") == p.board.fen
        mates = set()
        for move in list(theirs.legal_moves):
            if theirs.gives_check(move):
                theirs.push(move)
                if theirs.is_checkmate():
                    mates.add(move.uci())
                theirs.pop()
        assert mates == {m.uci for m in p.mates}


def test_the_embedded_puzzles_have_one_answer_each():
    puzzles = mate_puzzles()
    assert len(puzzles) == len(positions()) / 3
    assert len({p.id for p in puzzles}) == len({p.group for p in puzzles}) == len(puzzles)
    for p in puzzles[::50]:
        board = read_board(p.fen)
        assert p.moves == p.accepted
        assert is_mate(board.after(read_move(p.accepted[0])))


def test_what_is_written_is_read_and_the_same_positions_give_the_same_file(tmp_path):
    some = positions()[:7]
    one, other = tmp_path / "a" / "one.gz", tmp_path / "other.gz"
    write_positions(one, some)
    write_positions(other, list(some))
    assert positions(one) == some
    assert one.read_bytes() == other.read_bytes()
    assert gzip.decompress(one.read_bytes()).startswith(b"game,fen,last,mates\n")
