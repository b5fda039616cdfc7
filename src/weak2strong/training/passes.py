"""How the examples of a training pass the network: as texts in micro-batches, or as features.

Where the trunk is trained, every pass goes through all of it. Where only the head
is, each text goes through the trunk once, before training starts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from weak2strong.models.batches import cut, pad
from weak2strong.models.heads import outputs_of_items, read_outputs
from weak2strong.models.load import LoadedModel
from weak2strong.tasks.task import TEXTS
from weak2strong.training.memory import Room
from weak2strong.training.predict import pooled_rows, predict_rows

CACHED = 384
"""Padded tokens of a micro-batch on a CPU, whose activations should stay in its cache."""

LAUNCH = {"cpu": 3e7, "other": 3e11}
"""What it costs to launch the operations of a micro-batch, in tokens times weights of the model."""

STREAM = {torch.float32: 4, torch.bfloat16: 32}
"""And to add its gradients to the others, in tokens: more where the arithmetic is quicker."""


@dataclass(frozen=True)
class Part:
    """A micro-batch: where its examples stand in the batch, and a pass giving their outputs.

    ``real`` and ``padded`` are the tokens that pass, without and with padding.
    """

    places: Tensor
    run: Callable[[], Tensor]
    real: int = 0
    padded: int = 0


class Examples(Protocol):
    """Encoded examples that can pass the network."""

    def parts(self, batch: np.ndarray, room: Room) -> list[Part]:
        """A batch, by the positions of its examples, in micro-batches."""
        ...

    def holds(self, batch: np.ndarray, room: Room) -> bool:
        """Whether there is room for the gradients of the whole batch at once."""
        ...

    def answers(self) -> np.ndarray:
        """What the network says now of all examples, as `Predictions` holds it."""
        ...


@dataclass
class Texts:
    """Examples, by their token ids, that pass the whole network."""

    model: LoadedModel
    rows: Sequence[list[int]]
    """Of every text, one example after another."""

    @cached_property
    def _launch(self) -> float:
        weights = sum(p.numel() for p in self.model.network.parameters())
        return LAUNCH["cpu" if self._on_cpu else "other"] / weights + STREAM[self.model.precision]

    @property
    def _on_cpu(self) -> bool:
        return self.model.device.type == "cpu"

    def parts(self, batch: np.ndarray, room: Room) -> list[Part]:
        """The texts of a batch, those of like length together.

        The texts of one example pass together, since its loss is of all of them, and are
        padded to the longest among them: the price is the difference of their lengths.
        """
        rows = self._texts(batch)
        most = min(room.tokens, CACHED) if self._on_cpu else room.tokens
        widths = [len(texts) * max(map(len, texts)) for texts in rows]
        found = []
        for group in cut(widths, most, self._launch):
            texts = [text for i in group for text in rows[i]]
            tokens, mask = pad(texts, self.model.tokenizer.pad_token_id, self.model.device)
            found.append(
                Part(
                    places=torch.tensor(group, device=self.model.device),
                    run=lambda tokens=tokens, mask=mask: outputs_of_items(
                        self.model.kind, self.model.network(tokens, mask)
                    ),
                    real=sum(map(len, texts)),
                    padded=tokens.numel(),
                )
            )
        return found

    def _texts(self, batch: np.ndarray) -> list[Sequence[list[int]]]:
        """The token ids of each example's texts."""
        each = TEXTS[self.model.kind]
        return [self.rows[i * each : (i + 1) * each] for i in batch]

    def holds(self, batch: np.ndarray, room: Room) -> bool:
        """By the tokens of the batch."""
        return sum(len(row) for texts in self._texts(batch) for row in texts) <= room.tokens

    def answers(self) -> np.ndarray:
        """Probabilities (n, classes)."""
        return predict_rows(self.model, self.rows)


@dataclass
class Features:
    """Examples, by their token ids, that pass the frozen trunk once, and then the head alone."""

    model: LoadedModel
    rows: Sequence[list[int]]
    """Of every text, one example after another."""

    @cached_property
    def pooled(self) -> Tensor:
        """What the head sees of each example's texts, (n, texts, width) float32."""
        pooled = torch.from_numpy(pooled_rows(self.model, self.rows)).to(self.model.device)
        return pooled.reshape(-1, TEXTS[self.model.kind], pooled.shape[1])

    def _outputs(self, pooled: Tensor) -> Tensor:
        """What losses see of examples, (b, classes), from (b, texts, width)."""
        return outputs_of_items(self.model.kind, self.model.network.read(pooled.flatten(0, 1)))

    def parts(self, batch: np.ndarray, room: Room) -> list[Part]:
        """The batch as a whole."""
        places = torch.arange(len(batch), device=self.model.device)
        return [Part(places, lambda: self._outputs(self.pooled[batch]))]

    def holds(self, batch: np.ndarray, room: Room) -> bool:
        """Always: a head is small."""
        return True

    def answers(self) -> np.ndarray:
        """Probabilities (n, classes)."""
        with torch.inference_mode():
            return read_outputs(self.model.kind, self._outputs(self.pooled))
