"""Where a worker on a node finds the store and the files of a study."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from weak2strong.config.study import StudyConfig
from weak2strong.engine.done import worker_task_run
from weak2strong.engine.on_ray.connect import import_ray
from weak2strong.engine.on_ray.hub import Reach
from weak2strong.ground.carried import place_of, unpack
from weak2strong.ground.plugins import load_plugins
from weak2strong.ground.store.paths import FILES, default_root
from weak2strong.ground.store.travelling import Hub, TravellingStore
from weak2strong.protocol.own_files import moved, moved_reference
from weak2strong.protocol.task_run import TaskRun

VARIABLE = "W2S_STORE"
"""Of the environment; a node that has one of its own keeps a store of its own."""


@dataclass(frozen=True)
class Home:
    """The store of who started a study, as it tells the workers.

    Attributes:
        root: of the store.
        mark: the name of a file in it, by which a node knows that it sees the same folder.
        variable: the value of `VARIABLE` there.
        hub: the name of its hub.
        files: of the user's, that the study reads.
    """

    root: Path
    mark: str
    variable: str | None
    hub: str
    files: tuple[str, ...]

    def is_here(self) -> bool:
        """Whether this process sees the same folder, and is not told to take another one."""
        own = os.environ.get(VARIABLE)
        told = own is not None and own != self.variable and Path(own).absolute() != self.root
        return not told and (self.root / self.mark).is_file()


@contextmanager
def home(root: Path, hub: str, files: tuple[str, ...]) -> Iterator[Home]:
    """What workers are told while a study runs.

    Args:
        root: of the store on this machine.
        hub: the name of its hub.
        files: of the user's.
    """
    mark = f".ray-{secrets.token_hex(8)}"
    (root / mark).touch()
    try:
        yield Home(root, mark, os.environ.get(VARIABLE), hub, files)
    finally:
        (root / mark).unlink(missing_ok=True)


@cache
def node_task_run(config: StudyConfig, told: Home, reference: str) -> TaskRun:
    """The task run of a worker of this node.

    Args:
        config: the study, as it was on the machine that started it.
        told: of that machine.
        reference: the user's name of the task there.
    """
    if told.is_here():
        return worker_task_run(config, told.root, reference)
    hub, root = Reach(told.hub), default_root().expanduser().absolute()
    me = import_ray().get_runtime_context().get_actor_name()
    # It calls what the hub has by the same names.
    store = TravellingStore(root, cast(Hub, hub), me)
    where = {path: str(_brought(hub, path, root / FILES)) for path in told.files}
    config, reference = moved(config, where), moved_reference(reference, config.data, where)
    load_plugins(config.plugins)
    return TaskRun.of(config, store, reference)


def _brought(hub: Reach, path: str, root: Path) -> Path:
    """Where a file or folder of the user's lies on this node; brought here if it was not yet."""
    label = hub.label(path)
    place = place_of(label, root)
    return place if place.exists() else unpack(hub.carried(path), root)
