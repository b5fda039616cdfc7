"""What is asked and what counts as right; every square of a board is one token of the ladder."""

from dataclasses import replace

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.models.folders import LADDER
from weak2strong.subjects.chess.board import START, read_board
from weak2strong.subjects.chess.prompts import SIGNS, puzzle_examples, spaced
from weak2strong.subjects.chess.puzzles import Puzzle
from weak2strong.tasks.splits import normalised

AFTER_E4 = "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq e3 0 1"
PUZZLE = Puzzle("id", "game", AFTER_E4, ("b8c6", "g1f3"), 1200, (), ("b8c6", "g8f6"))


def test_a_position_as_fen_and_moves_as_they_are():
    (example,) = puzzle_examples([PUZZLE])
    assert example.item.text == AFTER_E4
    assert (example.label, *example.accepted) == ("b8c6", "g8f6")
    assert (example.item.id, example.item.group, example.difficulty) == ("id", "game", 1200)


def test_moves_in_algebraic_notation():
    (example,) = puzzle_examples([PUZZLE], notation="san")
    assert (example.label, *example.accepted) == ("Nc6", "Nf6")


def test_a_position_as_the_game_so_far():
    (example,) = puzzle_examples([PUZZLE], "pgn", games={"game": ("e4", "e5")})
    assert example.item.text == "1. e4"


def test_puzzles_without_a_game_that_leads_to_them_are_left_out():
    others = [replace(PUZZLE, id="x", group="none"), replace(PUZZLE, id="y", group="wrong")]
    games = {"game": ("e4",), "wrong": ("d4",)}
    assert [e.item.id for e in puzzle_examples([PUZZLE, *others], "pgn", games=games)] == ["id"]
    with pytest.raises(UserError, match="None of the 2 puzzles has its game"):
        puzzle_examples(others, "pgn", games=games)


def test_the_game_so_far_needs_games():
    with pytest.raises(UserError, match="need the games"):
        puzzle_examples([PUZZLE], "pgn")


@pytest.mark.parametrize(("form", "notation"), [("PGN", "uci"), ("fen", "lan")])
def test_other_forms_are_refused(form, notation):
    with pytest.raises(UserError, match=f"not as {form} and {notation}"):
        puzzle_examples([PUZZLE], form, notation)


def test_a_spaced_board_says_all_of_a_position_but_its_counters(games):
    def told(board):
        return replace(board, clock=0, number=1)

    by_text = {}
    for board in (board for game in games for board, _ in game):
        text = normalised(spaced(board))
        assert by_text.setdefault(text, told(board)) == told(board)
    assert len(by_text) > 1000


def test_a_spaced_board_by_hand():
    words = spaced(read_board("r3k2r/8/8/3pP3/8/8/8/QRBNK2n w q d6 0 1")).split()
    assert words[:6] == ["w", "o", "o", "o", "d", "d"]
    assert words[6:14] == ["t", "o", "o", "o", "m", "o", "o", "t"]
    assert words[-8:] == ["Q", "R", "B", "N", "K", "o", "o", "h"]
    assert len(words) == 70
    assert spaced(read_board(START)).split()[:6] == ["w", "K", "Q", "m", "d", "o"]
    assert puzzle_examples([PUZZLE], "board")[0].item.text.split()[0] == "b"


def test_no_two_signs_are_one_word_in_another_case():
    assert len({sign.casefold() for sign in SIGNS.values()}) == len(SIGNS) == 13


def test_every_word_is_one_token_of_the_ladder_and_the_board_fits(games):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(LADDER / "atlas-s")
    signs = [tokenizer(f"w {sign}")["input_ids"] for sign in [*SIGNS.values(), *"abcdefgh"]]
    assert {len(ids) for ids in signs} == {3}  # the beginning of every text, w, and the sign
    texts = [spaced(board) for game in games[:3] for board, _ in game]
    counts = {len(ids) for ids in tokenizer(texts)["input_ids"]}
    assert counts == {71}
    assert tokenizer.model_max_length >= 71
