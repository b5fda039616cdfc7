"""How the examples of a training pass the network: the whole of it in micro-batches, or its head.

Where the trunk is trained, every pass goes through the whole network. Where only the head is
trained, each row passes the trunk once, before training starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from weak2strong.models.batches import cut, micro_batches, on_device
from weak2strong.models.heads import outputs_of_items, read_outputs
from weak2strong.models.loaded import LoadedModel, Trainable
from weak2strong.models.reader import Batch, Given, Row
from weak2strong.tasks.task import TEXTS
from weak2strong.training.memory import TokenBudget
from weak2strong.training.pace import Pace, pace_of
from weak2strong.training.predict import pooled_rows, predict_rows

CACHED = {torch.float32: 384, torch.bfloat16: 640}
"""Tokens of a micro-batch on a CPU, with padding, whose activations should stay in its cache."""


ANSWERED = 2**14
"""Examples whose inputs of a head, where they are read from a file, are in memory together."""


@dataclass(frozen=True)
class Part:
    """A micro-batch.

    Of several ranks each has as many as every other; one without examples is there for the others.

    Attributes:
        positions: of its examples in the batch, (b,).
        run: passes the examples and returns their outputs, (b, classes).
        real: tokens that pass, or what other rows cost.
        padded: the same with padding.
    """

    positions: Tensor
    run: Callable[[], Tensor]
    real: int = 0
    padded: int = 0


class Examples(Protocol):
    """Encoded examples that can pass the network."""

    def parts(self, batch: np.ndarray, budget: TokenBudget) -> list[Part]:
        """A batch, by the positions of its examples, in micro-batches."""
        ...

    def holds(self, batch: np.ndarray, budget: TokenBudget) -> bool:
        """Whether the whole batch fits into memory at once, with its gradients."""
        ...

    def states(self, count: int) -> np.ndarray:
        """What the head reads now of the rows of the first examples, (rows, width) float32."""
        ...

    def answers(self) -> np.ndarray:
        """The network's answers to all examples now, as `Predictions` holds them."""
        ...


def padded_groups(
    model: Trainable,
    rows: Sequence[Row],
    budget: TokenBudget,
    pace: Pace,
    each: int = 1,
) -> Iterator[tuple[list[int], Batch, int]]:
    """A batch's rows in micro-batches: positions in the batch, what the network is called with, and
    what it costs with padding.

    Where an example has several rows, ``each`` of them, these follow each other and pass
    together; positions are then those of examples.

    Of several ranks each has its own micro-batches, and as many as every other: a micro-batch that
    only others need has no positions, and the shortest example as its rows.
    """
    most = budget.tokens
    if model.device.type == "cpu":
        most = min(most, CACHED[model.precision])
    by_example = [rows[i : i + each] for i in range(0, len(rows), each)]
    costs = [each * max(map(len, texts)) for texts in by_example]
    if model.packing:
        costs = [sum(map(len, texts)) for texts in by_example]
    cuts = []
    for hand in model.ranks.hands(costs):
        own = [costs[i] for i in hand]
        # Without padding there is nothing to weigh against another launch.
        if model.packing:
            groups = micro_batches(own, most, packed=True)
        else:
            groups = cut(own, most, pace.extra, pace.floor)
        cuts.append([[hand[i] for i in group] for group in groups])
    own, shortest = cuts[model.ranks.rank], costs.index(min(costs))
    own += [[]] * (max(map(len, cuts)) - len(own))
    for group in own:
        of_group = [row for i in group or [shortest] for row in by_example[i]]
        lengths = [len(row) for row in of_group]
        padded = sum(lengths) if model.packing else len(lengths) * max(lengths)
        yield group, model.batch(of_group), padded


@dataclass
class Whole:
    """Examples that pass the whole network; ``rows`` are those of the model's reader, one example
    after another: of a preference two.
    """

    model: LoadedModel
    rows: Sequence[Row]

    @cached_property
    def _pace(self) -> Pace:
        return pace_of(self.model)

    def parts(self, batch: np.ndarray, budget: TokenBudget) -> list[Part]:
        """The rows of a batch, rows of similar length together.

        The rows of one example pass together, since its loss depends on all of them, and are
        padded to the longest among them.
        """
        rows, each = self._rows(batch), TEXTS[self.model.kind]
        return [
            Part(
                positions=on_device(torch.tensor(group, dtype=torch.long), self.model.device),
                run=lambda group=group, of_group=of_group: outputs_of_items(
                    self.model.kind, self.model.network(*of_group)
                )[: len(group)],
                real=sum(len(row) for i in group for row in rows[each * i : each * (i + 1)]),
                padded=padded,
            )
            for group, of_group, padded in padded_groups(self.model, rows, budget, self._pace, each)
        ]

    def _rows(self, batch: np.ndarray) -> list[Row]:
        """The rows of the examples, one example after another."""
        each = TEXTS[self.model.kind]
        return [row for i in batch for row in self.rows[i * each : (i + 1) * each]]

    def holds(self, batch: np.ndarray, budget: TokenBudget) -> bool:
        """Whether the rows of the batch, or of every rank's part of it, are within the budget."""
        rows, each = self._rows(batch), TEXTS[self.model.kind]
        by_example = [rows[i : i + each] for i in range(0, len(rows), each)]
        costs = [sum(map(len, of_example)) for of_example in by_example]
        hands = self.model.ranks.hands([each * max(map(len, of)) for of in by_example])
        return max(sum(costs[i] for i in hand) for hand in hands) <= budget.tokens

    def states(self, count: int) -> np.ndarray:
        """They pass the trunk, without gradients."""
        return pooled_rows(self.model, self.rows[: count * TEXTS[self.model.kind]])

    def answers(self) -> np.ndarray:
        """Probabilities (n, classes)."""
        return predict_rows(self.model, self.rows)


@dataclass
class HeadAlone:
    """Examples that pass the frozen trunk once, and then the head alone; ``rows`` as in `Whole`."""

    model: LoadedModel
    rows: Sequence[Row]

    @cached_property
    def given(self) -> Given | None:
        """What the head reads of the rows, where that is there already, and is not kept here."""
        return self.model.reader.given(self.rows)

    @cached_property
    def pooled(self) -> Tensor:
        """The head's inputs for each example's rows, (n, rows, width) float32."""
        pooled = torch.from_numpy(pooled_rows(self.model, self.rows)).to(self.model.device)
        return pooled.reshape(-1, TEXTS[self.model.kind], pooled.shape[1])

    def _inputs(self, examples: np.ndarray) -> Tensor:
        """The head's inputs for some examples, by their positions, (b, rows, width) float32."""
        if self.given is None:
            return self.pooled[on_device(torch.from_numpy(examples), self.model.device)]
        each = TEXTS[self.model.kind]
        rows = (examples[:, None] * each + np.arange(each)).reshape(-1)
        inputs = on_device(torch.from_numpy(self.given.at(rows)), self.model.device)
        return inputs.reshape(len(examples), each, -1)

    def _outputs(self, pooled: Tensor) -> Tensor:
        """The outputs of examples, (b, classes), from (b, rows, width)."""
        return outputs_of_items(self.model.kind, self.model.network.read(pooled.flatten(0, 1)))

    def parts(self, batch: np.ndarray, budget: TokenBudget) -> list[Part]:
        """The batch as a whole; of several ranks each has its part."""
        own = self.model.ranks.hands([1] * len(batch))[self.model.ranks.rank]
        device = self.model.device
        positions = on_device(torch.tensor(own, dtype=torch.long), device)
        inputs = self._inputs(batch[own])
        return [Part(positions, lambda: self._outputs(inputs))]

    def holds(self, batch: np.ndarray, budget: TokenBudget) -> bool:
        """Always: a head is small."""
        return True

    def states(self, count: int) -> np.ndarray:
        """They have passed the trunk already."""
        if self.given is None:
            return self.pooled[:count].flatten(0, 1).cpu().numpy()
        return self.given.at(np.arange(min(count * TEXTS[self.model.kind], len(self.given))))

    def answers(self) -> np.ndarray:
        """Probabilities (n, classes)."""
        with torch.inference_mode():
            if self.given is None:
                return read_outputs(self._outputs(self.pooled))
            every = np.arange(len(self.given) // TEXTS[self.model.kind])
            parts = [every[i : i + ANSWERED] for i in range(0, len(every), ANSWERED)]
            return np.concatenate([read_outputs(self._outputs(self._inputs(p))) for p in parts])
