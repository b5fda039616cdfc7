"""The training loop: one model, one set of targets, one loss.

An optimiser step is over ``batch_size`` examples whatever fits into memory:
micro-batches are grouped by length, their losses summed and divided by the
size of the whole batch, and what a loss needs to know of the whole batch is
computed beforehand. The result does not depend on how a batch was cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from weak2strong.losses import Loss
from weak2strong.metrics import metric
from weak2strong.models.batches import TOKEN_BUDGET, encode, micro_batches, pad
from weak2strong.models.load import LoadedModel
from weak2strong.tasks.task import Item
from weak2strong.training.predict import predict_rows
from weak2strong.training.schedule import rate_factor
from weak2strong.training.settings import Training


@dataclass(frozen=True)
class Labelled:
    """Items with the targets to learn or to be compared with, (n, classes), rows sum to one."""

    items: Sequence[Item]
    targets: np.ndarray


@dataclass(frozen=True)
class Point:
    """One evaluation: the share of training done, mean loss since the last one, and the score.

    ``score`` is None where there is nothing to validate on.
    """

    fraction: float
    loss: float
    score: float | None


@dataclass(frozen=True)
class Fit:
    """What a training left behind, besides the weights in the model itself."""

    steps: int
    trace: tuple[Point, ...]
    kept: float

    def as_json(self) -> dict:
        """For ``trace.json``."""
        return asdict(self)


def fit(
    model: LoadedModel,
    train: Labelled,
    loss: Loss,
    training: Training,
    learning_rate: float,
    seed: int,
    validation: Labelled | None = None,
    on_step: Callable[[int, int], None] = lambda step, steps: None,
    token_budget: int = TOKEN_BUDGET,
) -> Fit:
    """Finetune a model in place; afterwards it holds the weights of the kept evaluation.

    Args:
        model: trained whole, in float32.
        train: what to learn.
        loss: of the probabilities against the targets.
        training: settings.
        learning_rate: peak rate.
        seed: of the order of examples.
        validation: where the stopping rule looks; without it the last weights stay.
        on_step: called with steps done and steps in all.
        token_budget: padded tokens of a micro-batch.

    Returns:
        The trace; ``kept`` is the share of training at which the kept weights stood.
    """
    network, n = model.network, len(train.items)
    rows = encode(model.tokenizer, [item.text for item in train.items])
    targets = torch.from_numpy(np.asarray(train.targets, dtype=np.float32)).to(model.device)
    optimizer = torch.optim.AdamW(
        network.parameters(),
        lr=learning_rate,
        betas=(0.9, training.beta2),
        weight_decay=training.weight_decay,
        fused=True,
    )
    judge = _Judge(model, validation, training) if training.stopping == "validation" else None
    steps = training.epochs * math.ceil(n / training.batch_size)
    looks = {round(steps * (i + 1) / training.evaluations) for i in range(training.evaluations)}
    trace: list[Point] = []
    recent: list[float] = []
    for step, batch in enumerate(_batches(n, training, seed)):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * rate_factor(
                step, steps, training.schedule, training.warmup
            )
        recent.append(
            _step(model, [rows[i] for i in batch], targets[batch], loss, step / steps, token_budget)
        )
        torch.nn.utils.clip_grad_norm_(network.parameters(), training.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        on_step(step + 1, steps)
        if step + 1 in looks:
            fraction = (step + 1) / steps
            score = judge.look(fraction) if judge else None
            trace.append(Point(fraction, float(np.mean(recent)), score))
            recent = []
    kept = judge.restore() if judge else 1.0
    return Fit(steps, tuple(trace), kept)


def _batches(n: int, training: Training, seed: int):
    """Positions of each optimiser step, reshuffled every epoch."""
    rng = np.random.default_rng([seed, 0x6F72646572])
    for _ in range(training.epochs):
        order = rng.permutation(n)
        for at in range(0, n, training.batch_size):
            yield order[at : at + training.batch_size]


def _step(
    model: LoadedModel,
    rows: list[list[int]],
    targets: Tensor,
    loss: Loss,
    fraction: float,
    token_budget: int,
) -> float:
    """Gradients of the mean loss of one batch; returns that mean."""
    groups = micro_batches([len(r) for r in rows], token_budget)
    pad_id = model.tokenizer.pad_token_id
    inputs = [pad([rows[i] for i in group], pad_id, model.device) for group in groups]
    places = [torch.tensor(group, device=model.device) for group in groups]
    total, statistics, first = 0.0, None, None
    if loss.needs_batch:
        if len(groups) == 1:
            # One micro-batch is the whole batch: its logits serve twice.
            with model.autocast():
                first = model.network(*inputs[0])
            logits = torch.empty_like(first.detach())
            logits[places[0]] = first.detach()
        else:
            with torch.no_grad(), model.autocast():
                parts = [model.network(*batch) for batch in inputs]
            logits = torch.empty(len(rows), parts[0].shape[1], device=model.device)
            for place, part in zip(places, parts, strict=True):
                logits[place] = part
        statistics = loss.statistics(logits, targets, fraction)
    for place, batch in zip(places, inputs, strict=True):
        if first is None:
            with model.autocast():
                logits = model.network(*batch)
        else:
            logits = first
        value = loss.per_example(logits, targets[place], fraction, statistics).sum() / len(rows)
        value.backward()
        total += value.item()
    return total


class _Judge:
    """Scores the model on the validation labels and remembers the best weights.

    Of evaluations with the same score the earliest is kept: it is the one that
    has seen the labels least.
    """

    def __init__(self, model: LoadedModel, validation: Labelled | None, training: Training):
        if validation is None:
            raise ValueError("the stopping rule 'validation' needs validation labels")
        self._model, self._metric = model, metric(model.kind, training.stopping_metric)
        self._rows = encode(model.tokenizer, [item.text for item in validation.items])
        self._labels = validation.targets.argmax(1)
        self._best: tuple[float, float] | None = None
        self._weights: dict[str, Tensor] = {}

    def look(self, fraction: float) -> float:
        """Evaluate now; keep the weights if they are the best so far."""
        score = float(self._metric(predict_rows(self._model, self._rows), self._labels))
        if self._best is None or score > self._best[0]:
            self._best = (score, fraction)
            state = self._model.network.state_dict()
            self._weights = {name: value.clone() for name, value in state.items()}
        return score

    def restore(self) -> float:
        """Put the best weights back; returns where in training they stood."""
        assert self._best is not None, "training has at least one evaluation"
        self._model.network.load_state_dict(self._weights)
        return self._best[1]
