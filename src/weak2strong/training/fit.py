"""Finetuning to labels: one model, one set of targets, one loss.

Micro-batches are grouped by length, their losses summed and divided by the
size of the whole batch, and what a loss needs to know of the whole batch is
computed beforehand. The result does not depend on how a batch was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from weak2strong.config.training import Training
from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import Predictions
from weak2strong.models.batches import encode_items
from weak2strong.models.load import LoadedModel
from weak2strong.tasks.kinds import hard_labels
from weak2strong.tasks.task import Item
from weak2strong.training import loop
from weak2strong.training.loop import Fit, Passed
from weak2strong.training.loss import Loss
from weak2strong.training.memory import TokenBudget, find_token_budget
from weak2strong.training.passes import Examples, Features, Texts
from weak2strong.training.training_set import TrainingSet
from weak2strong.training.vocabulary import only_used_rows

OnEvaluation = Callable[[float, Mapping[str, Predictions]], None]
"""Told of an evaluation: the share of training done, and answers by split."""


def fit(
    model: LoadedModel,
    train: TrainingSet,
    loss: Loss,
    training: Training,
    seed: int,
    validation: TrainingSet | None = None,
    on_step: Callable[[int, int], None] = lambda step, steps: None,
    token_budget: int | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 120.0,
    asked: Mapping[str, Sequence[Item]] | None = None,
    on_evaluation: OnEvaluation = lambda fraction, answers: None,
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
        asked: items to be answered at every evaluation, by split; the answers decide nothing.
        on_evaluation: told of these answers; after a break it may be told of some again.

    Raises:
        UserError: where the model does not fit into the memory of the device.
    """
    n, rows = len(train.items), encode_items(model.tokenizer, train.items)
    looked_at = validation if training.stopping != "none" else None
    if training.stopping != "none" and validation is None:
        raise ValueError(f"the stopping rule {training.stopping!r} needs validation labels")
    seen = encode_items(model.tokenizer, looked_at.items) if looked_at else []
    asked = asked or {}
    questions = [encode_items(model.tokenizer, items) for items in asked.values()]
    targets = torch.from_numpy(np.asarray(train.targets, dtype=np.float32)).to(model.device)
    network = model.network
    with ExitStack() as stack:
        watched = [seen, *questions]
        examples, watching, budget = _examples(model, rows, watched, training, token_budget, stack)
        judged, *answering = watching
        judge = _judge(model, judged, looked_at.targets, training) if looked_at else None
        return loop.train(
            model,
            [(network.trunk, training.learning_rate), (network.head, training.head_rate)],
            n,
            partial(_gradients, model, examples, targets, loss),
            budget,
            training,
            seed,
            judge,
            on_step,
            checkpoint,
            checkpoint_seconds,
            partial(_evaluate, model, asked, answering, on_evaluation) if asked else None,
        )


def _evaluate(
    model: LoadedModel,
    asked: Mapping[str, Sequence[Item]],
    answering: Sequence[Examples],
    on_evaluation: OnEvaluation,
    fraction: float,
) -> None:
    """Tell what the model says now of all that is asked."""
    told = {
        split: Predictions(tuple(item.id for item in items), examples.answers(), model.kind)
        for (split, items), examples in zip(asked.items(), answering, strict=True)
    }
    on_evaluation(fraction, told)


def _examples(
    model: LoadedModel,
    rows: list[list[int]],
    watched: Sequence[list[list[int]]],
    training: Training,
    token_budget: int | None,
    stack: ExitStack,
) -> tuple[Examples, Sequence[Examples], TokenBudget]:
    """Examples to train on and those to be answered meanwhile, and the room for them.

    What the training borrows of the model is given back when the stack closes.
    """
    if not model.network.trains_trunk:
        return Features(model, rows), [Features(model, seen) for seen in watched], TokenBudget(1)
    if training.weight_decay == 0:
        pad_id = model.tokenizer.pad_token_id
        read = [*rows, *chain.from_iterable(watched)]
        stack.enter_context(only_used_rows(model.network.trunk, read, pad_id))
    budget = TokenBudget(token_budget) if token_budget else find_token_budget(model, rows)
    return Texts(model, rows), [Texts(model, seen) for seen in watched], budget


def _gradients(
    model: LoadedModel,
    examples: Examples,
    all_targets: Tensor,
    loss: Loss,
    batch: np.ndarray,
    fraction: float,
    budget: TokenBudget,
) -> Passed:
    """Gradients of the mean loss of one batch."""
    targets = all_targets[batch]
    parts = examples.parts(batch, budget)
    # Where memory holds the whole batch, one pass serves the statistics and the gradients.
    whole = examples.holds(batch, budget)
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
    return Passed(total.item(), sum(part.real for part in parts), sum(p.padded for p in parts))


def _judge(
    model: LoadedModel, examples: Examples, targets: np.ndarray, training: Training
) -> Callable[[], float]:
    """The metric on the validation labels, against the most probable class of each."""
    measure, labels = metric(model.kind, training.stopping_metric), hard_labels(model.kind, targets)
    return lambda: float(measure(examples.answers(), labels))
