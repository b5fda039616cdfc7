"""Where pieces can go on a board, and which pieces attack a square."""

from __future__ import annotations

from collections.abc import Mapping

EMPTY = "."
"""The sign of an empty square."""

Rays = tuple[tuple[int, ...], ...]
"""The squares that a piece passes, in their order; one tuple a direction."""

_STRAIGHT = ((-1, 0), (1, 0), (0, -1), (0, 1))
_DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))
_JUMPS = tuple((a, b) for a in (-2, -1, 1, 2) for b in (-2, -1, 1, 2) if abs(a) != abs(b))


def _rays(steps: tuple[tuple[int, int], ...], most: int) -> tuple[Rays, ...]:
    """The squares that these steps reach from each square, each step at most ``most`` times."""
    by_square = []
    for square in range(64):
        row, column = divmod(square, 8)
        rays = []
        for down, right in steps:
            places = [(row + k * down, column + k * right) for k in range(1, most + 1)]
            rays.append(tuple(8 * r + c for r, c in places if 0 <= r < 8 and 0 <= c < 8))
        by_square.append(tuple(filter(None, rays)))
    return tuple(by_square)


RAYS: Mapping[str, tuple[Rays, ...]] = {
    "n": _rays(_JUMPS, 1),
    "b": _rays(_DIAGONAL, 7),
    "r": _rays(_STRAIGHT, 7),
    "q": _rays(_STRAIGHT + _DIAGONAL, 7),
    "k": _rays(_STRAIGHT + _DIAGONAL, 1),
}
"""Where pieces other than the pawn go from every square, by kind."""

TAKES = {"P": _rays(((-1, -1), (-1, 1)), 1), "p": _rays(((1, -1), (1, 1)), 1)}
"""Where a pawn takes from every square, by the sign of the pawn."""


def attackers(squares: str, target: int, white: bool) -> list[int]:
    """The squares of a side's pieces that attack a square; pinned pieces count, too."""
    found = []
    # A pawn attacks from where the other side's pawn on the target would take.
    pawn, other = ("P", "p") if white else ("p", "P")
    found += [ray[0] for ray in TAKES[other][target] if squares[ray[0]] == pawn]
    for kind, pieces in (("n", "n"), ("k", "k"), ("r", "rq"), ("b", "bq")):
        wanted = pieces.upper() if white else pieces
        for ray in RAYS[kind][target]:
            for square in ray:
                piece = squares[square]
                if piece != EMPTY:
                    if piece in wanted:
                        found.append(square)
                    break
    return found
