"""The store of who started a study, as nodes reach it that share no folder with that machine."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from weak2strong.engine.on_ray.connect import import_ray
from weak2strong.ground.carried import Carried
from weak2strong.ground.store import Store
from weak2strong.ground.store.parcel import Checkpoints, Parcel
from weak2strong.ground.store.travelling import Hub


class StudyHub(Hub):
    """The hub of a study, which also gives out files of the user's; it lives in an actor."""

    def __init__(self, root: Path):
        """Open the store.

        Args:
            root: of the store of who started the study, on the same machine.
        """
        super().__init__(Store(root))
        self._labels = dict[str, Carried]()

    def label(self, path: str) -> Carried:
        """A file or folder of the user's without what is in it, of which a node may have a copy."""
        if path not in self._labels:
            self._labels[path] = replace(self.carried(path), files={})
        return self._labels[path]

    def carried(self, path: str) -> Carried:
        """A file or folder of the user's."""
        return Carried.of(Path(path))


def start_hub(ray: Any, root: Path, name: str) -> Any:
    """Begin the hub of a study in a process of this machine; it ends with its handle.

    Args:
        ray: the module of Ray, connected.
        root: of the store.
        name: by which workers find it.
    """
    here = ray.get_runtime_context().get_node_id()
    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=False)
    options = {"name": name, "num_cpus": 0, "scheduling_strategy": strategy}
    return ray.remote(StudyHub).options(**options).remote(root.absolute())


class Reach:
    """The hub, as a worker calls it; see `Hub` for what its functions do.

    Args:
        name: of its actor.
    """

    def __init__(self, name: str):
        self._name = name

    @cached_property
    def _handle(self) -> Any:
        return import_ray().get_actor(self._name)

    def _call(self, function: str, *arguments: Any) -> Any:
        return import_ray().get(getattr(self._handle, function).remote(*arguments))

    def fetch(self, stage: str, key: str) -> Parcel | None:
        """See `Hub`."""
        return self._call("fetch", stage, key)

    def fetch_working(self, stage: str, key: str) -> Checkpoints | None:
        """See `Hub`."""
        return self._call("fetch_working", stage, key)

    def deliver(self, parcel: Parcel) -> None:
        """See `Hub`."""
        self._call("deliver", parcel)

    def deliver_working(self, sent: Checkpoints) -> None:
        """See `Hub`."""
        self._call("deliver_working", sent)

    def lacks(self, stage: str, key: str) -> bool:
        """See `Hub`."""
        return self._call("lacks", stage, key)

    def claim(self, stage: str, key: str, worker: str) -> bool:
        """See `Hub`."""
        return self._call("claim", stage, key, worker)

    def release(self, stage: str, key: str, worker: str) -> None:
        """See `Hub`."""
        self._call("release", stage, key, worker)

    def label(self, path: str) -> Carried:
        """See `StudyHub`."""
        return self._call("label", path)

    def carried(self, path: str) -> Carried:
        """See `StudyHub`."""
        return self._call("carried", path)
