"""What a worker on a Ray cluster takes, and how many of them there is room for on each node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weak2strong.engine.schedule import Place
from weak2strong.ground.errors import UserError

CPU, GPU, MEMORY = "CPU", "GPU", "memory"
"""Ray's own names of resources; memory is counted in bytes."""

Amounts = Mapping[str, float]
"""Amounts of resources by Ray's names."""


@dataclass(frozen=True)
class Node:
    """A machine of a cluster.

    Attributes:
        id: Ray's.
        name: of its host.
        has: its resources, used or not.
    """

    id: str
    name: str
    has: Amounts

    @staticmethod
    def all_of(ray: Any) -> list[Node]:
        """Those of a cluster that are alive, in an order that does not change."""
        found = [
            Node(node["NodeID"], node["NodeManagerHostname"], node["Resources"])
            for node in ray.nodes()
            if node["Alive"]
        ]
        return sorted(found, key=lambda node: node.id)

    def room_for(self, needs: Amounts) -> int:
        """How many workers that each need so much it can have at a time."""
        # A thousandth, as Ray counts in ten-thousandths.
        return min(int(self.has.get(name, 0) / n + 1e-3) for name, n in needs.items())


@dataclass(frozen=True)
class Needs:
    """What every worker of a study takes.

    Attributes:
        amounts: of resources.
        threads: for its computations on the CPU; the same everywhere, since they are in keys.
    """

    amounts: Amounts
    threads: int

    @staticmethod
    def of(nodes: Sequence[Node], tiny: bool, wanted: Amounts, workers_per_gpu: float = 1) -> Needs:
        """What suits the models of a study and a cluster.

        A worker takes a GPU where there are any, with its share of the node's processors. Without
        GPUs it takes one processor for tiny models, and a whole node for others.

        Args:
            nodes: of the cluster.
            tiny: whether one thread is the right number for the models.
            wanted: what the user says of it; the rest follows from the cluster.
            workers_per_gpu: how many share a GPU; a half, where a fit takes two of them.
        """
        on_gpu = wanted.get(GPU, 1 / workers_per_gpu) > 0 and any(
            node.has.get(GPU, 0) for node in nodes
        )
        amounts = dict[str, float]({GPU: 1 / workers_per_gpu} if on_gpu else {})
        amounts |= {name: amount for name, amount in wanted.items() if name != CPU and amount}
        fitting = [node for node in nodes if not amounts or node.room_for(amounts)]
        if CPU in wanted:
            amounts[CPU] = wanted[CPU]
        elif on_gpu:
            shares = [node.has.get(CPU, 0) / node.room_for(amounts) for node in fitting]
            amounts[CPU] = _whole(min(shares, default=1))
            # As on one machine, threads do not depend on how many workers share a GPU.
            of_gpu = [node.has.get(CPU, 0) / node.has.get(GPU, 1) for node in fitting]
            return Needs(amounts, max(1, int(min(of_gpu, default=1))))
        else:
            all_of_it = min((node.has.get(CPU, 0) for node in fitting), default=1)
            amounts[CPU] = 1 if tiny else _whole(all_of_it)
        return Needs(amounts, max(1, int(amounts[CPU])))

    def __str__(self) -> str:
        return ", ".join(f"{name} {amount:g}" for name, amount in self.amounts.items())

    def most_gpus(self, nodes: Sequence[Node], wanted: Amounts) -> int:
        """How many GPUs a worker may have: as many as the user says, or those of the largest node.

        Args:
            nodes: of the cluster.
            wanted: what the user says of a worker.
        """
        fitting = [node.has.get(GPU, 0) for node in nodes if node.room_for(self.amounts)]
        return int(wanted.get(GPU, max(fitting, default=0)))

    def places_on(self, node: Node) -> list[Place]:
        """The workers that a node has room for, as the schedule knows them."""
        gpu = self.amounts.get(GPU, 0)
        # Who has a GPU for itself has its memory for itself, too; others share their node's.
        own = gpu >= 1
        names = [
            f"{node.name} {node.id[:6]}, worker {i}" for i in range(node.room_for(self.amounts))
        ]
        device = "cuda" if gpu else "cpu"
        return [Place(name, device, memory=name if own else node.id) for name in names]

    def nodes_with_room(self, nodes: Sequence[Node]) -> int:
        """How many nodes have room for a worker."""
        return sum(node.room_for(self.amounts) > 0 for node in nodes)

    def check(self, nodes: Sequence[Node]) -> None:
        """Refuse a cluster that has no room for any worker.

        Raises:
            UserError: for such a cluster.
        """
        if not self.nodes_with_room(nodes):
            raise UserError(
                f"None of the {len(nodes)} nodes of the Ray cluster has what one worker takes "
                f"({self}): set less with --ray-resources, or add nodes that have it."
            )

    @property
    def options(self) -> dict[str, Any]:
        """The same for an actor of Ray."""
        others = {n: a for n, a in self.amounts.items() if n not in (CPU, GPU, MEMORY)}
        return {
            "num_cpus": self.amounts[CPU],
            "num_gpus": self.amounts.get(GPU, 0),
            "memory": self.amounts.get(MEMORY) or None,
            "resources": others,
        }


def _whole(amount: float) -> float:
    """Rounded down to a whole number, but for less than one."""
    return float(int(amount)) if amount >= 1 else amount
