"""`w2s digits`: pretrain the two networks that read digits again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tyro.conf import FlagCreatePairsOff

from weak2strong.ground.rooms import Purpose
from weak2strong.ground.table import Column, Document, Table, count, number, words


@dataclass(frozen=True)
class BuildDigits:
    """Pretrain the networks that read digits again.

    They are digits-s and digits-l, on an invented alphabet, as they are shipped. The networks can
    then be named by their folders, such as --weak build/digits/digits-s.
    """

    purpose: ClassVar[Purpose] = Purpose.DATA

    command: ClassVar[str] = "digits"

    out: Path = Path("build/digits")
    """Folder for the networks and their card."""
    json: FlagCreatePairsOff[bool] = False
    """Print one JSON document (docs/json.md)."""

    def __call__(self) -> Document:
        """Build, then show the card."""
        from weak2strong.ground.disks import writing
        from weak2strong.ground.progress import Progress
        from weak2strong.ground.whole import make_writable
        from weak2strong.subjects.digits.networks import build

        with Progress() as progress:
            progress.line(f"building into {self.out}")
            with writing(self.out, "choose another --out"):
                make_writable(self.out)
                card = build(
                    self.out,
                    lambda name, step, steps, loss: progress.update(
                        name, step, steps, f"loss {loss:.3f}"
                    ),
                )
        columns = [
            words("name", "network"),
            *(count(name) for name in ("parameters", "characters", "pictures", "epochs")),
            number("loss"),
            Column("told", "tells", lambda row: f"{row['told']:.1%}"),
        ]
        note = (
            "tells: share of new pictures, by other hands, whose character it knows of all those "
            "of its alphabet."
        )
        return Document([Table("networks", "", columns, card["networks"], notes=[note])])
