"""What a user may say about puzzles: which to take, how to tell them, how to answer them."""

from __future__ import annotations

from dataclasses import dataclass

from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.prompts import Form, Notation
from weak2strong.subjects.chess.puzzles import Wanted

_NUMBERS = ("minimum_rating", "maximum_rating", "minimum_popularity", "most")


@dataclass(frozen=True)
class PuzzleOptions(Wanted):
    """Which puzzles of a file to take, and what a model reads and writes of them.

    Attributes:
        form: how positions are told; the spaced board suits every vocabulary.
        notation: how moves are written.
        games: a PGN file with the games of the puzzles, for the form ``pgn``.
    """

    form: Form = "board"
    notation: Notation = "uci"
    games: str | None = None

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and not isinstance(value, int):
                raise UserError(f"Puzzles: {name} must be a whole number, not {value!r}.")
        if isinstance(self.themes, str) or not all(isinstance(t, str) for t in self.themes):
            raise UserError(f"Puzzles: themes must be a list of names, not {self.themes!r}.")
        # YAML has lists only, and options are keys.
        object.__setattr__(self, "themes", tuple(self.themes))
        super().__post_init__()
        if self.games is not None and self.form != "pgn":
            raise UserError(
                "--games is for puzzles told as moves of their games: "
                "add --puzzle-form pgn, or leave it out."
            )
