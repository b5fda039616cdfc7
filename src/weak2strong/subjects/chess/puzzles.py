"""Chess puzzles as Lichess publishes them: https://database.lichess.org/#puzzles (CC0).

The FEN of a row is the position before the opponent's move. That move is the first of ``Moves``,
and the puzzle is to answer it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.board import Board, read_board, read_move
from weak2strong.subjects.chess.moves import is_legal, mating_moves
from weak2strong.subjects.chess.options import PuzzleOptions
from weak2strong.subjects.chess.records import ADDRESS, GAME, POPULARITY, Found, read_records
from weak2strong.tasks.task import stable_id

MATE = "mateIn1"
"""The theme of puzzles to which every mating move is an answer."""

MALFORMED = 0.05
"""Share of malformed rows above which the whole file is taken for wrong."""

NAMED = 3
"""How many malformed rows a message describes."""

EVERY = PuzzleOptions()


@dataclass(frozen=True)
class Puzzle:
    """A position to solve.

    Attributes:
        id: of the puzzle.
        group: the game that the position is from.
        fen: the position after the opponent's move.
        moves: the solution in UCI notation; our move is the first.
        rating: how hard the puzzle is, as the Elo-like number of players who solve half of such
            puzzles; None where nobody has rated it.
        themes: what it is about, in the words of the source.
        accepted: the moves that solve it, the move of the solution first. Every mating move solves
            a mate in one.
    """

    id: str
    group: str
    fen: str
    moves: tuple[str, ...]
    rating: int | None
    themes: tuple[str, ...]
    accepted: tuple[str, ...]


@dataclass(frozen=True)
class PuzzleFile:
    """The content of a file of puzzles.

    Attributes:
        puzzles: the wanted puzzles, sorted by id.
        read: how many rows the file has.
        malformed: how many rows are left out since something is wrong with them.
        named: the first malformed rows, each as its line and what is wrong.
    """

    puzzles: tuple[Puzzle, ...]
    read: int
    malformed: int
    named: tuple[str, ...]


@dataclass(frozen=True)
class _Row:
    line: int
    id: str
    fen: str
    moves: tuple[str, ...]
    rating: int
    popularity: int | None
    themes: tuple[str, ...]
    game: str


class _Malformed:
    """Counts malformed rows, and describes the first of them."""

    def __init__(self, path: Path):
        self._path, self.noun, self.count = path, "line", 0
        self.named: list[str] = []

    def add(self, line: int, error: ValueError) -> None:
        self.count += 1
        if len(self.named) < NAMED:
            self.named.append(f"{self.noun} {line:,}: {error}")

    def check(self, count: int, rows: int) -> None:
        """Refuse the file if more than a few of some rows are malformed."""
        if count > MALFORMED * rows:
            raise UserError(
                f"{self._path} has {count:,} malformed rows of {rows:,} "
                f"({'; '.join(self.named)}{'; ...' if self.count > NAMED else ''}): "
                "take the file of puzzles as Lichess publishes it."
            )


def read_puzzles(path: Path, wanted: PuzzleOptions = EVERY) -> PuzzleFile:
    """The wanted puzzles of a file of Lichess, ``.csv`` (packed or not) or ``.parquet``.

    The file may be larger than memory where ``wanted.most`` is a number. A malformed row is left
    out and counted. Only in wanted rows, the moves are checked to be legal.

    Raises:
        UserError: for a file that cannot be read, that lacks a column (of popularity only where it
            is asked for), that has more than 5% malformed rows, or that has no wanted row.
    """
    malformed = _Malformed(path)
    rows, read = _wanted_rows(path, wanted, malformed)
    malformed.check(malformed.count, read)
    puzzle_of: dict[str, Puzzle] = {}
    before = malformed.count
    for row in rows:
        try:
            if row.id in puzzle_of:
                raise ValueError(f"PuzzleId {row.id} is there twice")
            puzzle_of[row.id] = _puzzle(row)
        except ValueError as e:
            malformed.add(row.line, e)
    malformed.check(malformed.count - before, len(rows))
    malformed.check(malformed.count, read)
    if not puzzle_of:
        raise UserError(f"{path} has no puzzle that is wanted, of {read:,}: widen the filters.")
    puzzles = tuple(puzzle_of[id] for id in sorted(puzzle_of))
    return PuzzleFile(puzzles, read, malformed.count, tuple(malformed.named))


def game_of(url: str) -> str:
    """The id of a game, from its address with or without colour and half-move.

    Raises:
        ValueError: where the address names none.
    """
    name = urlsplit(url).path.strip("/").split("/")[0]
    if not re.fullmatch(r"\w+", name):
        raise ValueError(f"{url!r} is no address of a game")
    # Behind the eight characters of a game's id, an address may have four of a player's.
    return name[:8] if len(name) == 12 else name


def _takes(wanted: PuzzleOptions, row: _Row) -> bool:
    """Whether the puzzle of a row is wanted."""
    return (
        (wanted.minimum_rating is None or row.rating >= wanted.minimum_rating)
        and (wanted.maximum_rating is None or row.rating <= wanted.maximum_rating)
        and (
            wanted.minimum_popularity is None
            or (row.popularity is not None and row.popularity >= wanted.minimum_popularity)
        )
        and (not wanted.themes or not set(wanted.themes).isdisjoint(row.themes))
    )


def _wanted_rows(
    path: Path, wanted: PuzzleOptions, malformed: _Malformed
) -> tuple[list[_Row], int]:
    """The wanted rows, and how many rows were read."""
    records = read_records(path)
    malformed.noun = records.noun
    if wanted.minimum_popularity is not None and POPULARITY not in records.columns:
        raise UserError(
            f"{path} has no column {POPULARITY}, so that puzzles cannot be chosen by it: leave "
            "--puzzle-minimum-popularity out, or take the file as Lichess publishes it."
        )
    rows, read = [], 0
    for line, found in records.rows:
        read += 1
        try:
            row = _row(line, found)
        except ValueError as e:
            malformed.add(line, e)
            continue
        if _takes(wanted, row):
            rows.append(row)
            if wanted.most is not None and len(rows) > 2 * wanted.most + 1000:
                rows = _drawn(rows, wanted.most)
    return _drawn(rows, wanted.most), read


def _drawn(rows: list[_Row], most: int | None) -> list[_Row]:
    return sorted(rows, key=lambda row: (stable_id("puzzle", row.id), row.line))[:most]


def _row(line: int, field: Found) -> _Row:
    """A row whose fields have the right form; the rules of chess are not checked here."""
    if isinstance(field, str):
        raise ValueError(field)
    if not field["PuzzleId"]:
        raise ValueError("no PuzzleId")
    moves = tuple(field["Moves"].split())
    if len(moves) < 2:
        raise ValueError("fewer than two Moves, the opponent's and ours")
    rating = _whole("Rating", field["Rating"])
    return _Row(
        line,
        field["PuzzleId"],
        field["FEN"],
        moves,
        rating,
        _whole(POPULARITY, field[POPULARITY]) if POPULARITY in field else None,
        tuple(field["Themes"].split()),
        _game(field),
    )


def _whole(name: str, text: str) -> int:
    """A whole number, which other programs may have saved as 800.0."""
    if not (found := re.fullmatch(r"(-?[0-9]+)(\.0*)?", text)):
        raise ValueError(f"{name} {text!r} is no whole number")
    return int(found[1])


def _game(field: Mapping[str, str]) -> str:
    if ADDRESS in field:
        return game_of(field[ADDRESS])
    if not re.fullmatch(r"\w+", field[GAME]):
        raise ValueError(f"{GAME} {field[GAME]!r} is no id of a game")
    return field[GAME]


def _puzzle(row: _Row) -> Puzzle:
    before = read_board(row.fen)
    board = _made(before, row.moves[0])
    answer, mates = row.moves[1], ()
    if MATE in row.themes:
        mates = tuple(move.uci for move in mating_moves(board))
        if answer not in mates:
            raise ValueError(f"{answer} should mate and does not")
    last = board
    for move in row.moves[1:]:
        last = _made(last, move)
    return Puzzle(
        id=row.id,
        group=row.game,
        fen=board.fen,
        moves=row.moves[1:],
        rating=row.rating,
        themes=row.themes,
        accepted=(answer, *(move for move in mates if move != answer)),
    )


def _made(board: Board, text: str) -> Board:
    """The position after a move that must be legal."""
    move = read_move(text)
    if not is_legal(board, move):
        raise ValueError(f"{text} is no legal move in {board.fen}")
    return board.after(move)
