"""Games of two careless players, and the positions that are taken from these games.

A player looks one move ahead: it sees what the move takes, and whether the moved piece can be
taken. Chance is added, more in some games than in others, so that some games are nearly random and
some nearly sensible. No player sees a mate, so games go on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from weak2strong.subjects.chess.attacks import attackers
from weak2strong.subjects.chess.board import START, Board, Move, read_board
from weak2strong.subjects.chess.moves import legal_moves, mating_moves
from weak2strong.subjects.chess.positions import Position

VALUES = {"p": 1, "n": 3, "b": 3, "r": 5, "q": 9, "k": 0}
"""The worth of pieces in pawns, as beginners learn it."""

LONGEST = 120
"""Half-moves after which a game is given up."""

RANDOM_START = 6
"""Half-moves at the beginning of a game that chance alone decides."""

NOISE = (1.0, 8.0)
"""Range of the mean number of pawns that chance adds to a move (the number is exponential); the
mean is drawn for each player of a game."""

NEAR = (-4, -2, 2, 4)
"""Distances in half-moves from the mate, at which another position of the game is taken."""

EARLIEST = 10
"""Half-moves of a game from which no position is taken."""


@dataclass(frozen=True)
class _Ply:
    before: Board
    last: Move
    board: Board
    mates: tuple[Move, ...]


def self_play(
    games: int, seed: int, report: Callable[[int], None] = lambda done: None
) -> Iterator[Position]:
    """Positions of some games; the pieces of each stand differently from all positions before.

    A game gives three positions: one in which exactly one move mates; one near it with the same
    side to move, in which no move mates; and one with the other side to move, in which no move
    mates. A game that does not have all three gives none.

    Args:
        games: how many are played.
        seed: decides every game.
        report: is called with the number of games that are over.
    """
    seen: set[str] = set()
    for game in range(games):
        rng = random.Random(f"{seed} {game}")
        chosen = _choose(list(_play(rng)), rng, seen)
        for ply in chosen:
            seen.add(_seen_squares(ply.board))
            yield Position(game, ply.before, ply.last, ply.mates)
        report(game + 1)


def _play(rng: random.Random) -> Iterator[_Ply]:
    board = read_board(START)
    noise = (rng.uniform(*NOISE), rng.uniform(*NOISE))
    for ply in range(LONGEST):
        moves = legal_moves(board)
        if not moves:
            return
        if ply < RANDOM_START:
            move = rng.choice(moves)
        else:
            chance = 1 / noise[ply % 2]
            move = max(moves, key=lambda m: _gain(board, m) + rng.expovariate(chance))
        before, board = board, board.after(move)
        yield _Ply(before, move, board, mating_moves(board))


def _gain(board: Board, move: Move) -> int:
    """Pawns that a move wins at once, less the worth of the moved piece if it can be taken."""
    after = board.after(move).squares
    gain = VALUES.get(board.squares[move.end].lower(), 0)
    gain += VALUES[move.promotion] - 1 if move.promotion else 0
    if attackers(after, move.end, not board.white):
        gain -= VALUES[after[move.end].lower()]
    return gain


def _choose(plies: list[_Ply], rng: random.Random, seen: set[str]) -> list[_Ply]:
    """The positions that a game gives, or none."""
    fresh = {
        i for i, ply in enumerate(plies) if i >= EARLIEST and _seen_squares(ply.board) not in seen
    }
    mates = [i for i in sorted(fresh) if len(plies[i].mates) == 1]
    if not mates:
        return []
    mate = rng.choice(mates)
    calm = [i for i in fresh if not plies[i].mates and legal_moves(plies[i].board)]
    same_side = [i for i in sorted(calm) if i - mate in NEAR]
    other_side = [i for i in sorted(calm) if (i - mate) % 2]
    if not same_side or not other_side:
        return []
    return [plies[mate], plies[rng.choice(same_side)], plies[rng.choice(other_side)]]


def _seen_squares(board: Board) -> str:
    """The squares, with the side to move as white; no two positions may have the same."""
    return (board if board.white else board.mirrored()).squares
