"""How many processes do the steps of a study, with how many threads, and on which devices."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weak2strong.config.engine import EngineOptions, amounts
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine.schedule import Place
from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import everywhere
from weak2strong.losses import LOSSES
from weak2strong.methods import METHODS
from weak2strong.models.devices import VISIBLE, device_class, devices
from weak2strong.models.folders import is_tiny
from weak2strong.models.gpus import gpus_per_fit
from weak2strong.probes import PROBES
from weak2strong.tasks import SOURCES, TASKS


@dataclass(frozen=True)
class OnRay:
    """How the steps of a study are done on a Ray cluster.

    Attributes:
        address: of the cluster, where the user gave it.
        resources: what a worker takes, as far as the user said.
        workers_per_gpu: how many share a GPU where a fit takes one.
        tiny: whether one thread is the right number for the models.
        models: of the study.
    """

    address: str | None
    resources: Mapping[str, float]
    workers_per_gpu: int
    tiny: bool
    models: tuple[ModelSpec, ...]

    @staticmethod
    def of(options: EngineOptions, tiny: bool, models: tuple[ModelSpec, ...]) -> OnRay:
        """That of what the user wants."""
        each = 1 if options.workers_per_gpu == "auto" else options.workers_per_gpu
        return OnRay(options.address, amounts(options.ray_resources), each, tiny, models)

    @property
    def given(self) -> int:
        """How many GPUs a worker has by the numbers that the user gave, where auto stands for 1."""
        return max((m.gpus_per_fit for m in self.models if m.gpus_per_fit != "auto"), default=1)

    def per_gpu(self, gpus: int) -> float:
        """How many workers share a GPU; a half, where a worker has two of them."""
        return self.workers_per_gpu if gpus == 1 else 1 / gpus


@dataclass(frozen=True)
class Plan:
    """Who does the steps of a study on this machine.

    Attributes:
        workers: how many processes to begin with; without GPUs, one worker is this process itself.
        threads: of each of them.
        gpus: of each GPU that has workers of its own, or of those that a fit takes together, what
            their processes see as `VISIBLE`.
        may_add: whether a GPU may get more workers, where measured memory leaves room for them.
        ray: where the steps are done on a Ray cluster; workers and threads are 0 then, since they
            follow from the cluster.
    """

    workers: int
    threads: int
    gpus: tuple[str, ...] = ()
    may_add: bool = False
    ray: OnRay | None = None

    @staticmethod
    def of(config: StudyConfig, options: EngineOptions | None = None) -> Plan:
        """The plan that suits the models of a study and this machine.

        Args:
            config: the study.
            options: what the user wants of it.

        Raises:
            UserError: where a fit is to take more GPUs than there are.
        """
        cores, tiny = processors(), is_tiny(config.weak) and is_tiny(config.strong)
        registries = (LOSSES, METHODS, PROBES, SOURCES, TASKS)
        travels = everywhere(r.origin(name) for r in registries for name in r)
        if options and options.engine == "ray":
            if not travels:
                raise UserError(
                    "The engine ray needs plugins in files: write what this script or notebook "
                    "registers to a .py file, and name that with plugins."
                )
            return Plan(0, 0, ray=OnRay.of(options, tiny, models_of(config)))
        if not travels:
            # Other processes do not have what a script or a notebook has registered.
            return Plan(workers=1, threads=1 if is_tiny(config.strong) else cores)
        threads = threads_of(config)
        if (of := device_class()) == "cuda":
            wanted = (options or EngineOptions()).workers_per_gpu
            each = tuple(_visible(device.number) for device in devices())
            gpus = _groups(each, together := gpus_of(config))
            workers = len(gpus) * (1 if wanted == "auto" else wanted)
            return Plan(workers, threads, gpus, may_add=wanted == "auto" and together == 1)
        return Plan(workers=cores if of == "cpu" and tiny else 1, threads=threads)

    @property
    def places(self) -> tuple[Place, ...]:
        """Its workers, as the schedule knows them."""
        if not self.gpus:
            # They share the machine's memory.
            return tuple(Place(f"process {i}", memory="machine") for i in range(self.workers))
        each = self.workers // len(self.gpus)
        return tuple(place for gpu in self.gpus for place in on_gpu(gpu, 0, each))

    def environment(self, place: str) -> Mapping[str, str]:
        """Variables of the environment of a worker, by the name of its place."""
        gpu = next((gpu for gpu in self.gpus if place.startswith(f"GPU {gpu}, ")), None)
        return {} if gpu is None else {VISIBLE: gpu}


def threads_of(config: StudyConfig) -> int:
    """The threads of a worker of this machine, however many workers there are."""
    if (of := device_class()) == "cuda":
        # What the processors compute has threads in its key, and workers should not be.
        return max(1, processors() // len(devices()))
    tiny = is_tiny(config.weak) and is_tiny(config.strong)
    return 1 if of == "cpu" and tiny else processors()


def gpus_of(config: StudyConfig) -> int:
    """How many GPUs a worker has: as many as the largest model of a study takes."""
    return max(map(gpus_per_fit, models_of(config)))


def models_of(config: StudyConfig) -> tuple[ModelSpec, ...]:
    """All models of a study, the two of its pair first."""
    return (config.weak, config.strong, *(config.intermediates or ()), *config.supervisors)


def _groups(gpus: Sequence[str], together: int) -> tuple[str, ...]:
    """GPUs in groups of so many; those that are left over are left out.

    Raises:
        UserError: where there are fewer.
    """
    if len(gpus) < together:
        raise UserError(
            f"A fit is to be on {together} GPUs, and this machine has {len(gpus)}: choose fewer by "
            "--gpus-per-fit, or auto."
        )
    firsts = range(0, len(gpus) - together + 1, together)
    return tuple(",".join(gpus[first : first + together]) for first in firsts)


def on_gpu(gpu: str, first: int, count: int) -> list[Place]:
    """Places of workers of one GPU, or of several together, numbered from ``first`` on."""
    numbers = range(first, first + count)
    return [Place(f"GPU {gpu}, worker {i}", "cuda", memory=f"GPU {gpu}") for i in numbers]


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _visible(number: int) -> str:
    """What a process sees as `VISIBLE` to see one of the GPUs of this process only."""
    given = os.environ.get(VISIBLE)
    return given.split(",")[number].strip() if given else str(number)
