"""Which pair of the hub suits a user's own texts, where a study names none.

These are facts of the catalogue alone (size, licence, gating): no pair was measured on anybody's
texts. What the hub's cache has comes before what would have to be downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.ground.hub import offline
from weak2strong.models.catalogue import OWN_TEXTS, PAIRS, listed
from weak2strong.models.hub import cached_file
from weak2strong.models.remote import CONFIG, downloads_of

BYTES = 2
"""Of a parameter in the published files of `OWN_TEXTS`."""

MOST_ON_CPU = 400_000_000
"""Parameters in products of a student that a processor trains, for a study to end within days."""

SPEED = 10_000_000
"""Bytes a second that a download is taken to have, where its time is told."""


@dataclass(frozen=True)
class HubPair:
    """A pair of the hub.

    Attributes:
        weak: its id.
        strong: likewise.
        licence: of both.
        missing: those of the two that the hub's cache does not have.
    """

    weak: str
    strong: str
    licence: str
    missing: tuple[str, ...]

    @property
    def estimated(self) -> int:
        """Bytes of what is missing, as the catalogue counts parameters."""
        return sum(BYTES * listed()[name][0].parameters for name in self.missing)

    def told_by_hub(self) -> int:
        """Bytes of what is missing, as the hub says; the hub is asked.

        Raises:
            UserError: where it cannot be reached, or must not be asked.
        """
        each = (download for name in self.missing for download in downloads_of(ModelSpec(name)))
        return sum(download.bytes_missing for download in each)


def hub_pair(device: str, usable: float) -> HubPair:
    """The pair of the hub for texts that the ladder does not know; the hub is not asked.

    It is the smallest open pair of the catalogue that the cache has and whose student can be
    trained here, or else that of `OWN_TEXTS`.

    Args:
        device: where models are trained: "cpu", "cuda" or "mps".
        usable: bytes of its memory that a training may fill.
    """
    pairs = [pair for pair in _open_pairs() if _trains(pair[1], device, usable)]
    here = [pair for pair in pairs if not _missing(pair)]
    usual = OWN_TEXTS["cpu" if device == "cpu" else "other"]
    weak, strong = usual if usual in here or not here else here[0]
    return HubPair(weak, strong, listed()[strong][1].licence, _missing((weak, strong)))


def is_here(name: str) -> bool:
    """Whether the hub's cache has all of a model that a training needs."""
    spec = ModelSpec(name)
    if not cached_file(spec, CONFIG):
        return False
    # What reads configurations takes Transformers, which nothing here needs before.
    from weak2strong.models.files import check_files

    try:
        with offline():
            check_files(spec)
    except UserError:
        return False
    return True


def _open_pairs() -> Iterator[tuple[str, str]]:
    """Pairs of the hub that nobody has to ask for, those with the smallest student first."""
    known = listed()
    pairs = dict.fromkeys((*OWN_TEXTS.values(), *PAIRS))
    free = (p for p in pairs if all("/" in name and not known[name][1].gated for name in p))
    yield from sorted(free, key=lambda pair: known[pair[1]][0].trunk)


def _trains(name: str, device: str, usable: float) -> bool:
    """Whether a model of the catalogue can be trained here as is usual for its size."""
    import torch

    from weak2strong.models.guess import guess

    model = listed()[name][0]
    if device == "cpu" and model.multiplied > MOST_ON_CPU:
        return False
    resting = guess(ModelSpec(name), torch.device("cpu")).resting
    return resting is not None and resting <= usable


def _missing(pair: tuple[str, str]) -> tuple[str, ...]:
    return tuple(name for name in pair if not is_here(name))
