"""What a user may say about chess puzzles: which to take, how to tell and to answer them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from weak2strong.ground.errors import UserError

Form = Literal["board", "fen", "pgn"]
"""How a position is told: as a board in spaced signs, as FEN, as the moves that led to it."""

Notation = Literal["uci", "san"]
"""How a move is written: ``g1f3``, or ``Nf3``."""

_NUMBERS = ("minimum_rating", "maximum_rating", "minimum_popularity", "most")


@dataclass(frozen=True)
class PuzzleOptions:
    """For chess puzzles (--task chess-puzzles --data FILE.csv): which, told and answered how."""

    prefix: ClassVar[str] = "puzzle_"
    unheeded: ClassVar[str] = (
        "Filters and forms of chess puzzles (--puzzle-most and so on, --games) are for such "
        "puzzles: leave them out, or name a file of them as --task chess-puzzles=FILE.csv."
    )

    minimum_rating: int | None = None
    """The lowest rating, included."""
    maximum_rating: int | None = None
    """The highest rating, included."""
    themes: tuple[str, ...] = ()
    """Puzzles with any of these themes, such as mateIn1 or fork (default: all)."""
    minimum_popularity: int | None = None
    """The lowest popularity, from -100 (everybody disliked it) to 100."""
    most: int | None = None
    """Puzzles at most, drawn by their ids."""
    form: Form = "board"
    """Positions as spaced boards (default), as FEN, or as the moves of the game (see --games)."""
    notation: Notation = "uci"
    """Moves as e2e4 (default) or as in books, such as Nf3."""
    games: str | None = field(default=None, metadata={"flag": "games", "metavar": "PGN"})
    """A PGN file, plain or .zst, with the games of the puzzles, for --puzzle-form pgn."""

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and not isinstance(value, int):
                raise UserError(f"Puzzles: {name} must be a whole number, not {value!r}.")
        if isinstance(self.themes, str) or not all(isinstance(t, str) for t in self.themes):
            raise UserError(f"Puzzles: themes must be a list of names, not {self.themes!r}.")
        # YAML has lists only, and options are keys.
        object.__setattr__(self, "themes", tuple(self.themes))
        low, high = self.minimum_rating, self.maximum_rating
        if low is not None and high is not None and low > high:
            raise UserError(f"No puzzle is rated at least {low} and at most {high}: exchange them.")
        if self.most is not None and self.most < 1:
            raise UserError(f"A task needs puzzles: take at least 1, not {self.most}.")
        if self.games is not None and self.form != "pgn":
            raise UserError(
                "--games is for puzzles told as moves of their games: "
                "add --puzzle-form pgn, or leave it out."
            )
