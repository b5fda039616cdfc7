"""Characters that nobody uses, drawn by a hand that shakes, to pretrain the two networks on.

A character is a few strokes, each a quadratic Bezier curve. Whoever writes it moves the points,
leans, stretches and shifts the whole, and presses more or less. The picture is made as those of the
digits were (Alpaydin and Kaynak 1998): a bitmap of 32 x 32, of which every number counts the dark
points in a block of 4 x 4.
"""

from __future__ import annotations

import numpy as np

BITMAP, SIDE = 32, 8
"""Points of a bitmap's side, and numbers of a picture's."""

DARKEST = 16
"""The largest number of a picture: all points of its block are dark."""

ALONG = 12
"""Points of a stroke at which it is drawn."""


def alphabet(size: int, strokes: int, draws: np.random.Generator) -> np.ndarray:
    """New characters: control points of strokes, (size, strokes, 3, 2), from -1 to 1.

    Two strokes of three begin where the one before ends, as when the pen stays down.
    """
    points = draws.uniform(-1, 1, (size, strokes, 3, 2))
    for k in range(1, strokes):
        joined = draws.random(size) < 2 / 3
        points[joined, k, 0] = points[joined, k - 1, 2]
    return points


def written(characters: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Pictures of characters, each written once by another hand.

    Args:
        characters: control points, (n, strokes, 3, 2).
        draws: of hands.

    Returns:
        Numbers from 0 to `DARKEST`, (n, 8, 8) uint8.
    """
    count = len(characters)
    points = characters + draws.normal(0, 0.12, characters.shape)
    angle, lean = draws.normal(0, 0.15, (2, count))
    wide, high = draws.uniform(0.55, 0.95, count), draws.uniform(0.75, 0.95, count)
    hand = np.empty((count, 2, 2))
    hand[:, 0] = np.stack([wide * np.cos(angle), wide * (lean - np.sin(angle))], axis=1)
    hand[:, 1] = np.stack([high * np.sin(angle), high * np.cos(angle)], axis=1)
    points = np.einsum("nij,nskj->nski", hand, points)
    points += draws.normal(0, 0.06, (count, 1, 1, 2))
    t = np.linspace(0, 1, ALONG)[:, None]
    a, b, c = (points[:, :, k, None, :] for k in range(3))
    line = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
    line = line.reshape(count, -1, 2)
    axis = (np.arange(BITMAP) + 0.5) / BITMAP * 2 - 1
    pressed = draws.uniform(0.08, 0.17, count)
    across = (axis[None, None, :] - line[:, :, 0, None]) ** 2
    down = (axis[None, None, :] - line[:, :, 1, None]) ** 2
    dark = np.zeros((count, BITMAP, BITMAP), dtype=bool)
    for k in range(line.shape[1]):
        dark |= down[:, k, :, None] + across[:, k, None, :] < (pressed**2)[:, None, None]
    block = BITMAP // SIDE
    return dark.reshape(count, SIDE, block, SIDE, block).sum((2, 4)).astype(np.uint8)
