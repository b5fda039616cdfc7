"""Finetuning a language model to write short targets after prompts, and the answers it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Unpack

import numpy as np
from torch import Tensor

from weak2strong.config.training import Training
from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import Predictions, texts
from weak2strong.models.language import Counted, LanguageModel
from weak2strong.models.prompts import decoded, prompt_and_target, prompt_rows
from weak2strong.models.reader import Batch
from weak2strong.tasks.kinds import hard_labels
from weak2strong.tasks.task import Item
from weak2strong.training.fit import OnEvaluation
from weak2strong.training.generate import generate
from weak2strong.training.language import fit_language
from weak2strong.training.loop import Options
from weak2strong.training.predict import each_batch
from weak2strong.training.record import Fit
from weak2strong.training.training_set import TrainingSet

KIND = "generation"

JUDGED = 256
"""Validation examples of an evaluation, at most: the model has to write an answer to each."""


@dataclass(frozen=True)
class Writer:
    """A language model whose answers have at most ``most`` tokens, with the end-of-text token."""

    model: LanguageModel
    most: int

    def answers(self, items: Sequence[Item]) -> Predictions:
        """The texts that it writes after each prompt, the most probable token at every step."""
        tokenizer = self.model.tokenizer
        rows = prompt_rows(tokenizer, [item.text for item in items], self.most)
        written = decoded(tokenizer, generate(self.model, rows, self.most))
        return Predictions(tuple(item.id for item in items), texts(written), KIND)


def fit_writing(
    model: LanguageModel,
    train: TrainingSet,
    training: Training,
    seed: int,
    validation: TrainingSet | None = None,
    token_budget: int | None = None,
    evaluated: Mapping[str, Sequence[Item]] | None = None,
    on_evaluation: OnEvaluation = lambda fraction, answers: None,
    **options: Unpack[Options],
) -> tuple[Writer, Fit]:
    """Finetune a language model in place on targets, (n,) texts; prompts do not count.

    The stopping rule compares the answers that the model writes with at most `JUDGED` targets
    of ``validation``, evenly spaced. An answer may be as long as the longest target.

    Args:
        model: whatever is not frozen is trained, in float32.
        train: what the model learns.
        training: settings, with the learning rate given; ``head_rate`` is not used.
        seed: of the order of examples, and of dropout.
        validation: for the stopping rule; not needed where that is ``none``.
        token_budget: padded tokens of a micro-batch; by default as many as fit into memory.
        evaluated: items that the model answers at every evaluation, by split; the answers decide
            nothing.
        on_evaluation: receives these answers; after a break it may receive some again.
        **options: see `Options`.

    Returns:
        The model as it answers, with the weights of the best evaluation, and what the
        training left behind.

    Raises:
        UserError: where targets leave no room for a prompt, or the model does not fit
            into the memory of the device.
    """
    prompts = [item.text for item in train.items]
    rows, counted = prompt_and_target(model.tokenizer, prompts, train.targets.tolist())
    writer = Writer(model, max(map(sum, counted)))
    judge = _judge(writer, validation, training) if validation else None

    def evaluate(fraction: float) -> None:
        on_evaluation(
            fraction, {s: writer.answers(items) for s, items in (evaluated or {}).items()}
        )

    heard = evaluate if evaluated else None
    return writer, fit_language(
        model, rows, counted, training, seed, judge, token_budget, heard, **options
    )


def target_probabilities(
    model: LanguageModel, items: Sequence[Item], targets: Sequence[str]
) -> np.ndarray:
    """How probable a token of each target is on average, its end included: geometric means, (n,).

    It moves before the most probable answer does, so that it tells trainings apart that have not
    come far.
    """
    rows, counted = prompt_and_target(model.tokenizer, [i.text for i in items], targets)
    result = np.zeros(len(rows))

    def keep(group: list[int], surprise: Tensor) -> None:
        result[group] = surprise[: len(group)].cpu().double().numpy()

    def passed(group: list[int], batch: Batch) -> Callable[[], None]:
        counts = None
        if group:
            counts = Counted.of([counted[i] for i in group], model.device, model.packing)
        return partial(keep, group, model.network(*batch, counts))

    each_batch(model, rows, passed)
    return np.exp(-model.ranks.joined(result, model.device) / [sum(marks) for marks in counted])


def _judge(writer: Writer, validation: TrainingSet, training: Training) -> Callable[[], float]:
    """The metric on some of the validation labels."""
    every = -(-len(validation.items) // JUDGED)
    items = validation.items[::every]
    measure = metric(KIND, training.stopping_metric)
    labels = hard_labels(KIND, validation.targets[::every])
    return lambda: float(measure(writer.answers(items).values, labels))
