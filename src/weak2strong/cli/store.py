"""`w2s store`: how large stored results are, whether they are sound, and removing them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sizes:
    """Show how many results of each stage are stored, and how large they are."""

    store: Path | None = None
    """Root of the store; ~/.cache/weak2strong by default, or $W2S_STORE."""

    def __call__(self) -> None:
        """Print the sizes."""
        from weak2strong.ground.store import Store

        store = Store(self.store)
        print(f"store: {store.root}")
        for stage, (count, size) in sorted(store.sizes().items()):
            print(f"  {stage:<10} {count:>6} results  {size / 2**20:>8.1f} MiB")


@dataclass(frozen=True)
class Verify:
    """Check every stored result against its checksums; damaged ones are set aside."""

    store: Path | None = None
    """Root of the store; ~/.cache/weak2strong by default, or $W2S_STORE."""

    def __call__(self) -> None:
        """Print what was found."""
        from weak2strong.ground.store import Store

        store = Store(self.store)
        count, damaged = len(store.entries()), store.verify()
        for text in damaged:
            print(f"damaged: {text}")
        print(f"{count:,} results checked, {len(damaged)} damaged.")


@dataclass(frozen=True)
class Prune:
    """Remove stored results; without flags only what is damaged or left over goes."""

    stage: str | None = None
    """Only results of this stage."""
    older_than_days: float | None = None
    """Only results written at least so many days ago."""
    everything: bool = False
    """All results."""
    store: Path | None = None
    """Root of the store; ~/.cache/weak2strong by default, or $W2S_STORE."""

    def __call__(self) -> None:
        """Print what was removed."""
        from weak2strong.ground.store import Store

        count, size = Store(self.store).prune(self.older_than_days, self.stage, self.everything)
        print(f"{count:,} folders removed, {size / 2**20:.1f} MiB freed.")
