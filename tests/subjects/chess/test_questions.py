"""Yes or no, from the rules: each answer found again in another way from the text alone."""

import re
from collections import defaultdict

import pytest

from weak2strong.subjects.chess.board import NAMES, read_board
from weak2strong.subjects.chess.prompts import SIGNS
from weak2strong.subjects.chess.questions import hanging, material
from weak2strong.tasks import GROUPS, TASKS
from weak2strong.tasks.splits import SPLITS, make_splits, normalised

CHESS = GROUPS.get("chess-suite")
WORTH = {"p": 1, "n": 3, "b": 3, "r": 5, "q": 9, "k": 0}


@pytest.fixture(scope="session")
def loaded():
    return {name: TASKS.get(name).load() for name in CHESS}


def board_of(text, chess):
    """The position that a text tells, as the oracle has it."""
    side, *rest = text.split()
    assert side == "w"
    rights, passed, squares = rest[:4], rest[4], rest[5:]
    pieces = {sign: piece for piece, sign in SIGNS.items()}
    placed = "".join(pieces[word] for word in squares)
    ranks = "/".join(placed[i : i + 8] for i in range(0, 64, 8))
    ranks = re.sub(r"\.+", lambda empty: str(len(empty[0])), ranks)
    castling = "".join(pieces[word] for word in rights if word != "o") or "-"
    passed = "-" if passed == "o" else f"{passed}6"
    return chess.Board(f"{ranks} w {castling} {passed} 0 1")


def mate_exists(board):
    for move in list(board.legal_moves):
        board.push(move)
        mate = board.is_checkmate()
        board.pop()
        if mate:
            return True
    return False


def hangs(board):
    return any(
        board.is_attacked_by(False, square) and not board.is_attacked_by(True, square)
        for square, piece in board.piece_map().items()
        if piece.color and piece.symbol() in "NBRQ"
    )


def ahead(board):
    return sum(
        WORTH[p.symbol().lower()] * (1 if p.color else -1) for p in board.piece_map().values()
    )


ANSWERS = {
    "chess-mate-exists": mate_exists,
    "chess-hangs": hangs,
    "chess-material": lambda board: ahead(board) > 0,
}


@pytest.mark.parametrize("name", CHESS)
def test_the_text_alone_gives_the_label(name, loaded, chess):
    for e in loaded[name][::20]:
        assert ANSWERS[name](board_of(e.item.text, chess)) == e.label


@pytest.mark.parametrize("name", CHESS)
def test_answers_are_even_and_games_whole(name, loaded):
    labels = [e.label for e in loaded[name]]
    assert 3_000 < len(labels) == 2 * sum(labels)
    splits = make_splits(TASKS.get(name))
    where, texts = defaultdict(set), defaultdict(set)
    for split in SPLITS:
        examples = splits.examples(split)
        assert 0.46 < sum(e.label for e in examples) / len(examples) < 0.54
        for e in examples:
            where[e.item.group].add(split)
            texts[normalised(e.item.text)].add(e.item.id)
    assert {len(s) for s in where.values()} == {1}
    assert {len(s) for s in texts.values()} == {1}


def test_a_game_asks_of_mates_on_both_sides_alike(loaded):
    """The position near a mate is of the same game, so that games give nothing away."""
    games = defaultdict(list)
    for e in loaded["chess-mate-exists"]:
        games[e.item.group].append(e.label)
    assert all(sorted(labels) == [0, 1] for labels in games.values())


def test_difficulty_is_the_crowd_or_how_near_the_sides_are(loaded, chess):
    for e in loaded["chess-material"][::50]:
        assert e.difficulty == -abs(ahead(board_of(e.item.text, chess))) < 0
    for e in loaded["chess-hangs"][::50]:
        assert e.difficulty == len(board_of(e.item.text, chess).piece_map())


@pytest.mark.parametrize(
    ("fen", "squares"),
    [
        ("4k3/8/8/8/8/8/4r3/N3K3 w - - 0 1", set()),  # a knight that nobody attacks
        ("4k3/8/8/8/8/8/8/N3K2r w - - 0 1", set()),  # behind the king
        ("4k3/8/8/8/r7/8/8/N3K3 w - - 0 1", {"a1"}),
        ("4k3/8/8/8/r7/8/8/N2QK3 w - - 0 1", set()),  # the queen defends it
        ("4k3/8/8/8/r7/8/P7/4K3 w - - 0 1", set()),  # a pawn is no piece here
        ("4k3/8/8/8/r7/8/8/N3K3 b - - 0 1", set()),  # the rook's side: nobody attacks it
        ("4k3/8/3p4/4N3/8/8/8/4K3 w - - 0 1", {"e5"}),
        ("4k3/8/3p4/4N3/3P4/8/8/4K3 w - - 0 1", set()),
        ("4k3/8/3p3b/4N3/8/8/3R4/4K3 w - - 0 1", {"e5"}),  # the king defends the rook
    ],
)
def test_a_piece_hangs_if_it_is_attacked_and_not_defended(fen, squares):
    board = read_board(fen)
    assert {NAMES[s] for s in hanging(board)} == squares
    mirror = board.mirrored()
    assert {NAMES[s ^ 56] for s in hanging(mirror)} == squares
    assert material(mirror) == -material(board)


def test_material_by_hand():
    assert material(read_board("4k3/8/8/8/8/8/8/QRBNK3 w - - 0 1")) == 20
    assert material(read_board("4k2b/8/8/8/8/8/8/4K3 w - - 0 1")) == -3
