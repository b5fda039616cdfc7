"""`w2s store`: how large stored results are, whether they are sound, in what they differ, and
removing them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import Positional, arg

from weak2strong.cli.printing import Printing
from weak2strong.ground.lines import say

Root = Annotated[
    Path | None, arg(help="Root of the store; ~/.cache/weak2strong by default, or $W2S_STORE.")
]


@dataclass(frozen=True)
class Sizes(Printing):
    """Show how many results of each stage are stored, and how large they are."""

    command: ClassVar[str] = "store sizes"

    store: Root = None

    def __call__(self) -> None:
        """Print the sizes."""
        from weak2strong.ground.store import Store
        from weak2strong.ground.table import Column, Document, Table, count, words

        store = Store.there(self.store)
        rows = [
            {"stage": stage, "results": number, "bytes": size}
            for stage, (number, size) in sorted(store.sizes().items())
        ]
        size = Column("bytes", "size", lambda row: f"{row['bytes'] / 2**20:,.1f} MiB")
        table = Table("stages", "", (words("stage"), count("results"), size), rows)
        self.show(Document([table], {"store": store.root}, [f"store: {store.root}"]))


@dataclass(frozen=True)
class Verify:
    """Check every stored result against its checksums; damaged ones are set aside."""

    store: Root = None

    def __call__(self) -> None:
        """Print what was found."""
        from weak2strong.ground.store import Store

        found = Store.there(self.store).examined()
        damaged = [what for what in found if what]
        for what in damaged:
            say(f"damaged: {what}")
        say(f"{len(found):,} results checked, {len(damaged):,} damaged.")


@dataclass(frozen=True)
class Why(Printing):
    """Say in what two stored results of one stage differ: settings, data, code, libraries."""

    command: ClassVar[str] = "store why"

    keys: Positional[Annotated[tuple[str, str], arg(metavar="KEY KEY")]]
    """The beginnings of two keys, such as those in a run's events.jsonl."""
    store: Root = None

    def __call__(self) -> None:
        """Print the inputs that differ."""
        from weak2strong.ground.errors import UserError
        from weak2strong.ground.store import Store
        from weak2strong.ground.store.differences import differences
        from weak2strong.report.stored import difference_document

        store = Store.there(self.store)
        one, other = (store.find(key) for key in self.keys)
        if one.stage != other.stage:
            raise UserError(
                f"{self.keys[0]} is a result of the stage {one.stage}, and {self.keys[1]} of "
                f"{other.stage}: compare two results of one stage."
            )
        specs = [entry.manifest["spec"] for entry in (one, other)]
        codes = (store.code(specs[0]["code"]), store.code(specs[1]["code"]))
        self.show(difference_document(one, other, differences(specs[0], specs[1], codes)))


@dataclass(frozen=True)
class Prune:
    """Remove stored results; without flags only what is damaged or left over goes."""

    stage: str | None = None
    """Only results of this stage."""
    older_than_days: float | None = None
    """Only results written at least so many days ago."""
    everything: bool = False
    """All results."""
    store: Root = None

    def __call__(self) -> None:
        """Print what was removed."""
        from weak2strong.ground.store import Store

        store = Store.there(self.store)
        count, size = store.prune(self.older_than_days, self.stage, self.everything)
        say(f"{count:,} folders removed, {size / 2**20:.1f} MiB freed.")
