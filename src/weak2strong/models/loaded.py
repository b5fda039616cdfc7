"""A model that is loaded: a network, what it reads, and where it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.config.model import Checkpointing, ModelSpec, OptimizerStates, Pooling
from weak2strong.ground.errors import UserError
from weak2strong.models.few_bits import has_few_bits, is_rounded
from weak2strong.models.kept import States
from weak2strong.models.packing import pack
from weak2strong.models.ranks import ALONE, Ranks, is_cut
from weak2strong.models.reader import Batch, Reader, Row
from weak2strong.tasks.task import Kind


class Headed(nn.Module):
    """A linear head on one vector of every text, image or row of features, to (b, outputs).

    Attributes:
        trunk: what gives the vectors.
        head: what reads them.
        size: what the vectors are divided by: 1 until a training has measured it.
        pooling: how one vector comes of an item, as a setting that leaves nothing open.
    """

    size: Tensor
    pooling: Pooling = "auto"

    def __init__(self, trunk: nn.Module, head: nn.Linear):
        super().__init__()
        self.trunk, self.head = trunk, head
        self.register_buffer("size", torch.ones(()))

    def pooled(self, *batch: Any) -> Tensor:
        """One vector for each row of a batch, (b, d); ``batch`` is what a `Reader` makes."""
        raise NotImplementedError

    def pooled_layers(
        self, batch: Sequence[Any], layers: Sequence[int], pooling: Pooling = "auto"
    ) -> list[Tensor]:
        """One vector for each row and each of these layers, (b, d), the last of them as by
        `pooled`."""
        raise NotImplementedError

    def read(self, pooled: Tensor) -> Tensor:
        """Outputs of the head for pooled states (b, d), float32 at least."""
        outputs = self.head(pooled.to(self.head.weight.dtype) / self.size)
        return outputs.to(torch.promote_types(outputs.dtype, torch.float32))

    def forward(self, *batch: Any) -> Tensor:
        """Outputs of the head, float32 at least."""
        return self.read(self.pooled(*batch))

    @property
    def pretrained(self) -> Any:
        """The model of Transformers in the trunk, which its own code saves and loads."""
        return self.trunk

    @property
    def is_cut(self) -> bool:
        """Whether several ranks hold the trunk together."""
        return any(is_cut(p) for p in self.trunk.parameters())

    @property
    def trains_trunk(self) -> bool:
        """Whether anything beneath the head is trained."""
        return any(p.requires_grad for p in self.trunk.parameters())


@dataclass(frozen=True)
class Trainable:
    """What a training needs of a model, whatever it reads, and whatever stands on its trunk.

    Attributes:
        network: a module with a ``trunk``, from a batch to outputs.
        reader: of the items that it reads.
        device: where it runs.
        precision: of the matrix products; trained weights are float32.
        checkpointing: whether activations may be computed twice.
        ranks: the processes that hold the network together.
        packing: whether texts pass it packed, without padding.
        optimizer_states: what the moments of the optimiser are kept in.
    """

    network: Any
    reader: Reader
    device: torch.device
    precision: torch.dtype = torch.float32
    checkpointing: Checkpointing = "auto"
    ranks: Ranks = ALONE
    packing: bool = False
    optimizer_states: OptimizerStates = "float32"

    @property
    def tokenizer(self) -> Any:
        """The tokenizer, with a pad token, of a model that reads texts."""
        return self.reader.tokenizer  # pyright: ignore

    def batch(self, rows: Sequence[Row]) -> Batch:
        """Rows as the network is called with them: of texts that are packed, the token ids of all
        in one row, and where they are."""
        if self.packing:
            return pack(rows, self.device)
        return self.reader.batch(rows, self.device)

    def autocast(self) -> AbstractContextManager:
        """The context in which the network computes in its precision."""
        # What several ranks have trained stays in float32 (see `freeze`).
        mixed = self.network.trains_trunk or (
            self.ranks.several
            and any(p.dtype == torch.float32 for p in self.network.trunk.parameters())
        )
        return computing_in(self.precision, self.device, mixed)

    def lower(self, part: nn.Module) -> None:
        """Freeze a part of the network, and round it to the precision.

        A part that is cut over several ranks keeps the type of its numbers, and is computed with in
        the precision as in training: FSDP2 does not allow another type.
        """
        part.requires_grad_(False)
        if self.ranks.several:
            return
        if not has_few_bits(part):
            part.to(self.precision)
            return
        # Only what was trained is of another type, and the rest is not to be touched.
        for weight in part.parameters():
            if weight.dtype == torch.float32 and not is_rounded(weight):
                weight.data = weight.data.to(self.precision)


@dataclass(frozen=True)
class LoadedModel(Trainable):
    """A network with what it reads, the kind of task its head is for, and where it runs.

    ``scaled`` says whether a training divides what the head reads by its size. ``states`` are those
    that the trunk has made of texts before, where it is frozen and this process keeps it.
    """

    network: Headed
    kind: Kind = field(kw_only=True)
    scaled: bool = field(default=False, kw_only=True)
    states: States | None = field(default=None, kw_only=True)

    def pooled(self, rows: Sequence[Row], batch: Batch) -> Tensor:
        """One vector for each row of a batch, (b, d), without gradients, by a pass or from before.

        Args:
            rows: of the batch.
            batch: the same as the network is called with them.
        """
        # With dropout every pass gives something else.
        if self.states is None or self.network.training:
            return self.network.pooled(*batch)
        return self.states.of(rows, lambda: self.network.pooled(*batch))

    def freeze(self) -> None:
        """End training: weights that were float32 for its sake are rounded to the precision."""
        self.lower(self.network.trunk)


def computing_in(
    precision: torch.dtype, device: torch.device, trains_trunk: bool
) -> AbstractContextManager:
    """The context in which a network computes in a precision, its trained weights in float32."""
    # A trunk that is frozen is in this precision already, from its first state to its last.
    if precision == torch.float32 or not trains_trunk:
        return nullcontext()
    return torch.autocast(device.type, precision)


_ON_CPU = ContextVar[bool]("on_cpu", default=False)


@contextmanager
def on_cpu() -> Iterator[None]:
    """In here models are on the CPU, as where small ones are only tried out."""
    token = _ON_CPU.set(True)
    try:
        yield
    finally:
        _ON_CPU.reset(token)


def best_device() -> torch.device:
    """CUDA, else Apple's MPS, else the CPU."""
    if _ON_CPU.get():
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def move(network: nn.Module, spec: ModelSpec, device: torch.device, ranks: Ranks = ALONE) -> None:
    """Put a network on its device; what is cut over several ranks is there already.

    Raises:
        UserError: where it does not fit.
    """
    if ranks.several:
        if isinstance(network, Headed):
            network.head.to(device)
            network.size = network.size.to(device)
        return
    try:
        network.to(device)
    except torch.OutOfMemoryError as e:
        advice = "adapt it by LoRA, or " if spec.adaptation == "full" else ""
        raise UserError(
            f"Model {spec.name!r} does not fit into the memory of the {device.type} "
            f"(adaptation {spec.adaptation}): {advice}take a smaller one."
        ) from e
