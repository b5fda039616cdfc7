"""The flags about a user's own chess puzzles, which several commands share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

if TYPE_CHECKING:
    from weak2strong.config.puzzles import PuzzleOptions

Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Names = Annotated[tuple[str, ...] | None, arg(metavar="NAME ...", help_behavior_hint="")]
Place = Annotated[str | None, arg(metavar="PGN", help_behavior_hint="")]
Form = Annotated[
    Literal["board", "fen", "pgn"] | None, arg(metavar="{board,fen,pgn}", help_behavior_hint="")
]
Notation = Annotated[Literal["uci", "san"] | None, arg(metavar="{uci,san}", help_behavior_hint="")]


@dataclass(frozen=True)
class Puzzles:
    """For chess puzzles (--task chess-puzzles --data FILE.csv): which, told and answered how."""

    puzzle_minimum_rating: Number = None
    """The lowest rating, included."""
    puzzle_maximum_rating: Number = None
    """The highest rating, included."""
    puzzle_themes: Names = None
    """Puzzles with any of these themes, such as mateIn1 or fork (default: all)."""
    puzzle_minimum_popularity: Number = None
    """The lowest popularity, from -100 to 100."""
    puzzle_most: Number = None
    """Puzzles at most, drawn by their ids."""
    puzzle_form: Form = None
    """Positions as spaced boards (default), as FEN, or as the moves of the game (see --games)."""
    puzzle_notation: Notation = None
    """Moves as e2e4 (default) or as in books, such as Nf3."""
    games: Place = None
    """A PGN file, plain or .zst, with the games of the puzzles, for --puzzle-form pgn."""

    def options(self, before: PuzzleOptions) -> PuzzleOptions:
        """Options with those that were given."""
        given = {name.removeprefix("puzzle_"): value for name, value in vars(self).items()}
        return replace(before, **{k: v for k, v in given.items() if v is not None})
