"""`w2s ladder`: pretrain the embedded models again, or describe them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Build:
    """Pretrain the ladder from the facts.

    An interrupted build goes on where it was when the same command is given
    again. The models can then be named by their folders, such as
    --weak build/ladder/atlas-xs.
    """

    out: Path = Path("build/ladder")
    """Folder for the models and their card."""
    tokens: int | None = None
    """Training tokens of every rung; the recipe's own number by default."""
    seed: int = 0
    """Decides the text and the initial weights."""
    workers: int = 2
    """Rungs trained at a time, one thread each."""

    def __call__(self) -> None:
        """Build, then print the card."""
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
        _print_card(card, self.out)


@dataclass(frozen=True)
class Card:
    """Print what the ladder's rungs are, what they were trained on, and what they know."""

    folder: Path | None = None
    """A built ladder; the shipped one by default."""

    def __call__(self) -> None:
        """Print the card."""
        from weak2strong.models.folders import LADDER
        from weak2strong.subjects.atlas.ladder.card import read_card

        folder = self.folder or LADDER
        _print_card(read_card(folder), folder)


def _print_card(card: dict, folder: Path) -> None:
    from rich.table import Table

    from weak2strong.report.table import table_console

    table = Table(header_style="bold")
    titles = ("rung", "parameters", "width", "layers", "tokens", "seconds", "loss")
    for title in (*titles, "knows (seen)", "knows (unseen)"):
        table.add_column(title, justify="left" if title == "rung" else "right")
    for rung in card["rungs"]:
        table.add_row(
            rung["name"],
            f"{rung['parameters']:,}",
            str(rung["width"]),
            str(rung["layers"]),
            f"{rung['tokens']:,}",
            f"{rung['seconds']:,.0f}",
            f"{rung['loss']:.3f}",
            f"{rung['known_seen']:.1%}",
            f"{rung['known_unseen']:.1%}",
        )
    console = table_console()
    console.print(table)
    cities = card["cities"]
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    console.print(
        f"knows: share of cities whose country the rung completes greedily, of {cities['seen']:,} "
        f"in the pretraining text (seen) and {cities['unseen']:,} that are not (unseen). "
        f"All files together: {size / 1e6:.1f} MB.",
        highlight=False,
    )
