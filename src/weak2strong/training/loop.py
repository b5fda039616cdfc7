"""The loop of every training: steps, rates, token budget, evaluations, checkpoints.

The loop knows neither texts nor losses: one function adds the gradients of a batch to the
weights. An optimiser step is over ``batch_size`` examples, however many fit into memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import torch
from torch import nn

from weak2strong.config.training import Training
from weak2strong.ground.errors import DivergedError, UserError
from weak2strong.ground.stops import Stopped
from weak2strong.models.loaded import Trainable
from weak2strong.models.ranks import Ranks, clip_gradients, sum_gradients
from weak2strong.models.sound import first_unsound
from weak2strong.training.checkpoint import load_checkpoint, save_checkpoint
from weak2strong.training.memory import NoRoomError, TokenBudget, out_of_memory, save_memory
from weak2strong.training.optimizer import optimizer_of
from weak2strong.training.record import Carried, Fit, Memory, Passed
from weak2strong.training.schedule import rate_factor

AddGradients = Callable[[np.ndarray, float, Carried, TokenBudget], Passed]
"""Adds the gradients of a batch's mean loss to those of the weights. Its arguments are the
positions of the batch's examples (B,), the share of training done before, what the step before
carried over (nothing at first), and the token budget of micro-batches, whose cut must not change
the result. It may be called again for the same batch, where memory ran out."""


class Options(TypedDict, total=False):
    """What every training may be given besides what it learns.

    Attributes:
        on_step: called with steps done and steps in all. Where it raises `Stopped`, a checkpoint is
            written before the training ends so.
        checkpoint: a file; if it is there, training goes on from it, to the same end as
            without a break.
        checkpoint_seconds: time between two of them, 120 by default.
    """

    on_step: Callable[[int, int], None]
    checkpoint: Path | None
    checkpoint_seconds: float


def train(
    model: Trainable,
    peaks: Sequence[tuple[nn.Module, float | None]],
    examples: int,
    add_gradients: AddGradients,
    budget: TokenBudget,
    training: Training,
    seed: int,
    judge: Callable[[], float] | None = None,
    on_evaluation: Callable[[float], None] | None = None,
    units: Sequence[np.ndarray] | None = None,
    **options: Unpack[Options],
) -> Fit:
    """Train a model in place; afterwards it holds the weights of the best evaluation.

    Args:
        model: whatever is not frozen is trained.
        peaks: its parts, each with its peak learning rate.
        examples: how many there are.
        add_gradients: of a batch of examples.
        budget: of micro-batches, to begin with.
        training: settings.
        seed: of the order of examples, and of dropout.
        judge: gives the score of the model as it is; the weights with the best score are kept.
            Without a judge, the last weights are kept.
        on_evaluation: called at every evaluation with the share of training done; it decides
            nothing. After a break it may be called for an evaluation again.
        units: positions of examples that follow each other in every order; each is one if None.
        **options: see `Options`.

    Raises:
        DivergedError: where a loss, or in the end a weight, is not finite.
        UserError: where the model does not fit into the memory of the device.
    """
    network, ranks, on_step = model.network, model.ranks, options.get("on_step")
    checkpoint, pause = options.get("checkpoint"), options.get("checkpoint_seconds", 120.0)
    with _dropout(network, training):
        optimizer, steps = optimizer_of(model, peaks, training, seed), training.steps_on(examples)
        evaluations = training.evaluation_steps(steps)
        rates = _rates([peak for _, peak in peaks], steps, training)
        memory = Memory(budget=budget.tokens, checkpointing=budget.checkpointing)
        if checkpoint and (saved := load_checkpoint(checkpoint, network, optimizer, ranks)):
            memory = Memory(**saved[0], best_weights=saved[1])
            if ranks.several:
                # They may have begun again with less.
                memory.budget = min(memory.budget, budget.tokens)
            if memory.checkpointing and not budget.checkpointing:
                save_memory(model)
        last_saved = time.monotonic()
        batches = _batches(examples, training.batch, seed, units)
        for step, batch in zip(range(steps), batches):  # noqa: B905  endless
            if step < memory.step:
                continue
            for group in optimizer.param_groups:
                group["lr"] = rates[step][group["part"]]
            if training.dropout:
                torch.manual_seed(_dropout_seed(seed, step, ranks))
            one_step = partial(add_gradients, batch, step / steps, memory.carried)
            passed = _within_budget(one_step, model, memory)
            passed = _of_all(passed, model)
            norm = clip_gradients(network, training.clip, ranks)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            memory.add(passed, norm)
            if memory.step in evaluations:
                with _evaluating(network):
                    memory.evaluate(steps, judge, network)
                    if on_evaluation:
                        on_evaluation(memory.step / steps)
            keep = partial(_keep, checkpoint, model, optimizer, memory)
            if ranks.first(time.monotonic() - last_saved >= pause):
                keep()
                last_saved = time.monotonic()
            if on_step:
                with _stopping(keep):
                    on_step(memory.step, steps)
        network.load_state_dict(memory.best_weights, strict=False)
    done = memory.fit(rates)
    if unsound := first_unsound(network, trained=True):
        raise DivergedError(f"after its last step the weight {unsound[0]} is {unsound[1]}")
    return done


def _rates(
    peaks: Sequence[float | None], steps: int, training: Training
) -> list[tuple[float, ...]]:
    """The rate of each part at each step."""
    warmup = training.warmup_share(steps)
    factors = (rate_factor(step, steps, training.schedule, warmup) for step in range(steps))
    return [tuple((peak or 0.0) * factor for peak in peaks) for factor in factors]


def _batches(
    n: int, size: int, seed: int, units: Sequence[np.ndarray] | None = None
) -> Iterator[np.ndarray]:
    """Positions of the examples of each optimiser step, without end; reshuffled every epoch."""
    rng = np.random.default_rng([seed, 0x6F72646572])
    while True:
        order = rng.permutation(n if units is None else len(units))
        order = order if units is None else np.concatenate([units[i] for i in order])
        for begin in range(0, n, size):
            yield order[begin : begin + size]


def _of_all(passed: Passed, model: Trainable) -> Passed:
    """What passed on all ranks, after their gradients are added up."""
    if not model.ranks.several:
        return passed
    sum_gradients(model.network, model.ranks)
    parts = model.ranks.gathered((passed.loss.item(), passed.real, passed.padded))
    loss, real, padded = map(sum, zip(*parts, strict=True))
    return replace(passed, loss=torch.tensor(loss, dtype=torch.float64), real=real, padded=padded)


def _dropout_seed(seed: int, step: int, ranks: Ranks) -> int:
    """The seed of a step's dropout, which differs by rank, as the examples do."""
    return hash((seed, step, ranks.rank) if ranks.several else (seed, step))


def _within_budget(
    step: Callable[[TokenBudget], Passed], model: Trainable, memory: Memory
) -> Passed:
    """What a step returns; where memory runs out, the step is repeated with half the budget.

    Raises:
        UserError: where not even one text fits.
        NoRoomError: where memory runs out on one of several ranks.
    """
    while True:
        try:
            return step(TokenBudget(memory.budget, memory.checkpointing))
        except Exception as e:
            if not out_of_memory(e):
                raise
            if model.ranks.several:
                # The others would wait for this one.
                raise NoRoomError(memory.budget) from e
            # The frames of its traceback hold all tensors of the failed pass.
            error = e.with_traceback(None)
        model.network.zero_grad(set_to_none=True)
        if model.device.type == "cuda":
            torch.cuda.empty_cache()
        if memory.budget > 1:
            memory.budget //= 2
        elif not memory.checkpointing and save_memory(model):
            memory.checkpointing = True
        else:
            raise UserError(
                f"The {model.device.type} ran out of memory with one text at a time: adapt the "
                "model by LoRA or the head alone, or take a smaller one."
            ) from error


def _keep(
    checkpoint: Path | None, model: Trainable, optimizer: torch.optim.Optimizer, memory: Memory
) -> None:
    """Write a checkpoint, where there is a file for it."""
    if checkpoint:
        notes, best = memory.notes(), memory.best_weights
        save_checkpoint(checkpoint, model.network, optimizer, notes, best, model.ranks)


@contextmanager
def _stopping(keep: Callable[[], None]) -> Iterator[None]:
    """A context that a request to stop leaves only after the state of the training is kept."""
    try:
        yield
    except Stopped:
        keep()
        raise


@contextmanager
def _dropout(network: nn.Module, training: Training) -> Iterator[None]:
    """A context with dropout, if the training has it, and with random numbers of its own."""
    if not training.dropout:
        yield
        return
    with torch.random.fork_rng():
        network.train()
        try:
            yield
        finally:
            network.eval()


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """A context without dropout."""
    before = network.training
    network.eval()
    yield
    network.train(before)
