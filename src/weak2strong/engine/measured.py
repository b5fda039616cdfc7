"""How long stages took on this device, from those that the store has."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.ground.hub import offline
from weak2strong.ground.store import Store
from weak2strong.ground.store.paths import default_root
from weak2strong.models.gpus import gpus_per_fit
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.runtime import Runtime
from weak2strong.protocol.stages.files import TRACE


@dataclass(frozen=True)
class Measured:
    """Seconds of finished stages.

    Attributes:
        steps: of an optimiser step, by weights, adaptation and batch size of a finetuning, and on
            how many GPUs it was.
        stages: of a whole stage, by its name, the weights of its model (None without one), and
            on how many GPUs it was.
        count: how many stages were read.
    """

    steps: dict[Hashable, float]
    stages: dict[Hashable, float]
    count: int = 0

    def step(self, model: ModelSpec, adaptation: str | None, batch_size: int) -> float | None:
        """Seconds of an optimiser step; None where no finetuning of this kind was measured."""
        if not self.steps:
            return None
        return self.steps.get((_weights(model), adaptation, batch_size, gpus_per_fit(model)))

    def stage(self, name: str, model: ModelSpec | None, gpus: int = 1) -> float | None:
        """Seconds of a stage on so many GPUs; None where no stage of this kind was measured."""
        if not self.stages:
            return None
        return self.stages.get((name, _weights(model) if model else None, gpus))


def measured(root: Path | None, threads: int) -> Measured:
    """The medians of what was measured on this device, on the CPU with as many threads.

    Args:
        root: of the store; the user's if None. Where there is none yet, none is made.
        threads: of a fit.
    """
    root = default_root().expanduser() if root is None else root
    steps, stages, count = defaultdict(list), defaultdict(list), 0
    place = Runtime.here(threads)
    here = {(of["device"], of.get("threads")) for of in (place.device, place.processor)}
    for entry in Store(root).entries() if root.is_dir() else ():
        spec, seconds = entry.manifest["spec"], entry.manifest["seconds"]
        if (spec["runtime"]["device"], spec["runtime"].get("threads")) not in here:
            continue
        count += 1
        fields, weights = spec["fields"], spec["inputs"].get("weights")
        gpus = spec["runtime"].get("gpus", 1)
        stages[entry.stage, weights, gpus].append(seconds)
        if entry.stage == "finetune":
            adaptation, batch_size = fields["model"]["adaptation"], fields["training"]["batch_size"]
            taken = json.loads((entry.path / TRACE).read_text())["steps"]
            steps[weights, adaptation, batch_size, gpus].append(seconds / taken)
    return Measured(
        {kind: median(values) for kind, values in steps.items()},
        {kind: median(values) for kind, values in stages.items()},
        count,
    )


def _weights(model: ModelSpec) -> str | None:
    """What identifies a model's weights; None where they are not on this machine."""
    try:
        with offline():
            return fingerprint(model)
    except UserError:
        return None
