"""What of the place where a stage is made is in its key: libraries, device, threads.

A process that reads results need not be where they are made: the head of a cluster has no GPU. So
what a stage is asked for by (its request) has none of this, and whoever reads goes by the keys that
the places gave, or, before there are any, tries what is known of the places
(`weak2strong.protocol.task_run.TaskRun`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "numpy", "scipy", "scikit-learn")

By = Literal["device", "processor"]
"""What computes a stage: the device, where a model takes part, or the processors alone."""


@dataclass(frozen=True)
class Runtime:
    """What of a place is in the keys of stages that are made there.

    Attributes:
        device: of stages in which a model takes part. The number of threads is in it where the
            device is the CPU, since a GPU computes the same whatever their number.
        processor: of stages that the processors of the place compute alone.
        packages: versions of those which read weights of few bits, where they are installed. Each
            is in the keys of the stages that a model with such weights takes part in.
        memory: bytes of the device where it is a GPU, otherwise 0. It is in no key; whoever reads
            tells by it on how many of them a fit is.
    """

    device: Mapping[str, Any]
    processor: Mapping[str, Any]
    memory: int = field(default=0, compare=False)
    packages: Mapping[str, str] = field(default_factory=dict, compare=False)

    @staticmethod
    def here(threads: int | None = None) -> Runtime:
        """That of the device that this process computes on.

        Args:
            threads: of the CPU; by default those that this process has now.
        """
        return Runtime.of_machine(threads)[0]

    @staticmethod
    def of_machine(threads: int | None = None) -> tuple[Runtime, ...]:
        """That of every device of another kind that this process sees, the first one's first."""
        import torch

        from weak2strong.models.devices import devices, precision
        from weak2strong.models.quantisation import versions

        threads = torch.get_num_threads() if threads is None else threads
        fast = precision(torch.device("cpu"))
        processor = {**_versions(), "device": "cpu", "precision": fast, "threads": threads}
        found = []
        for device in devices():
            own = {**_versions(), "device": device.name, "precision": device.precision}
            own = processor if device.of == "cpu" else own
            one = Runtime(own, processor, device.memory, versions())
            if one not in found:
                found.append(one)
        return tuple(found)

    def of(self, by: By, gpus: int = 1, packages: Collection[str] = ()) -> Mapping[str, Any]:
        """That of stages which the device, several of it together, or the processors compute.

        Args:
            by: what computes them.
            gpus: of how many a stage takes part.
            packages: that read the weights of its models.
        """
        runtime = self.device if by == "device" else self.processor
        runtime = {**runtime, **{p: self.packages.get(p, "none") for p in sorted(packages)}}
        return {**runtime, "gpus": gpus} if gpus > 1 else runtime


def packages_in(fields: Any) -> frozenset[str]:
    """The packages that the models of a stage need, as their settings in its key name them."""
    if isinstance(fields, Mapping):
        own = fields.get("package")
        inner = frozenset({own} if isinstance(own, str) else ())
        return inner.union(*map(packages_in, fields.values()))
    if isinstance(fields, list | tuple):
        return frozenset().union(*map(packages_in, fields))
    return frozenset()


@cache
def _versions() -> Mapping[str, str]:
    return {library: version(library) for library in LIBRARIES}
