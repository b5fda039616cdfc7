"""Finetuning to labels: one model, one training set, one loss.

Micro-batches are grouped by length, their losses added up and divided by the size of
the whole batch, and what a loss needs to know of the whole batch is computed beforehand.
The result does not depend on how a batch was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain
from typing import Unpack

import numpy as np
import torch
from torch import Tensor

from weak2strong.config.training import Training
from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import Predictions
from weak2strong.models.batches import on_device
from weak2strong.models.loaded import LoadedModel
from weak2strong.models.reader import Row
from weak2strong.tasks.kinds import hard_labels
from weak2strong.tasks.task import Item
from weak2strong.training import loop
from weak2strong.training.given_loss import check_statistics, losses_of
from weak2strong.training.loop import Options
from weak2strong.training.loss import Loss, seen_of_batch, shown_of_part
from weak2strong.training.memory import TokenBudget, find_token_budget
from weak2strong.training.partners import Partners, partners_of
from weak2strong.training.passes import Examples, HeadAlone, Whole
from weak2strong.training.record import Carried, Fit, Passed
from weak2strong.training.training_set import TrainingSet
from weak2strong.training.vocabulary import only_used_rows, spares_rows

MEASURED = 64
"""Examples by which the size of the states is measured that the head reads."""

OnEvaluation = Callable[[float, Mapping[str, Predictions]], None]
"""Receives, at every evaluation, the share of training done, and answers by split."""


def fit(
    model: LoadedModel,
    train: TrainingSet,
    loss: Loss,
    training: Training,
    seed: int,
    validation: TrainingSet | None = None,
    token_budget: int | None = None,
    evaluated: Mapping[str, Sequence[Item]] | None = None,
    on_evaluation: OnEvaluation = lambda fraction, answers: None,
    **options: Unpack[Options],
) -> Fit:
    """Finetune a model in place; afterwards it holds the weights of the best evaluation.

    Args:
        model: whatever is not frozen is trained, in float32.
        train: what the model learns.
        loss: of the probabilities against the targets.
        training: settings, with both rates given.
        seed: of the order of examples, and of dropout.
        validation: what the stopping rule compares answers with; not needed where it is ``none``.
        token_budget: padded tokens of a micro-batch; by default as many as fit into memory.
        evaluated: items that the model answers at every evaluation, by split; the answers decide
            nothing.
        on_evaluation: receives these answers; after a break it may receive some again.
        **options: see `Options`.

    Raises:
        UserError: where the model does not fit into the memory of the device.
    """
    if training.stopping == "none":
        validation = None
    elif validation is None:
        raise ValueError(f"the stopping rule {training.stopping!r} needs validation labels")
    rows = model.reader.rows(train.items)
    validation_rows = model.reader.rows(validation.items) if validation else []
    evaluated = evaluated or {}
    evaluated_rows = [model.reader.rows(items) for items in evaluated.values()]
    targets = torch.from_numpy(np.asarray(train.targets, dtype=np.float32)).to(model.device)
    partners = partners_of(train.items) if getattr(loss, "paired", False) else None
    network = model.network
    with ExitStack() as stack:
        others = [validation_rows, *evaluated_rows]
        spared = spares_rows(training, model.ranks, options.get("checkpoint"))
        examples, encoded, budget = _examples(model, rows, others, spared, token_budget, stack)
        validation_examples, *evaluated_examples = encoded
        if model.scaled:
            network.size.fill_(size_of(examples.states(MEASURED)))
        judge = None
        if validation:
            judge = _judge(model, validation_examples, validation.targets, training)
        evaluate = None
        if evaluated:
            evaluate = partial(_evaluate, model, evaluated, evaluated_examples, on_evaluation)
        return loop.train(
            model,
            [(network.trunk, training.learning_rate), (network.head, training.head_rate)],
            len(train.items),
            partial(_add_gradients, model, examples, targets, loss, partners=partners),
            budget,
            training,
            seed,
            judge,
            evaluate,
            partners and partners.units,
            **options,
        )


def size_of(states: np.ndarray) -> float:
    """The root mean square of states that the head reads.

    AdamW moves every weight of the head by the same amount, so that the states' size decides how
    far a step moves the logits. It differs by orders of magnitude between families of models.
    Divided by it, the states ask for a rate that does not depend on it; one number for all of them
    leaves the head a linear function of the states, without a bias.
    """
    return float(np.sqrt(np.mean(np.square(states, dtype=np.float64)))) or 1.0


def _evaluate(
    model: LoadedModel,
    evaluated: Mapping[str, Sequence[Item]],
    examples: Sequence[Examples],
    on_evaluation: OnEvaluation,
    fraction: float,
) -> None:
    """Pass on the answers that the model gives now."""
    answers = {
        split: Predictions(tuple(item.id for item in items), of_split.answers(), model.kind)
        for (split, items), of_split in zip(evaluated.items(), examples, strict=True)
    }
    on_evaluation(fraction, answers)


def _examples(
    model: LoadedModel,
    rows: Sequence[Row],
    others: Sequence[Sequence[Row]],
    spared: bool,
    token_budget: int | None,
    stack: ExitStack,
) -> tuple[Examples, Sequence[Examples], TokenBudget]:
    """Examples to train on, other examples to answer meanwhile, and the token budget.

    Where rows of the embedding that no text uses are ``spared``, the model has its whole embedding
    again when the stack closes.
    """
    if not model.network.trains_trunk:
        return HeadAlone(model, rows), [HeadAlone(model, other) for other in others], TokenBudget(1)
    filler = model.reader.filler
    if spared and filler is not None:
        read = [*rows, *chain.from_iterable(others)]
        stack.enter_context(only_used_rows(model.network.trunk, read, filler))
    budget = TokenBudget(token_budget) if token_budget else find_token_budget(model, rows)
    return Whole(model, rows), [Whole(model, other) for other in others], budget


def _add_gradients(
    model: LoadedModel,
    examples: Examples,
    all_targets: Tensor,
    loss: Loss,
    batch: np.ndarray,
    fraction: float,
    carried: Carried,
    budget: TokenBudget,
    partners: Partners | None = None,
) -> Passed:
    """Add the gradients of the mean loss of one batch, ``batch`` (B,) being positions.

    Logits of earlier examples, on which the loss looks back, are carried from step to step.
    """
    targets_bk = all_targets[on_device(torch.from_numpy(batch), model.device)]
    parts = examples.parts(batch, budget)
    # Where memory holds the whole batch, one pass serves the statistics and the gradients.
    whole = examples.holds(batch, budget)
    total, statistics, outputs = torch.zeros((), device=model.device), None, []
    # One context for the step, so that weights are converted once.
    with model.autocast():
        if loss.needs_batch:
            with torch.set_grad_enabled(whole):
                outputs = [part.run() for part in parts]
            logits_bk = outputs[0].new_zeros(len(batch), outputs[0].shape[1])
            for part, of_part in zip(parts, outputs, strict=True):
                logits_bk[part.positions] = of_part.detach()
            model.ranks.sum(logits_bk)
            together = _together(partners, batch, model) if partners else None
            statistics, carried = seen_of_batch(
                loss, logits_bk, targets_bk, fraction, carried, together
            )
            check_statistics(loss, statistics, len(batch))
        for i, part in enumerate(parts):
            logits = outputs[i] if outputs and whole else part.run()
            with torch.autocast(model.device.type, enabled=False):
                if len(part.positions):
                    targets = targets_bk[part.positions]
                    shown = shown_of_part(statistics, part.positions)
                    losses = losses_of(loss, logits, targets, fraction, shown)
                    value = losses.sum() / len(batch)
                else:
                    value = logits.sum()
                value.backward()
            total = total + value.detach()
    real, padded = (sum(getattr(part, name) for part in parts) for name in ("real", "padded"))
    return Passed(total, real, padded, carried)


def _together(partners: Partners, batch: np.ndarray, model: LoadedModel) -> tuple[Tensor, Tensor]:
    """Where the partners stand in a batch, and whether the two say the opposite."""
    other, opposite = (torch.from_numpy(x).to(model.device) for x in partners.in_batch(batch))
    return other, opposite


def _judge(
    model: LoadedModel, examples: Examples, targets: np.ndarray, training: Training
) -> Callable[[], float]:
    """The metric against the most probable class of each validation label."""
    measure, labels = metric(model.kind, training.stopping_metric), hard_labels(model.kind, targets)
    return lambda: float(measure(examples.answers(), labels))
