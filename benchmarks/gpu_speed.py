"""What `gpu.py` times: a model and texts on a device, for long enough to be told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from finetune import _finish, matrix_rate
from gpu_models import classifier, clear, part_of, peak_gib, spec_of, texts, writer
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.losses import loss
from weak2strong.models.batches import encode_items
from weak2strong.models.guess import guess
from weak2strong.models.needs import (
    SPARE,
    activation_bytes,
    count,
    skeleton,
    training_bytes,
    usable_bytes,
)
from weak2strong.models.precision import fast_precision
from weak2strong.training.fit import fit
from weak2strong.training.generate import generate
from weak2strong.training.memory import find_token_budget, out_of_memory
from weak2strong.training.predict import pooled_activations, predict
from weak2strong.training.training_set import TrainingSet

Row = dict[str, Any]

OPERATIONS = {"full": 6, "lora": 4, "head": 2, "inference": 2, "activations": 2}
OPERATIONS["lora 4bit"] = OPERATIONS["lora"]
"""Floating-point operations a token and weight outside the embedding."""

BATCH, PROMPT, NEW = 32, 128, 32
"""Examples of an optimiser step; the most tokens of a prompt, and tokens written after it."""


@dataclass
class Bench:
    """Where models run, which they are, and how long a measurement takes.

    Attributes:
        device: where.
        folders: of the models, by name.
        lengths: the shortest and the longest text, in tokens.
        seconds: of a measurement; a shortest one is of one batch.
        most: examples of a measurement.
        budgets: padded tokens of micro-batches that are compared.
        tiny: whether only to see that all runs.
    """

    device: torch.device
    folders: dict[str, Path]
    lengths: tuple[int, int]
    seconds: float
    most: int
    budgets: tuple[int, ...]
    tiny: bool
    held: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    @cached_property
    def data(self) -> TrainingSet:
        """The texts."""
        return texts(self.most, *self.lengths)

    @cached_property
    def product_rate(self) -> float:
        """Operations a second of a large product in the precision that models compute in."""
        return matrix_rate(self.device, fast_precision(self.device))

    def model(self, name: str, adaptation: str, packing: str = "auto") -> Any:
        """A model with a head, or as ``writer`` without one; no other is on the device.

        Raises:
            UserError: where weights, gradients and optimiser are more than the device holds.
        """
        which = (name, adaptation, packing)
        if which not in self.held:
            self.held.clear()
            clear(self.device)
            if adaptation == "writer":
                self.held[which] = writer(self.folders[name], self.device)
            else:
                self.check_room(name, adaptation)
                made = classifier(self.folders[name], adaptation, self.device, packing)
                self.held[which] = made
        return self.held[which]

    def check_room(self, name: str, adaptation: str) -> None:
        """Refuse a training that cannot fit, before anything is drawn."""
        resting = guess(spec_of(self.folders[name], adaptation), self.device)
        room = usable_bytes(self.device)
        if resting.resting is not None and resting.resting > room:
            raise UserError(
                f"left out: it takes {resting.resting / 2**30:.0f} GiB with gradients and "
                f"optimiser, of {room / 2**30:.0f}"
            )

    def guarded(self, about: Row, measure: Callable[[], Row]) -> Iterator[Row]:
        """A row of what is measured, or of the sentence that says why it is not."""
        try:
            yield about | measure()
            return
        except UserError as e:
            note = str(e)
        except Exception as e:
            if not out_of_memory(e):
                raise
            note = "left out: the device ran out of memory"
        # Only here is the error gone, whose frames hold tensors.
        self.held.clear()
        clear(self.device)
        yield about | {"note": note}

    def rate(self, run: Callable[[int], Any], share: float = 1.0) -> Row:
        """How fast something does a number of the examples, after a batch to warm up.

        It takes a share of the usual seconds.
        """
        wanted = share * self.seconds

        def seconds(examples: int) -> float:
            _finish(self.device)
            begun = time.perf_counter()
            run(examples)
            _finish(self.device)
            return time.perf_counter() - begun

        seconds(BATCH)
        examples, took = BATCH, seconds(BATCH)
        if took < wanted and self.most > BATCH:
            examples = min(self.most, BATCH * round(wanted / took + 1))
            took = seconds(examples)
        tokens = sum(len(item.text.split()) for item in self.data.items[:examples])
        return {
            "examples": examples,
            "seconds": took,
            "examples/s": examples / took,
            "tokens/s": tokens / took,
        }

    def timed(self, name: str, job: str) -> Row:
        """A job: its rate, its share of the peak, and its memory."""
        if job == "generation":
            return self._written(name)
        trains = job.startswith(("full", "lora"))
        model = self.model(name, job if trains else "head")
        # Of the model without adapters, whose weights may be of few bits.
        trunk = skeleton(spec_of(self.folders[name], "head"))
        weights = count(trunk) - trunk.get_input_embeddings().weight.numel()
        clear(self.device)
        estimate = self._estimate(model) if trains else None
        clear(self.device)
        row = self.rate(lambda n: JOBS[job](model, part_of(self.data, n)))
        operations = OPERATIONS[job] * weights * row["tokens/s"]
        row["of peak"] = operations / self.product_rate
        return row | {"peak GiB": peak_gib(self.device), "estimate GiB": estimate}

    def _estimate(self, model: Any) -> float | None:
        """What the package takes a training's memory to be at most, in GiB."""
        rows = encode_items(model.tokenizer, self.data.items)
        longest, budget = max(map(len, rows)), find_token_budget(model, rows)
        with model.autocast():
            activations = activation_bytes(model.network, longest, longest)
        passing = min(budget.tokens, BATCH * longest) / longest
        return (training_bytes(model.network) + SPARE * activations * passing) / 2**30

    def _written(self, name: str) -> Row:
        """Tokens that a language model writes."""
        model, written = self.model(name, "writer"), list[list[int]]()
        rows = [row[:PROMPT] for row in encode_items(model.tokenizer, self.data.items)]

        def run(examples: int) -> None:
            written[:] = generate(model, rows[:examples], NEW)

        row = self.rate(run)
        row["tokens/s"] = sum(map(len, written)) / row["seconds"]
        return row | {"peak GiB": peak_gib(self.device)}


def train(model: Any, data: TrainingSet, budget: int | None = None) -> None:
    """Finetune for one epoch by the package."""
    training = Training(
        epochs=1, batch_size=BATCH, learning_rate=1e-4, head_rate=1e-4, evaluations=1
    )
    fit(model, data, loss("cross-entropy"), training, 0, token_budget=budget)


JOBS: dict[str, Callable[[Any, TrainingSet], object]] = {
    "full": train,
    "lora": train,
    "lora 4bit": train,
    "head": train,
    "inference": lambda model, data: predict(model, data.items),
    "activations": lambda model, data: pooled_activations(model, data.items),
}
"""What the package does with a model and texts."""
