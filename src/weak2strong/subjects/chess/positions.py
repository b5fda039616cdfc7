"""Positions from games of our own, with every mating move; the embedded tasks ask about them.

A row is a position: its game, the position before the other side's last move, that move, and the
moves that mate, if there are any. Puzzles of Lichess have the first three, too (see
`weak2strong.subjects.chess.puzzles`).
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from weak2strong.ground.disks import writing
from weak2strong.ground.whole import write_whole
from weak2strong.subjects.chess.board import Board, Move, read_board, read_move
from weak2strong.subjects.chess.moves import legal_moves
from weak2strong.subjects.chess.puzzles import MATE, Puzzle
from weak2strong.tasks.task import stable_id

FILE = Path(__file__).parents[2] / "embedded" / "chess" / "positions.csv.gz"
"""The file that ``w2s chess mates`` makes with its default numbers."""

_FIELDS = ("game", "fen", "last", "mates")

LICHESS = (
    "PuzzleId",
    "FEN",
    "Moves",
    "Rating",
    "RatingDeviation",
    "Popularity",
    "NbPlays",
    "Themes",
    "GameUrl",
    "OpeningTags",
)
"""The columns of a file of Lichess's puzzles."""


@dataclass(frozen=True)
class Position:
    """A position of a game.

    Attributes:
        game: its number.
        before: the position before the last move.
        last: the last move, by the side that is not to move.
        mates: every move of the side to move that mates.
    """

    game: int
    before: Board
    last: Move
    mates: tuple[Move, ...]

    @cached_property
    def board(self) -> Board:
        """The position itself."""
        return self.before.after(self.last)

    @property
    def group(self) -> str:
        """What must not be split: the game."""
        return f"chess game:{self.game}"


def write_positions(path: Path, positions: Iterable[Position]) -> None:
    """Write positions to a file; the same positions always give the same file.

    Raises:
        UserError: where the file cannot be written.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_FIELDS)
    for p in positions:
        mates = " ".join(move.uci for move in p.mates)
        rows.writerow((p.game, p.before.fen, p.last.uci, mates))
    with writing(path, "choose another --out"):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without a time, so that the file depends on the content alone.
        write_whole(path, gzip.compress(text.getvalue().encode(), mtime=0))


@cache
def positions(path: Path = FILE) -> tuple[Position, ...]:
    """The positions of a file, in its order."""
    with gzip.open(path, "rt", newline="") as file:
        return tuple(
            Position(
                int(row["game"]),
                read_board(row["fen"]),
                read_move(row["last"]),
                tuple(map(read_move, row["mates"].split())),
            )
            for row in csv.DictReader(file)
        )


def lichess_sample(most: int, path: Path = FILE) -> tuple[str, int]:
    """Embedded mates as Lichess would publish them, and how many there are.

    The ratings are made up: 600, and 20 more for every legal move.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(LICHESS)
    mates = [p for p in positions(path) if p.mates][:most]
    for p in mates:
        rows.writerow(
            (
                stable_id("chess-mates", p.board.fen)[:8],
                p.before.fen,
                f"{p.last.uci} {p.mates[0].uci}",
                600 + 20 * len(legal_moves(p.board)),
                75,
                100,
                1000,
                f"{MATE} oneMove",
                f"https://example.org/game{p.game:04}#{p.board.ply}",
                "",
            )
        )
    return text.getvalue(), len(mates)


def mate_puzzles(path: Path = FILE) -> tuple[Puzzle, ...]:
    """The embedded positions with exactly one mating move, which is the answer."""
    return tuple(
        Puzzle(
            id=stable_id("chess-mates", p.board.fen),
            group=p.group,
            fen=p.board.fen,
            moves=(p.mates[0].uci,),
            rating=None,
            themes=(MATE,),
            accepted=(p.mates[0].uci,),
        )
        for p in positions(path)
        if len(p.mates) == 1
    )
