"""The processes that hold one model together, a part of its weights each: what they exchange.

A model that is larger than one GPU is cut over several of them by PyTorch's FSDP2. The processes,
called ranks, run the same code: each passes its own part of a batch, and before a layer passes,
all of them gather the layer's weights. So they must all do the same passes, one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from weak2strong.ground.errors import UserError

Group = TypeVar("Group", bound=Sequence)


@dataclass(frozen=True)
class Ranks:
    """The processes of one model, seen from one of them.

    With a count of 1 there is no other process, and no method changes anything.

    Attributes:
        rank: the number of this process, from 0.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return self.count > 1

    def deal(self, groups: Sequence[Group]) -> Iterator[Group | None]:
        """The groups that this rank passes, and None for each pass that only others need."""
        for first in range(0, len(groups), self.count):
            own = first + self.rank
            yield groups[own] if own < len(groups) else None

    def hands(self, costs: Sequence[int]) -> list[list[int]]:
        """Positions dealt out to all ranks, so that each has some of every cost."""
        order = sorted(range(len(costs)), key=lambda i: (costs[i], i))
        return [sorted(order[rank :: self.count]) for rank in range(self.count)]

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all ranks, in place."""
        if self.several:
            torch.distributed.all_reduce(tensor)
        return tensor

    def joined(self, values: np.ndarray, device: torch.device) -> np.ndarray:
        """One array of those of all ranks, of which each row is 0 but in one rank's."""
        if not self.several:
            return values
        return self.sum(torch.from_numpy(values).to(device)).cpu().numpy()

    def gathered(self, value: Any) -> list[Any]:
        """The values of all ranks, in their order."""
        values = [value] * self.count
        if self.several:
            torch.distributed.all_gather_object(values, value)
        return values

    def least(self, number: int) -> int:
        """The smallest of the numbers of all ranks."""
        return min(self.gathered(number))

    def first(self, value: Any) -> Any:
        """The value of the first rank."""
        return self.gathered(value)[0]

    def without_gradients(self) -> AbstractContextManager:
        """The context in which a model only answers."""
        # What FSDP2 sets up in PyTorch's inference mode could never be trained.
        return torch.no_grad() if self.several else torch.inference_mode()


ALONE = Ranks()
"""One process that holds the whole model."""


def own_part(tensor: Tensor) -> Tensor:
    """The part of a tensor that this process holds; all of it where it is not cut."""
    return tensor.to_local() if is_cut(tensor) else tensor  # pyright: ignore


def own_rows(tensor: Tensor, ranks: Ranks) -> tuple[int, int] | None:
    """The first row that this process holds, and the one after its last; None if it is not cut."""
    if not is_cut(tensor):
        return None
    rows = tensor.shape[0]
    each = -(-rows // ranks.count)
    begin = min(ranks.rank * each, rows)
    return begin, begin + len(own_part(tensor))


def is_cut(tensor: Tensor) -> bool:
    """Whether each of several ranks holds some rows of a tensor."""
    return hasattr(tensor, "to_local")


def loading_options(ranks: Ranks, layers: Iterable[str]) -> dict[str, Any]:
    """How Transformers loads a model of which each rank reads its own rows of every weight.

    Args:
        ranks: of the model.
        layers: names of the layers, with ``*`` for their numbers, such as ``model.layers.*``.

    Raises:
        UserError: where the installed Transformers cannot do that.
    """
    if not ranks.several:
        return {}
    plan = dict.fromkeys(layers, "free_full_weight")
    try:
        from transformers.distributed.configuration_utils import DistributedConfig

        config = DistributedConfig(fsdp_size=ranks.count, fsdp_plan=plan)
    except (ImportError, TypeError) as e:
        raise UserError(
            "A model on several GPUs needs Transformers 5.23 and PyTorch 2.8 or newer: install "
            "them, or take a model that fits one GPU."
        ) from e
    return {"distributed_config": config}


def add_up_gradients_of(model: nn.Module) -> None:
    """Let the parts of a model sum gradients over ranks, and free gathered weights at once."""
    from torch.distributed.fsdp import FSDPModule

    for module in model.modules():
        if isinstance(module, FSDPModule):
            # By default they are averaged, which a sum over parts of a batch must not be.
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
            # Otherwise a layer would show its whole weights between two passes.
            module.set_reshard_after_forward(True, recurse=False)


def sum_gradients(network: nn.Module, ranks: Ranks) -> None:
    """Sum over ranks the gradients of the weights that every rank holds whole."""
    if not ranks.several:
        return
    grads = [p.grad for p in network.parameters() if p.grad is not None and not is_cut(p.grad)]
    if not grads:
        return
    together = ranks.sum(torch.cat([grad.flatten() for grad in grads]))
    sizes = [grad.numel() for grad in grads]
    for grad, summed in zip(grads, together.split(sizes), strict=True):
        grad.copy_(summed.view_as(grad))


def clip_gradients(network: nn.Module, limit: float, ranks: Ranks) -> Tensor:
    """Scale all gradients down where their norm together is above a limit.

    Returns:
        Their norm before, on the device: to read it would wait for the whole step.
    """
    if not ranks.several:
        return _clip(network, limit)
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    squares = [own_part(grad).double().square().sum() for grad in grads]
    cut = [square for grad, square in zip(grads, squares, strict=True) if is_cut(grad)]
    whole = [square for grad, square in zip(grads, squares, strict=True) if not is_cut(grad)]
    zero = squares[0].new_zeros(())
    norm = (ranks.sum(sum(cut, zero)) + sum(whole, zero)).sqrt()
    for grad in grads:
        own_part(grad).mul_((limit / (norm + 1e-6)).clamp(max=1.0))
    return norm


def _clip(network: nn.Module, limit: float) -> Tensor:
    """The same where this process holds the whole model."""
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    if all(grad.dtype != torch.bfloat16 for grad in grads):
        return torch.nn.utils.clip_grad_norm_(network.parameters(), limit)
    # A norm of bfloat16 would have two digits.
    norms = [torch.linalg.vector_norm(grad, dtype=torch.float32) for grad in grads]
    norm = torch.linalg.vector_norm(torch.stack(norms))
    torch.nn.utils.clip_grads_with_norm_(network.parameters(), limit, norm)
    return norm
