"""What a training remembers from step to step, and what it leaves behind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from weak2strong.ground.errors import DivergedError

READ_EVERY = 16
"""Steps after which losses and norms are read from a device that works by itself: reading waits for
all that it was given to do."""


def reads_at_once(device: torch.device) -> bool:
    """Whether reading a number of a device waits for nothing."""
    return device.type == "cpu"


@dataclass(frozen=True)
class Point:
    """One evaluation: the share of training done, mean loss since the last one, and the score.

    ``score`` is None where there is nothing to validate on.
    """

    fraction: float
    loss: float
    score: float | None


@dataclass(frozen=True)
class Curve:
    """The steps of a training, in their order.

    Attributes:
        losses: mean loss of each batch, before the step.
        norms: of the gradient of each batch, before it is clipped.
        rates: of the step, for each part of the model.
    """

    losses: tuple[float, ...]
    norms: tuple[float, ...]
    rates: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Fit:
    """What a training left behind, besides the weights in the model itself.

    Attributes:
        steps: of the optimiser.
        trace: the evaluations.
        curve: the steps.
        kept: the share of training that was done at the evaluation whose weights were kept.
        padding: share of padding among the tokens that passed the network; None where the trunk
            is frozen, so that texts passed it only once.
        budget: padded tokens of a micro-batch, at the end.
        checkpointing: whether activations were computed twice.
    """

    steps: int
    trace: tuple[Point, ...]
    curve: Curve
    kept: float
    padding: float | None
    budget: int
    checkpointing: bool

    @property
    def note(self) -> str:
        """The padding, and whether activations were computed twice, for a log."""
        notes = [f"padding {self.padding:.1%}"] if self.padding is not None else []
        if self.checkpointing:
            notes.append("activations computed twice")
        return ", ".join(notes)


Carried = Tensor | list[list[float]]
"""Rows of numbers that one step hands to the next: on the device, or as a checkpoint had them."""


@dataclass(frozen=True)
class Passed:
    """The loss of a batch, and the tokens that passed the network for it.

    Attributes:
        loss: its mean, on the device.
        real: tokens that passed the network.
        padded: the same with padding.
        carried: rows of numbers for the next step, which checkpoints hold exactly.
    """

    loss: Tensor
    real: int
    padded: int
    carried: Carried = field(default_factory=list)


@dataclass
class Memory:
    """What a training has to remember from step to step, besides weights and optimiser state.

    Losses and norms of the last steps may still be on the device, as ``unread``.

    Among evaluations with the same score the latest is kept: its learning rate is the lowest, so
    that its weights depend least on the last batches. Where no evaluation has a score (no judge, or
    an AUC of one class only), the last weights stay.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    trace: list[tuple[float, float, float | None]] = field(default_factory=list)
    evaluated: int = 0
    best_score: float | None = None
    best_fraction: float = 1.0
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    budget: int = 0
    checkpointing: bool = False
    real: int = 0
    padded: int = 0
    carried: Carried = field(default_factory=list)
    unread: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def add(self, passed: Passed, norm: Tensor) -> None:
        """Count a step, whose gradient had that norm."""
        self.step += 1
        self.unread.append((passed.loss, norm))
        self.real += passed.real
        self.padded += passed.padded
        self.carried = passed.carried
        if reads_at_once(norm.device) or len(self.unread) >= READ_EVERY:
            self.read()

    def read(self) -> None:
        """Read losses and norms that are still on the device.

        Raises:
            DivergedError: where a loss is not finite.
        """
        if self.unread:
            losses, norms = zip(*self.unread, strict=True)
            self.losses += torch.stack(losses).tolist()
            self.norms += torch.stack(norms).tolist()
            self.unread = []
            for step in range(len(self.losses) - len(losses), len(self.losses)):
                if not math.isfinite(self.losses[step]):
                    raise DivergedError(f"the loss of step {step + 1} is {self.losses[step]}")

    def evaluate(self, steps: int, judge: Callable[[], float] | None, network: nn.Module) -> None:
        """Evaluate, if there is a judge, and keep the weights if they are the best so far."""
        self.read()
        fraction = self.step / steps
        score = judge() if judge else None
        self.trace.append((fraction, float(np.mean(self.losses[self.evaluated :])), score))
        self.evaluated = self.step
        if score is None or math.isnan(score):
            return
        if self.best_score is None or score >= self.best_score:
            self.best_score, self.best_fraction = score, fraction
            self.best_weights = {
                k: p.detach().clone() for k, p in network.named_parameters() if p.requires_grad
            }

    def notes(self) -> dict:
        """Everything but tensors."""
        self.read()
        notes = {k: v for k, v in vars(self).items() if k not in ("best_weights", "unread")}
        if isinstance(self.carried, Tensor):
            notes["carried"] = self.carried.tolist()
        return notes

    def fit(self, rates: Sequence[tuple[float, ...]]) -> Fit:
        """What the training leaves behind, at its end; ``rates`` are those of its steps."""
        self.read()
        return Fit(
            steps=self.step,
            trace=tuple(Point(*point) for point in self.trace),
            curve=Curve(tuple(self.losses), tuple(self.norms), tuple(rates)),
            kept=self.best_fraction,
            padding=1 - self.real / self.padded if self.padded else None,
            budget=self.budget,
            checkpointing=self.checkpointing,
        )
