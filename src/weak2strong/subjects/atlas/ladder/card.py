"""The ladder's card: what was trained, on how much, in what time, and what it knows."""

from __future__ import annotations

import json
from pathlib import Path

from weak2strong.ground.errors import UserError

CARD_FILE = "card.json"


def read_card(folder: Path) -> dict:
    """The card of a built ladder.

    Raises:
        UserError: where the folder holds none.
    """
    path = folder / CARD_FILE
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as e:
        raise UserError(
            f"No readable ladder card at {path}: "
            f"build a ladder with `w2s ladder build --out {folder}`."
        ) from e
