"""The training loop: one model, one set of targets, one loss.

An optimiser step is over ``batch_size`` examples whatever fits into memory:
micro-batches are grouped by length, their losses summed and divided by the
size of the whole batch, and what a loss needs to know of the whole batch is
computed beforehand. The result does not depend on how a batch was cut.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from weak2strong.losses import Loss
from weak2strong.metrics import metric
from weak2strong.models.batches import TOKEN_BUDGET, encode, micro_batches, pad
from weak2strong.models.load import LoadedModel
from weak2strong.tasks.kinds import hard_labels
from weak2strong.tasks.task import Item
from weak2strong.training.checkpoint import load_checkpoint, save_checkpoint
from weak2strong.training.predict import predict_rows
from weak2strong.training.schedule import rate_factor
from weak2strong.training.settings import Training

CPU_BUDGET = 384
"""Padded tokens of a micro-batch on a CPU, where small ones with little padding are fastest."""


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


def fit(
    model: LoadedModel,
    train: Labelled,
    loss: Loss,
    training: Training,
    seed: int,
    validation: Labelled | None = None,
    on_step: Callable[[int, int], None] = lambda step, steps: None,
    token_budget: int = TOKEN_BUDGET,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 120.0,
) -> Fit:
    """Finetune a model in place; afterwards it holds the weights of the kept evaluation.

    Args:
        model: trained whole, in float32.
        train: what to learn.
        loss: of the probabilities against the targets.
        training: settings, with both rates given.
        seed: of the order of examples.
        validation: where the stopping rule looks; not needed where it is ``none``.
        on_step: called with steps done and steps in all.
        token_budget: padded tokens of a micro-batch.
        checkpoint: a file; where it is there, training goes on from it, to the
            same end as without a break.
        checkpoint_seconds: time between two of them.

    Returns:
        The trace; ``kept`` is the share of training at which the kept weights stood.
    """
    network, n = model.network, len(train.items)
    rows = encode(model.tokenizer, [item.text for item in train.items])
    targets = torch.from_numpy(np.asarray(train.targets, dtype=np.float32)).to(model.device)
    optimizer, peaks = _optimizer(model, training)
    judge = _Judge(model, validation, training) if training.stopping == "validation" else None
    steps = training.epochs * math.ceil(n / training.batch_size)
    looks = {round(steps * (i + 1) / training.evaluations) for i in range(training.evaluations)}
    memory = _Memory()
    if checkpoint and (found := load_checkpoint(checkpoint, network, optimizer)):
        memory = _Memory(**found[0], best_weights=found[1])
    saved = time.monotonic()
    for step, batch in enumerate(_batches(n, training, seed)):
        if step < memory.step:
            continue
        factor = rate_factor(step, steps, training.schedule, training.warmup)
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * factor
        value = _step(
            model, [rows[i] for i in batch], targets[batch], loss, step / steps, token_budget
        )
        torch.nn.utils.clip_grad_norm_(network.parameters(), training.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        memory.step += 1
        memory.losses.append(value)
        if memory.step in looks:
            memory.look(steps, judge, network)
        if checkpoint and time.monotonic() - saved >= checkpoint_seconds:
            save_checkpoint(checkpoint, network, optimizer, memory.notes(), memory.best_weights)
            saved = time.monotonic()
        on_step(memory.step, steps)
    if memory.best_weights:
        network.load_state_dict(memory.best_weights)
    return Fit(steps, tuple(Point(*p) for p in memory.trace), memory.best_fraction)


@dataclass
class _Memory:
    """What a training has to remember from step to step, besides weights and optimiser state.

    Of evaluations with the same score the earliest is kept: it is the one that
    has seen the labels least. Where no evaluation has a score (no judge, or an
    AUC of one class only), the last weights stay.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    trace: list[tuple[float, float, float | None]] = field(default_factory=list)
    best_score: float | None = None
    best_fraction: float = 1.0
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def look(self, steps: int, judge: _Judge | None, network: torch.nn.Module) -> None:
        """Evaluate, if there is a judge, and keep the weights if they are the best so far."""
        fraction = self.step / steps
        score = judge.score() if judge else None
        self.trace.append((fraction, float(np.mean(self.losses)), score))
        self.losses = []
        if score is None or math.isnan(score):
            return
        if self.best_score is None or score > self.best_score:
            self.best_score, self.best_fraction = score, fraction
            self.best_weights = {k: v.clone() for k, v in network.state_dict().items()}

    def notes(self) -> dict:
        """Everything but tensors."""
        return {k: v for k, v in vars(self).items() if k != "best_weights"}


def _optimizer(model: LoadedModel, training: Training) -> tuple[torch.optim.AdamW, list[float]]:
    """AdamW over trunk and head, and the peak rate of each."""
    if training.learning_rate is None or training.head_rate is None:
        raise ValueError("the learning rates must be given (see Training.with_rates)")
    peaks = [training.learning_rate, training.head_rate]
    parts = [model.network.trunk, model.network.head]
    groups = [
        {"params": list(part.parameters()), "lr": peak}
        for part, peak in zip(parts, peaks, strict=True)
    ]
    betas, decay = (0.9, training.beta2), training.weight_decay
    return torch.optim.AdamW(groups, betas=betas, weight_decay=decay, fused=True), peaks


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
    lengths = [len(r) for r in rows]
    groups = micro_batches(lengths, token_budget)
    # Where memory holds the whole batch, one pass serves the statistics and the gradients.
    whole = len(groups) == 1
    if whole and model.device.type == "cpu":
        groups = micro_batches(lengths, min(token_budget, CPU_BUDGET))
    pad_id = model.tokenizer.pad_token_id
    inputs = [pad([rows[i] for i in group], pad_id, model.device) for group in groups]
    places = [torch.tensor(group, device=model.device) for group in groups]
    total, statistics, held = 0.0, None, []
    if loss.needs_batch:
        with torch.set_grad_enabled(whole), model.autocast():
            parts = [model.network(*batch) for batch in inputs]
        logits = torch.empty(len(rows), parts[0].shape[1], device=model.device)
        for place, part in zip(places, parts, strict=True):
            logits[place] = part.detach()
        statistics = loss.statistics(logits, targets, fraction)
        held = parts if whole else []
    for i, (place, batch) in enumerate(zip(places, inputs, strict=True)):
        if held:
            logits = held[i]
        else:
            with model.autocast():
                logits = model.network(*batch)
        value = loss.per_example(logits, targets[place], fraction, statistics).sum() / len(rows)
        value.backward()
        total += value.item()
    return total


class _Judge:
    """Scores the model on the validation labels."""

    def __init__(self, model: LoadedModel, validation: Labelled | None, training: Training):
        if validation is None:
            raise ValueError("the stopping rule 'validation' needs validation labels")
        self._model, self._metric = model, metric(model.kind, training.stopping_metric)
        self._rows = encode(model.tokenizer, [item.text for item in validation.items])
        self._labels = hard_labels(model.kind, validation.targets)

    def score(self) -> float:
        """The metric now, against the most probable class of each label."""
        return float(self._metric(predict_rows(self._model, self._rows), self._labels))
