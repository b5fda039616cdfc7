"""`w2s chess`: make the embedded positions again, or a sample in the format of Lichess."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from weak2strong.ground.disks import writing
from weak2strong.ground.errors import UserError
from weak2strong.ground.lines import tell
from weak2strong.ground.rooms import Group, Purpose
from weak2strong.ground.whole import write_whole


@dataclass(frozen=True)
class Mates:
    """Play games, and write positions of them with every mating move.

    Each game that gives any gives three: one with exactly one mating move, and two without,
    one near it and one with the other side to move. The default numbers make the file that
    comes with the package, in about ten minutes.
    """

    out: Path
    """The file to write, packed with gzip."""
    games: int = 4000
    """How many games are played; almost half of them give positions."""
    seed: int = 0
    """Decides the games."""

    def __call__(self) -> None:
        """Play, and write the file."""
        from weak2strong.ground.progress import Progress
        from weak2strong.ground.whole import check_writable
        from weak2strong.subjects.chess.positions import write_positions
        from weak2strong.subjects.chess.selfplay import self_play

        if self.games < 1:
            raise UserError(f"--games must be at least 1, not {self.games}.")
        check_writable(self.out)
        with Progress() as progress:
            played = list(
                self_play(
                    self.games,
                    self.seed,
                    report=lambda done: progress.update("games", done, self.games),
                )
            )
        write_positions(self.out, played)
        mates = sum(bool(p.mates) for p in played)
        size = self.out.stat().st_size
        tell(
            f"{len(played):,} positions of {mates:,} games, {mates:,} of them with a mate in one, "
            f"written to {self.out} ({size / 1e3:,.0f} kB)"
        )


@dataclass(frozen=True)
class Sample:
    """Write the embedded mates in one in the format of Lichess's puzzles, to try things out.

    Nobody has rated them: the rating is 600 and 20 for every legal move.
    """

    out: Path
    """The file to write, .csv."""
    rows: int = 250
    """How many puzzles at most."""

    def __call__(self) -> None:
        """Write the file."""
        from weak2strong.subjects.chess.positions import lichess_sample

        if self.rows < 1:
            raise UserError(f"--rows must be at least 1, not {self.rows}.")
        text, count = lichess_sample(self.rows)
        with writing(self.out, "choose another --out"):
            write_whole(self.out, text)
        tell(f"{count:,} puzzles written to {self.out}")


CHESS = Group(
    "Make positions and puzzles of chess.",
    {"mates": Mates, "sample": Sample},
    Purpose.DATA,
)
