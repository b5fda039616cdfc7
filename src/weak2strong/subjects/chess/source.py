"""The task in a user's file of puzzles: write the best move."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.games import read_games
from weak2strong.subjects.chess.prompts import puzzle_examples
from weak2strong.subjects.chess.puzzles import read_puzzles
from weak2strong.tasks.files import FileTask, cleaned_task
from weak2strong.tasks.opening import open_file
from weak2strong.tasks.rows import Row
from weak2strong.tasks.source import Source
from weak2strong.tasks.task import Example

METRICS = {"uci": "exact_match", "san": "exact_match_cased"}
"""What it is scored by; only case tells bishop from b-pawn in ``Bxc3`` and ``bxc3``."""


UNWANTED = "since other puzzles were asked for"
GAMELESS = "since the PGN file has no game that leads to them"
"""Why puzzles of a file are left out, as `Cleaning` says it."""


@dataclass(frozen=True, kw_only=True)
class Puzzles(Source):
    """A file of puzzles as Lichess publishes it, ``.csv`` (packed or not) or ``.parquet``."""

    sort: ClassVar[str] = "a source of puzzles"

    @property
    def line(self) -> str:
        """What `w2s tasks` says of it."""
        return f"{self.name}=FILE.csv is a file of chess puzzles as Lichess publishes it."

    def files(self, path: str, options: DataOptions) -> tuple[str, ...]:
        """The file of puzzles, and that of their games."""
        games = options.puzzles.games
        return (path, games) if games else (path,)

    def read(
        self, options: DataOptions, revision: str | None = None, path: str | None = None
    ) -> FileTask:
        """The puzzles as a task: write the best move.

        Positions that differ in a piece are nearly the same text, and not the same question:
        no near-duplicates are looked for. A group is a game.

        Raises:
            UserError: where a file is missing or wrong, or too few puzzles remain.
        """
        if not path:
            raise UserError(
                f"{self.name} needs a file of puzzles as Lichess publishes it: name it with "
                f"--data FILE.csv, or as --task {self.name}=FILE.csv."
            )
        wanted = options.puzzles
        found = read_puzzles(Path(path), wanted)
        games = None
        if wanted.games is not None:
            games = read_games(Path(wanted.games), {puzzle.group for puzzle in found.puzzles})
        examples = puzzle_examples(found.puzzles, wanted.form, wanted.notation, games)
        with open_file(Path(path)) as content:
            version = hashlib.file_digest(content, "sha256").hexdigest()[:16]
        task = cleaned_task(
            [_row(path, number, e) for number, e in enumerate(examples, start=1)],
            self.classes,
            replace(options, balance=False, near_duplicates=False),
            about=path,
            name=self.name,
            summary=self.question,
            source=f"{path}, SHA-256 {version}"
            + (f", games of {wanted.games}" if wanted.games else ""),
            licence=self.licence,
            metric=METRICS[wanted.notation],
        )
        cleaning = replace(
            task.cleaning,
            read=found.read,
            malformed=found.malformed,
            named=found.named,
            by_source={
                UNWANTED: found.read - found.malformed - len(found.puzzles),
                GAMELESS: len(found.puzzles) - len(examples),
            },
        )
        return replace(task, cleaning=cleaning)


PUZZLES = Puzzles(
    name="chess-puzzles",
    question="Which move is the best?",
    kind="generation",
    classes=(),
    options="puzzles",
    takes="file of puzzles",
)


def _row(file: str, number: int, e: Example) -> Row:
    return Row(
        file,
        number,
        e.item.text,
        e.label,
        e.item.group,
        e.item.id,
        accepted=e.accepted,
        difficulty=e.difficulty,
    )
