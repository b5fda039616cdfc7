"""What a user can set of how a study is run; no number depends on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator

from weak2strong.config.fields import AutoCount, Flag, Text, several
from weak2strong.config.settings import RefusedError, settings


def amounts(resources: Iterable[str]) -> dict[str, float]:
    """Amounts of resources by their names, of texts such as ``GPU=0.5``."""
    return {name: float(amount) for name, _, amount in (r.partition("=") for r in resources)}


def _checked(resources: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is no name with an amount, and an amount that no worker can take."""
    for text in resources:
        name, _, amount = text.partition("=")
        try:
            number = float(amount)
        except ValueError:
            number = math.nan
        # Ray gives out a share of one GPU, or whole ones.
        shared = name not in ("GPU", "CPU") or number <= 1 or number.is_integer()
        least = number > 0 or (name == "GPU" and number == 0)
        if not name or not math.isfinite(number) or not shared or not least:
            raise RefusedError(
                "must be names of resources with amounts, such as GPU=0.5 or memory=16e9, "
                f"not {text!r}."
            )
    names = [text.partition("=")[0] for text in resources]
    for name in names:
        if names.count(name) > 1:
            raise RefusedError(f"must name each resource once, and {name} stands there twice.")
    return resources


@settings("the engine")
class EngineOptions:
    """For machines with GPUs, and for clusters (see docs/engines.md)."""

    engine: Literal["local", "ray"] = "local"
    """Who does the steps: the processes of this machine, or a Ray cluster."""
    workers_per_gpu: Annotated[AutoCount, Flag(metavar="N|auto")] = "auto"
    """Processes that share a GPU, each of which does one step at a time. By default one at first,
    and more once every model was measured in its first training and memory has room; on a Ray
    cluster one."""
    address: Annotated[Text | None, Flag(metavar="auto|HOST:PORT")] = None
    """Of a Ray cluster that this machine is part of. By default Ray is started on this machine
    alone, for this run."""
    ray_resources: Annotated[
        tuple[Text, ...], several, AfterValidator(_checked), Flag(metavar="NAME=AMOUNT ...")
    ] = ()
    """What a worker takes of its node of a Ray cluster, such as CPU=4 GPU=0.5 memory=16e9 big=1;
    CPU and GPU follow from the models and the cluster where they are not given."""
    track: Annotated[tuple[Text, ...], several, Flag(metavar="NAME ...")] = ()
    """Tell trackers of the run: tensorboard, trackio, wandb, mlflow, or those of plugins. Curves of
    all finetunings, the table and the report go there; nothing is told anybody if not given."""

    def __post_init__(self) -> None:
        if self.engine == "local" and (self.address or self.ray_resources):
            name = "address" if self.address else "ray_resources"
            raise RefusedError(f"{name} is for Ray, so it goes with engine ray.")
