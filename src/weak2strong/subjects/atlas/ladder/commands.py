"""`w2s ladder`: pretrain the embedded models again, or describe them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tyro.conf import FlagCreatePairsOff

from weak2strong.ground.rooms import Group, Purpose
from weak2strong.ground.table import Column, Document, Table, count, number, words


@dataclass(frozen=True)
class Build:
    """Pretrain the ladder from the facts.

    An interrupted build goes on where it was when the same command is given
    again. The models can then be named by their folders, such as
    --weak build/ladder/atlas-xs.
    """

    command: ClassVar[str] = "ladder build"

    out: Path = Path("build/ladder")
    """Folder for the models and their card."""
    tokens: int | None = None
    """Training tokens of every rung; the recipe's own number by default."""
    seed: int = 0
    """Decides the text and the initial weights."""
    workers: int = 2
    """Rungs trained at a time, one thread each."""
    json: FlagCreatePairsOff[bool] = False
    """Print one JSON document (docs/json.md)."""

    def __call__(self) -> Document:
        """Build, then show the card."""
        from dataclasses import replace

        from weak2strong.ground.progress import Progress
        from weak2strong.subjects.atlas.ladder.build import build_ladder
        from weak2strong.subjects.atlas.ladder.rungs import Recipe

        recipe = replace(Recipe(), seed=self.seed)
        if self.tokens is not None:
            recipe = replace(recipe, tokens=self.tokens)
        with Progress() as progress:
            progress.line(f"building into {self.out}")
            card = build_ladder(
                self.out,
                recipe,
                workers=self.workers,
                report=lambda rung, step, steps, loss: progress.update(
                    rung, step, steps, f"loss {loss:.3f}"
                ),
            )
        return _document(card, self.out)


@dataclass(frozen=True)
class Card:
    """Print what the ladder's rungs are, what they were trained on, and what they know."""

    command: ClassVar[str] = "ladder card"

    folder: Path | None = None
    """A built ladder; the shipped one by default."""

    json: FlagCreatePairsOff[bool] = False
    """Print one JSON document (docs/json.md)."""

    def __call__(self) -> Document:
        """Show the card."""
        from weak2strong.models.folders import LADDER
        from weak2strong.subjects.atlas.ladder.card import read_card

        folder = self.folder or LADDER
        return _document(read_card(folder), folder)


def _document(card: dict, folder: Path) -> Document:
    """The rungs as a table."""
    cities = card["cities"]
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    columns = [
        words("name", "rung"),
        *(count(name, detail=name != "parameters") for name in ("parameters", "width", "layers")),
        count("tokens", detail=True),
        Column("seconds", "seconds", lambda row: f"{row['seconds']:,.0f}", detail=True),
        number("loss"),
        _share("known_seen", "knows (seen)"),
        _share("known_unseen", "knows (unseen)"),
    ]
    note = (
        f"knows: share of cities whose country the rung completes greedily, of {cities['seen']:,} "
        f"in the pretraining text (seen) and {cities['unseen']:,} that are not (unseen). "
        f"All files together: {size / 1e6:.1f} MB."
    )
    return Document([Table("rungs", "", columns, card["rungs"], notes=[note])])


def _share(name: str, title: str) -> Column:
    return Column(name, title, lambda row: f"{row[name]:.1%}")


LADDER = Group(
    "Pretrain the embedded ladder again, or describe it.",
    {"build": Build, "card": Card},
    Purpose.DATA,
)
