"""One task of a study while it is run, and how a stage is read or made.

A stage's key holds the data themselves (digests of ids, texts and targets), the weights, the
settings, the code that makes the result, and the libraries and device that it runs on: everything
that could change a number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from weak2strong.config.study import StudyConfig
from weak2strong.ground.store import Entry, Store, code_fingerprint, stage_key
from weak2strong.protocol.resolve import splits_of
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import Splits, digest
from weak2strong.tasks.task import Task

PACKAGE = Path(__file__).parents[1]

CODE = (
    "config/model.py",
    "config/training.py",
    "ground/activations.py",
    "ground/ids.py",
    "ground/metrics.py",
    "ground/predictions.py",
    "losses",
    "methods",
    "models",
    "probes",
    "protocol/stages",
    "simulators",
    "subjects",
    "tasks",
    "training",
)
"""The modules whose source decides the results of stages."""

LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "numpy", "scipy", "scikit-learn")

Write = Callable[[Path], None]
"""Writes a finished result into an empty folder."""


class MissingError(LookupError):
    """A stage is not in the store, and the task run is not to compute."""


@dataclass(frozen=True)
class Used:
    """A stage that was read or made.

    Attributes:
        stage: its name.
        key: of its entry.
        reused: whether the store had it.
        seconds: that reading or making it took.
        note: on how it was made, for a log.
    """

    stage: str
    key: str
    reused: bool
    seconds: float
    note: str = ""


@dataclass
class TaskRun:
    """One task of a study: its data, the store, and a record of the stages that were used.

    Attributes:
        config: the study, resolved.
        store: where results are kept.
        reference: the user's name of the task, as in the config.
        task: the task.
        splits: its examples.
        compute: False makes a stage that is not in the store raise `MissingError`.
        on_step: called during every fit with steps done and steps in all.
        used: every stage that was read or made, in order.
        note: on how a stage was made, set by the function that makes it.
    """

    config: StudyConfig
    store: Store
    reference: str
    task: Task
    splits: Splits
    compute: bool = True
    on_step: Callable[[int, int], None] = lambda step, steps: None
    used: list[Used] = field(default_factory=list)
    note: str = ""
    _digests: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(config: StudyConfig, store: Store, reference: str) -> TaskRun:
        """The task run for one of the tasks of a study."""
        task = find_task(reference, config.data).about(config.entities)
        return TaskRun(config, store, reference, task, splits_of(config, task))

    @cached_property
    def _surroundings(self) -> dict[str, Any]:
        return {"code": code_fingerprint(PACKAGE, CODE), "runtime": runtime()}

    def item_digests(self, splits: Sequence[str]) -> dict[str, str]:
        """For keys: digests of the items (without labels) of some splits, each computed once."""
        for split in splits:
            if split not in self._digests:
                self._digests[split] = digest(self.splits.items(split))
        return {split: self._digests[split] for split in splits}

    def stage(
        self,
        stage: str,
        fields: Mapping[str, Any],
        inputs: Mapping[str, str],
        make: Callable[[Path], Write],
    ) -> Entry:
        """The entry of a stage, read from the store or made now.

        Args:
            stage: its name.
            fields: every setting that changes the result.
            inputs: digests of the data and weights that it starts from.
            make: computes the result and returns a function that writes it; it receives a
                folder for checkpoints, which outlives a kill.

        Raises:
            MissingError: where the stage would have to be made and ``compute`` is False.
        """
        spec = {"fields": fields, "inputs": inputs, **self._surroundings}
        key = stage_key(stage, **spec)
        begun = time.monotonic()
        entry = self.store.get(stage, key)
        reused = entry is not None
        if entry is None:
            if not self.compute:
                raise MissingError(f"{stage} {key}")
            with self.store.lock(stage, key):
                # Another process may have made it while this one waited for the lock.
                entry = self.store.get(stage, key)
                reused = entry is not None
                if entry is None:
                    write = make(self.store.working(stage, key))
                    seconds = time.monotonic() - begun
                    entry = self.store.put(stage, key, spec, write, seconds)
        self.used.append(Used(stage, key, reused, round(time.monotonic() - begun, 3), self.note))
        self.note = ""
        return entry


def runtime() -> dict[str, Any]:
    """The libraries, device and threads of this process, which can change a number."""
    import torch

    from weak2strong.models.load import best_device

    device = best_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    versions = {library: version(library) for library in LIBRARIES}
    return {**versions, "device": name, "threads": torch.get_num_threads()}
