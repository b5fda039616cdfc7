"""The training loop: one model, one set of targets, one loss.

An optimiser step is over ``batch_size`` examples whatever fits into memory:
micro-batches are grouped by length, their losses summed and divided by the
size of the whole batch, and what a loss needs to know of the whole batch is
computed beforehand. The result does not depend on how a batch was cut.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from weak2strong.errors import UserError
from weak2strong.losses import Loss
from weak2strong.metrics import metric
from weak2strong.models.batches import encode_items
from weak2strong.models.load import LoadedModel
from weak2strong.tasks.kinds import hard_labels
from weak2strong.tasks.task import Item
from weak2strong.training.checkpoint import load_checkpoint, save_checkpoint
from weak2strong.training.memory import Room, find_room, out_of_memory, save_memory
from weak2strong.training.passes import Examples, Features, Texts
from weak2strong.training.schedule import rate_factor
from weak2strong.training.settings import Training
from weak2strong.training.vocabulary import only_used_rows


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
    """What a training left behind, besides the weights in the model itself.

    Attributes:
        steps: of the optimiser.
        trace: the evaluations.
        kept: the share of training at which the kept weights stood.
        padding: share of padding among the tokens that passed the network; None where
            texts did so once only, the trunk being frozen.
        room: padded tokens of a micro-batch, at the end.
        twice: whether activations were computed twice.
    """

    steps: int
    trace: tuple[Point, ...]
    kept: float
    padding: float | None
    room: int
    twice: bool

    @property
    def note(self) -> str:
        """What a log says of it."""
        said = [f"padding {self.padding:.1%}"] if self.padding is not None else []
        if self.twice:
            said.append("activations computed twice")
        return ", ".join(said)


def fit(
    model: LoadedModel,
    train: Labelled,
    loss: Loss,
    training: Training,
    seed: int,
    validation: Labelled | None = None,
    on_step: Callable[[int, int], None] = lambda step, steps: None,
    token_budget: int | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 120.0,
) -> Fit:
    """Finetune a model in place; afterwards it holds the weights of the kept evaluation.

    Args:
        model: what is not frozen is trained, in float32.
        train: what to learn.
        loss: of the probabilities against the targets.
        training: settings, with both rates given.
        seed: of the order of examples, and of dropout.
        validation: where the stopping rule looks; not needed where it is ``none``.
        on_step: called with steps done and steps in all.
        token_budget: padded tokens of a micro-batch; by default what memory has room for.
        checkpoint: a file; where it is there, training goes on from it, to the
            same end as without a break.
        checkpoint_seconds: time between two of them.

    Raises:
        UserError: where the model does not fit into the memory of the device.
    """
    network, n = model.network, len(train.items)
    rows = encode_items(model.tokenizer, train.items)
    looked_at = validation if training.stopping != "none" else None
    if training.stopping != "none" and validation is None:
        raise ValueError(f"the stopping rule {training.stopping!r} needs validation labels")
    seen = encode_items(model.tokenizer, looked_at.items) if looked_at else []
    targets = torch.from_numpy(np.asarray(train.targets, dtype=np.float32)).to(model.device)
    with ExitStack() as stack:
        examples, judged, room = _examples(model, rows, seen, training, token_budget, stack)
        stack.enter_context(_dropout(network, training))
        optimizer, peaks = _optimizer(model, training)
        judge = _Judge(model, judged, looked_at.targets, training) if looked_at else None
        steps = training.steps_on(n)
        looks = training.looks(steps)
        memory = _Memory(room=room.tokens, twice=room.twice)
        if checkpoint and (found := load_checkpoint(checkpoint, network, optimizer)):
            memory = _Memory(**found[0], best_weights=found[1])
            if memory.twice and not room.twice:
                save_memory(model)
        saved = time.monotonic()
        batches = _batches(n, training.batch_size, seed)
        for step, batch in zip(range(steps), batches):  # noqa: B905  endless
            if step < memory.step:
                continue
            warmup = training.warmup_share(steps)
            factor = rate_factor(step, steps, training.schedule, warmup)
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
            if training.dropout:
                torch.manual_seed(hash((seed, step)))
            about = (model, examples, batch, targets[batch], loss, step / steps, memory)
            value = _with_room(partial(_gradients, *about), model, memory)
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
        network.load_state_dict(memory.best_weights, strict=False)
    padding = 1 - memory.real / memory.padded if memory.padded else None
    trace = tuple(Point(*p) for p in memory.trace)
    return Fit(steps, trace, memory.best_fraction, padding, memory.room, memory.twice)


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
    room: int = 0
    twice: bool = False
    real: int = 0
    padded: int = 0

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
            self.best_weights = {
                k: p.detach().clone() for k, p in network.named_parameters() if p.requires_grad
            }

    def notes(self) -> dict:
        """Everything but tensors."""
        return {k: v for k, v in vars(self).items() if k != "best_weights"}


def _examples(
    model: LoadedModel,
    rows: list[list[int]],
    seen: list[list[int]],
    training: Training,
    token_budget: int | None,
    stack: ExitStack,
) -> tuple[Examples, Examples, Room]:
    """Examples to train and to validate on, and the room for them.

    What the training borrows of the model is given back when the stack closes.
    """
    if not model.network.trains_trunk:
        return Features(model, rows), Features(model, seen), Room(1)
    if training.weight_decay == 0:
        pad_id = model.tokenizer.pad_token_id
        stack.enter_context(only_used_rows(model.network.trunk, [*rows, *seen], pad_id))
    room = Room(token_budget) if token_budget else find_room(model, rows)
    return Texts(model, rows), Texts(model, seen), room


def _optimizer(model: LoadedModel, training: Training) -> tuple[torch.optim.AdamW, list[float]]:
    """AdamW over trunk and head, and the peak rate of each."""
    if training.learning_rate is None or training.head_rate is None:
        raise ValueError("the learning rates must be given (see Training.with_rates)")
    peaks = [training.learning_rate, training.head_rate]
    parts = [model.network.trunk, model.network.head]
    groups = [
        {"params": [p for p in part.parameters() if p.requires_grad], "lr": peak}
        for part, peak in zip(parts, peaks, strict=True)
    ]
    betas, decay = (training.beta1, training.beta2), training.weight_decay
    return torch.optim.AdamW(groups, betas=betas, weight_decay=decay, fused=True), peaks


def _batches(n: int, size: int, seed: int) -> Iterator[np.ndarray]:
    """Positions of each optimiser step, without end; reshuffled every epoch."""
    rng = np.random.default_rng([seed, 0x6F72646572])
    while True:
        order = rng.permutation(n)
        for at in range(0, n, size):
            yield order[at : at + size]


def _with_room(step: Callable[[], float], model: LoadedModel, memory: _Memory) -> float:
    """What a step returns; where memory runs out, it is repeated with half as many tokens at once.

    Raises:
        UserError: where there is no room for one text either.
    """
    while True:
        try:
            return step()
        except Exception as e:
            if not out_of_memory(e):
                raise
            # Without its traceback, whose frames hold all that the failed pass had made.
            error = e.with_traceback(None)
        model.network.zero_grad(set_to_none=True)
        if model.device.type == "cuda":
            torch.cuda.empty_cache()
        if memory.room > 1:
            memory.room //= 2
        elif not memory.twice and save_memory(model):
            memory.twice = True
        else:
            raise UserError(
                f"The {model.device.type} ran out of memory with one text at a time: adapt the "
                "model by LoRA or the head alone, or take a smaller one."
            ) from error


def _gradients(
    model: LoadedModel,
    examples: Examples,
    batch: np.ndarray,
    targets: Tensor,
    loss: Loss,
    fraction: float,
    memory: _Memory,
) -> float:
    """Gradients of the mean loss of one batch; returns that mean."""
    room = Room(memory.room, memory.twice)
    parts = examples.parts(batch, room)
    # Where memory holds the whole batch, one pass serves the statistics and the gradients.
    whole = examples.holds(batch, room)
    total, statistics, held = torch.zeros((), device=model.device), None, []
    # One context for the step, so that weights are converted once.
    with model.autocast():
        if loss.needs_batch:
            with torch.set_grad_enabled(whole):
                held = [part.run() for part in parts]
            logits = torch.empty(len(batch), held[0].shape[1], device=model.device)
            for part, found in zip(parts, held, strict=True):
                logits[part.places] = found.detach()
            statistics = loss.statistics(logits, targets, fraction)
        for i, part in enumerate(parts):
            logits = held[i] if held and whole else part.run()
            with torch.autocast(model.device.type, enabled=False):
                values = loss.per_example(logits, targets[part.places], fraction, statistics)
                value = values.sum() / len(batch)
                value.backward()
            total += value.detach()
    memory.real += sum(part.real for part in parts)
    memory.padded += sum(part.padded for part in parts)
    return total.item()


@contextmanager
def _dropout(network: torch.nn.Module, training: Training) -> Iterator[None]:
    """Within it, a network that is to train with dropout drops; random numbers are its own."""
    if not training.dropout:
        yield
        return
    with torch.random.fork_rng():
        network.train()
        try:
            yield
        finally:
            network.eval()


class _Judge:
    """Scores the model on the validation labels."""

    def __init__(
        self, model: LoadedModel, examples: Examples, labels: np.ndarray, training: Training
    ):
        self._model, self._metric = model, metric(model.kind, training.stopping_metric)
        self._examples, self._labels = examples, hard_labels(model.kind, labels)

    def score(self) -> float:
        """The metric now, against the most probable class of each label."""
        network = self._model.network
        before = network.training
        network.eval()
        answers = self._examples.answers()
        network.train(before)
        return float(self._metric(answers, self._labels))
