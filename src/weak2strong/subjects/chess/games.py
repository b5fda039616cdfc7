"""The moves of games, from a PGN file such as Lichess publishes, plain or packed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from weak2strong.subjects.chess.board import START, Board, read_board
from weak2strong.subjects.chess.lines import numbered_lines
from weak2strong.subjects.chess.notation import read_san
from weak2strong.subjects.chess.puzzles import game_of

_TAG = re.compile(r'\[(\w+)\s+"(.*)"\]\s*')
_COMMENT = re.compile(r"\{[^}]*\}|;[^\n]*")
_VARIATION = re.compile(r"\([^()]*\)")
_NO_MOVE = re.compile(r"\d+\.*|\.+|\$\d+|1-0|0-1|1/2-1/2|\*")


def read_games(path: Path, games: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The moves of some games, in algebraic notation, by the id in their ``Site`` tag.

    The file may be larger than memory. Games that are not in the file are left out.

    Raises:
        UserError: where the file cannot be read.
    """
    ids = frozenset(games)
    moves = {}
    for site, movetext in _parted(path, ids):
        moves[site] = moves_of(movetext)
        if len(moves) == len(ids):
            break
    return moves


def moves_of(movetext: str) -> tuple[str, ...]:
    """The moves of the main line, without numbers, comments, variations and marks such as ``!``."""
    text = _COMMENT.sub(" ", movetext)
    while (less := _VARIATION.sub(" ", text)) != text:
        text = less
    # A number may touch its move: 1.e4.
    words = re.sub(r"(\d+\.+)", r" \1 ", text).split()
    return tuple(word.rstrip("!?") for word in words if not _NO_MOVE.fullmatch(word))


def moves_until(board: Board, moves: tuple[str, ...]) -> str:
    """A game up to a position, such as ``1. e4 e5 2.``; the next move would follow after a space.

    Raises:
        ValueError: where the game does not lead there.
    """
    reached, words = read_board(START), []
    for move in moves[: board.ply]:
        words += [f"{reached.number}.", move] if reached.white else [move]
        reached = reached.after(read_san(reached, move))
    # Programs differ in whether they name the square behind a double step.
    fields = ("squares", "white", "castling", "number")
    if any(getattr(reached, name) != getattr(board, name) for name in fields):
        raise ValueError(f"the game does not lead to {board.fen}")
    return " ".join([*words, f"{board.number}."] if board.white else words)


def _parted(path: Path, wanted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The games with these ids: each id, and the text of the moves."""
    site, text = "", []
    for _, line in numbered_lines(path):
        tag = _TAG.fullmatch(line)
        if tag is None:
            if site and line.strip():
                text.append(line)
            continue
        if text:
            yield site, "".join(text)
            site, text = "", []
        if tag[1] == "Event":
            site = ""
        if tag[1] == "Site":
            site = _id(tag[2])
            site = site if site in wanted else ""
    if text:
        yield site, "".join(text)


def _id(site: str) -> str:
    try:
        return game_of(site)
    except ValueError:
        return ""
