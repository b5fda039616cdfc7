"""Finetuning a language model on rows of tokens, of which all count in the loss or only some.

The loss of a batch is the mean over its counted tokens, in whichever rows they are, as in
Transformers; it does not depend on how the batch was cut. In generative finetuning all tokens
count (Burns et al. 2023, section 5.2.2); where a model learns to answer, only the target's do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Unpack

import numpy as np
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import encode
from weak2strong.models.language import (
    Counted,
    LanguageModel,
    load_language_model,
    save_language_model,
)
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.training import loop
from weak2strong.training.loop import Options
from weak2strong.training.memory import TokenBudget, find_token_budget
from weak2strong.training.pace import Pace, pace_of
from weak2strong.training.passes import padded_groups
from weak2strong.training.record import Carried, Fit, Passed
from weak2strong.training.vocabulary import only_used_rows, spares_rows


def has_read(
    spec: ModelSpec,
    texts: Sequence[str],
    training: Training,
    seed: int,
    folder: Path,
    checkpoint: Path,
    *,
    on_step: Callable[[int, int], None],
    ranks: Ranks = ALONE,
    token_budget: int | None = None,
) -> Fit:
    """Finetune a model of a specification on texts, of which all tokens count, and save it.

    Args:
        spec: of the model.
        texts: that it reads.
        training: settings.
        seed: of all that is drawn.
        folder: of the trained model, with its tokenizer.
        checkpoint: a file, by which the training goes on after a break.
        on_step: called with steps done and steps in all.
        ranks: the processes that hold the model together.
        token_budget: padded tokens of a micro-batch; by default as many as fit into memory.
    """
    model = load_language_model(spec, seed, ranks)
    rows = encode(model.tokenizer, texts)
    options = {"on_step": on_step, "checkpoint": checkpoint}
    done = fit_language(model, rows, None, training, seed, None, token_budget, **options)
    save_language_model(model, folder)
    return done


def fit_language(
    model: LanguageModel,
    rows: Sequence[Sequence[int]],
    counted: Sequence[Sequence[int]] | None,
    training: Training,
    seed: int,
    judge: Callable[[], float] | None = None,
    token_budget: int | None = None,
    on_evaluation: Callable[[float], None] | None = None,
    **options: Unpack[Options],
) -> Fit:
    """Train a language model in place; afterwards it holds the weights of the best evaluation.

    Texts are rows as `encode` gives them. No end-of-text token is added: it would train the state
    of a text's last token, which a head may read later, to predict the end. Targets have such a
    token (see `prompt_and_target`).

    Args:
        model: whatever is not frozen is trained, in float32.
        rows: token ids.
        counted: for each row 1 for the tokens that count, else 0; None if all do. The first
            token of a row never counts, and a row without a counted token is left out.
        training: settings, with the learning rate given; ``head_rate`` is not used.
        seed: of the order of rows, and of dropout.
        judge: the score of the model as it is, for the stopping rule; not needed where
            that is ``none``.
        token_budget: padded tokens of a micro-batch; by default as many as fit into memory.
        on_evaluation: called at every evaluation with the share of training done.
        **options: see `Options`.

    Raises:
        UserError: where no token counts, or the model does not fit into the memory of
            the device.
    """
    if training.stopping == "none":
        judge = None
    elif judge is None:
        raise ValueError(f"the stopping rule {training.stopping!r} needs a judge")
    marks = [[1] * len(r) for r in rows] if counted is None else counted
    learnt = [(r, [0, *m[1:]]) for r, m in zip(rows, marks, strict=True) if any(m[1:])]
    if not learnt:
        raise UserError("There is nothing to learn: no text has a token after its first one.")
    passages = _Passages(model, [r for r, _ in learnt], [m for _, m in learnt])
    network, pad_id = model.network, model.tokenizer.pad_token_id
    # Whoever judges or looks on may let the model write any token.
    alone = judge is None and on_evaluation is None
    spared = alone and spares_rows(training, model.ranks, options.get("checkpoint"))
    with only_used_rows(network.whole, passages.rows, pad_id) if spared else nullcontext():
        return loop.train(
            model,
            [(network, training.learning_rate)],
            len(learnt),
            passages.add_gradients,
            TokenBudget(token_budget) if token_budget else find_token_budget(model, passages.rows),
            training,
            seed,
            judge,
            on_evaluation,
            **options,
        )


@dataclass
class _Passages:
    """Token rows, and for each of their tokens 1 if it counts."""

    model: LanguageModel
    rows: list[Sequence[int]]
    counted: list[list[int]]

    @cached_property
    def _pace(self) -> Pace:
        return pace_of(self.model)

    def add_gradients(
        self, batch: np.ndarray, fraction: float, carried: Carried, budget: TokenBudget
    ) -> Passed:
        """Add the gradients of the mean over the batch's counted tokens."""
        model, rows = self.model, [self.rows[i] for i in batch]
        marks = [self.counted[i] for i in batch]
        count, real, padded = sum(map(sum, marks)), 0, 0
        total = torch.zeros((), device=model.device)
        # One context for the step, so that weights are converted once.
        with model.autocast():
            for group, of_group, cost in padded_groups(model, rows, budget, self._pace):
                # A micro-batch that only other ranks need counts all of its tokens.
                counted = None
                if group:
                    own = [marks[i] for i in group]
                    counted = Counted.of(own, model.device, model.packing)
                value = model.network(*of_group, counted)[: len(group)].sum() / count
                with torch.autocast(model.device.type, enabled=False):
                    value.backward()
                total = total + value.detach()
                real += sum(len(rows[i]) for i in group)
                padded += cost if group else 0
        return Passed(total, real, padded)
