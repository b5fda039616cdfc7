"""Stores of several machines that share no folder: entries travel to where they are needed.

One process has the hub, beside the store of who started the study. Every worker has a store of its
own, which asks the hub for what it lacks and sends it what it made. The hub also says who makes an
entry, so that no two machines do; where a machine is gone, another one takes its place.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from weak2strong.ground.store.folder import Store
from weak2strong.ground.store.manifest import Entry
from weak2strong.ground.store.parcel import (
    Checkpoints,
    Parcel,
    pack,
    pack_working,
    receive,
    receive_working,
)

PAUSE = 0.2
"""Seconds after which a worker asks again whether an entry that another one makes is there."""


class Hub:
    """The store of who started the study, for the workers of machines without a common folder.

    Args:
        store: where all entries arrive.
    """

    def __init__(self, store: Store):
        self.store = store
        self._makers = dict[tuple[str, str], str]()

    def fetch(self, stage: str, key: str) -> Parcel | None:
        """An entry, or None where it has not arrived."""
        return pack(self.store, stage, key)

    def lacks(self, stage: str, key: str) -> bool:
        """Whether an entry has not arrived."""
        return self.store.get(stage, key) is None

    def fetch_working(self, stage: str, key: str) -> Checkpoints | None:
        """The checkpoints of a stage that somebody stopped to make, if there are any."""
        return pack_working(self.store, stage, key)

    def deliver(self, parcel: Parcel) -> None:
        """Take an entry in.

        Raises:
            DamageError: where it is not as it was sent.
        """
        receive(self.store, parcel)

    def deliver_working(self, sent: Checkpoints) -> None:
        """Take checkpoints in.

        Raises:
            DamageError: where they are not as they were sent.
        """
        self.store.clear_working(sent.stage, sent.key)
        receive_working(self.store, sent)

    def claim(self, stage: str, key: str, worker: str) -> bool:
        """Whether a worker is to make an entry; not where another one does already."""
        return self._makers.setdefault((stage, key), worker) == worker

    def release(self, stage: str, key: str, worker: str) -> None:
        """Told by a worker that has made an entry, or has stopped making it."""
        if self._makers.get((stage, key)) == worker:
            del self._makers[stage, key]

    def forget(self, worker: str) -> None:
        """Told of a worker that is gone: what it was making may be made by others."""
        self._makers = {entry: by for entry, by in self._makers.items() if by != worker}


class TravellingStore(Store):
    """The store of a worker, which shares entries with others through a hub.

    Args:
        root: its folder, which workers of the same machine may share.
        hub: of the study, or what passes calls on to it, from another machine.
        worker: a name of its own.
    """

    def __init__(self, root: Path, hub: Hub, worker: str):
        super().__init__(root)
        self._hub, self._worker = hub, worker
        # The same folder as a store that asks nobody.
        self._here = Store(root)
        self._shared = set[tuple[str, str]]()

    def get(self, stage: str, key: str) -> Entry | None:
        """The entry, from here or from the hub; None where neither has it."""
        if entry := super().get(stage, key):
            self._share(stage, key)
            return entry
        parcel = self._hub.fetch(stage, key)
        return receive(self._here, parcel) if parcel else None

    def put(
        self,
        stage: str,
        key: str,
        spec: Mapping[str, Any],
        write: Callable[[Path], None],
        seconds: float,
        made_of: Sequence[tuple[str, str]] = (),
    ) -> Entry:
        """Store a result here, and send it to the hub."""
        entry = super().put(stage, key, spec, write, seconds, made_of)
        self._share(stage, key)
        return entry

    def _share(self, stage: str, key: str) -> None:
        """Send an entry to the hub, which may lack what an earlier study has left here."""
        if (stage, key) not in self._shared and self._hub.lacks(stage, key):
            parcel = pack(self._here, stage, key)
            assert parcel is not None, "an entry that was just stored or read"
            self._hub.deliver(parcel)
        self._shared.add((stage, key))

    def working(self, stage: str, key: str) -> Path:
        """A folder for checkpoints, with those of a machine that stopped, if there are any."""
        folder = super().working(stage, key)
        if not any(folder.iterdir()) and (sent := self._hub.fetch_working(stage, key)):
            receive_working(self._here, sent)
        return folder

    @contextlib.contextmanager
    def lock(self, stage: str, key: str) -> Iterator[None]:
        """Wait while another worker makes this entry, here or on another machine.

        Where the work is stopped inside, the hub is sent its checkpoints.
        """
        with super().lock(stage, key):
            while not self._hub.claim(stage, key, self._worker):
                time.sleep(PAUSE)
            try:
                yield
            finally:
                if sent := pack_working(self._here, stage, key):
                    self._hub.deliver_working(sent)
                self._hub.release(stage, key, self._worker)
