"""Positions and games to test with."""

import random
from functools import cache

import pytest

from weak2strong.subjects.chess.board import START, read_board
from weak2strong.subjects.chess.moves import legal_moves


@cache
def random_games(count, longest=120):
    """Boards and moves of random games, each a list of (board, move)."""
    rng, games = random.Random(0), []
    for _ in range(count):
        board, game = read_board(START), []
        while len(game) < longest and (moves := legal_moves(board)):
            game.append((board, rng.choice(moves)))
            board = board.after(game[-1][1])
        games.append(game)
    return games


@pytest.fixture(scope="session")
def games():
    """Twelve random games."""
    return random_games(12)


@pytest.fixture(scope="session")
def chess():
    """The other program that knows the rules."""
    return pytest.importorskip("chess", reason="the oracle, python-chess, is not installed")
