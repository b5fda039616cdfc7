"""What a user may say about chess puzzles: which to take, how to tell and to answer them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from weak2strong.config.fields import Count, Flag, Name, Texts, Whole
from weak2strong.config.settings import RefusedError, settings

Form = Literal["board", "fen", "pgn"]
"""How a position is told: as a board in spaced signs, as FEN, as the moves that led to it."""

Notation = Literal["uci", "san"]
"""How a move is written: ``g1f3``, or ``Nf3``."""


@settings("the puzzles")
class PuzzleOptions:
    """For chess puzzles (--task chess-puzzles --data FILE.csv): which, told and answered how."""

    prefix: ClassVar[str] = "puzzle_"
    unheeded: ClassVar[str] = (
        "Filters and forms of chess puzzles (--puzzle-most and so on, --games) are for such "
        "puzzles: leave them out, or name a file of them as --task chess-puzzles=FILE.csv."
    )

    minimum_rating: Whole | None = None
    """The lowest rating, included."""
    maximum_rating: Whole | None = None
    """The highest rating, included."""
    themes: Annotated[Texts, Flag(metavar="NAME ...")] = ()
    """Puzzles with any of these themes, such as mateIn1 or fork; all if none is named."""
    minimum_popularity: Whole | None = None
    """The lowest popularity, from -100 to 100."""
    most: Count | None = None
    """Puzzles at most, drawn by their ids."""
    form: Form = "board"
    """Positions as spaced boards, as FEN, or as the moves of the game (see --games)."""
    notation: Notation = "uci"
    """Moves as e2e4, or as in books, such as Nf3."""
    games: Annotated[Name | None, Flag("games", "PGN")] = None
    """A PGN file, plain or packed, with the games of the puzzles, for --puzzle-form pgn."""

    def __post_init__(self) -> None:
        low, high = self.minimum_rating, self.maximum_rating
        if low is not None and high is not None and low > high:
            raise RefusedError(
                f"no puzzle is rated at least {low} and at most {high}: exchange them."
            )
        if self.games is not None and self.form != "pgn":
            raise RefusedError(
                "games (--games) are for puzzles told as moves of their games: "
                "add --puzzle-form pgn (form: pgn), or leave them out."
            )
