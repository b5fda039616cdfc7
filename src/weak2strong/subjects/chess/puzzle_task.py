"""The task in a user's file of puzzles: write the best move."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.games import read_games
from weak2strong.subjects.chess.prompts import Prompted, prompted
from weak2strong.subjects.chess.puzzles import read_puzzles
from weak2strong.tasks.cleaning import clean
from weak2strong.tasks.files import FileTask, sizes_of
from weak2strong.tasks.rows import Row

PUZZLES = "chess-puzzles"
"""The name of the task, and what stands before ``=`` and a file in its reference."""

METRICS = {"uci": "exact_match", "san": "exact_match_cased"}
"""What it is scored by; only case tells bishop from b-pawn in ``Bxc3`` and ``bxc3``."""


def puzzle_task(file: str, options: DataOptions) -> FileTask:
    """The puzzles of a file of Lichess, ``.csv`` or ``.csv.zst``, as a task.

    Positions that differ in a piece are nearly the same text, and not the same question:
    no near-duplicates are looked for. A group is a game.

    Args:
        file: its path.
        options: which puzzles, their form, and sizes of the splits.

    Raises:
        UserError: where a file is missing or wrong, or too few puzzles remain.
    """
    if not file:
        raise UserError(
            f"{PUZZLES} needs a file of puzzles as Lichess publishes it: name it with "
            f"--data FILE.csv, or as --task {PUZZLES}=FILE.csv."
        )
    path, asked = Path(file), options.puzzles
    found = read_puzzles(path, asked)
    games = None
    if asked.games is not None:
        games = read_games(Path(asked.games), {puzzle.group for puzzle in found.puzzles})
    told = prompted(found.puzzles, asked.form, asked.notation, games)
    rows = [_row(file, number, p) for number, p in enumerate(told, start=1)]
    examples, shares, cleaning = clean(
        rows,
        (),
        about=file,
        sizes=sizes_of(options),
        balance=False,
        join=False,
        shrink=options.shrink,
    )
    with path.expanduser().open("rb") as content:
        version = hashlib.file_digest(content, "sha256").hexdigest()[:16]
    whence = f", games of {asked.games}" if asked.games else ""
    return FileTask(
        name=PUZZLES,
        kind="generation",
        classes=(),
        summary="Which move is the best?",
        source=f"{file}, SHA-256 {version}{whence}",
        licence="the user's own",
        load=lambda: examples,
        shares=shares,
        metric=METRICS[asked.notation],
        cleaning=replace(
            cleaning,
            read=found.read,
            malformed=found.malformed,
            named=found.named,
            unwanted=found.read - found.malformed - len(found.puzzles),
            gameless=len(found.puzzles) - len(told),
        ),
        rows=tuple(rows),
    )


def _row(file: str, number: int, p: Prompted) -> Row:
    best, *others = p.answers
    return Row(
        file,
        number,
        p.prompt,
        best,
        p.group,
        p.id,
        accepted=tuple(others),
        difficulty=p.difficulty,
    )
