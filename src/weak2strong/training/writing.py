"""Finetuning a language model to write short targets after prompts, and what it then writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from weak2strong.config.training import Training
from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import Predictions, texts
from weak2strong.models.language import LanguageModel
from weak2strong.models.prompts import decoded, prompt_and_target, prompt_rows
from weak2strong.tasks.kinds import hard_labels
from weak2strong.tasks.task import Item
from weak2strong.training.generate import generate
from weak2strong.training.language import fit_language
from weak2strong.training.loop import Fit
from weak2strong.training.training_set import TrainingSet

KIND = "generation"

JUDGED = 256
"""Validation examples that an evaluation looks at, at most: their answers have to be written."""


@dataclass(frozen=True)
class Writer:
    """A language model that answers in at most so many tokens, its end-of-text token included."""

    model: LanguageModel
    most: int

    def answers(self, items: Sequence[Item]) -> Predictions:
        """What it writes after each prompt, the most probable token at every step."""
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
    on_step: Callable[[int, int], None] = lambda step, steps: None,
    token_budget: int | None = None,
    checkpoint: Path | None = None,
) -> tuple[Writer, Fit]:
    """Finetune a language model in place on targets, (n,) texts; prompts do not count.

    The stopping rule looks at what the model writes after the prompts of ``validation``, of
    which it takes `JUDGED` at most, evenly spaced. Answers have room for the longest target.

    Args:
        model: what is not frozen is trained, in float32.
        train: what to learn.
        training: settings, with the learning rate given; ``head_rate`` is not used.
        seed: of the order of examples, and of dropout.
        validation: where the stopping rule looks; not needed where it is ``none``.
        on_step: called with steps done and steps in all.
        token_budget: padded tokens of a micro-batch; by default what memory has room for.
        checkpoint: a file; where it is there, training goes on from it.

    Returns:
        The model as it answers, with the weights of the kept evaluation, and what the
        training left behind.

    Raises:
        UserError: where targets leave no room for a prompt, or the model does not fit
            into the memory of the device.
    """
    prompts = [item.text for item in train.items]
    rows, counted = prompt_and_target(model.tokenizer, prompts, train.targets.tolist())
    writer = Writer(model, max(map(sum, counted)))
    judge = _judge(writer, validation, training) if validation else None
    done = fit_language(
        model,
        rows,
        counted,
        training,
        seed,
        judge,
        on_step,
        token_budget,
        checkpoint,
    )
    return writer, done


def _judge(writer: Writer, validation: TrainingSet, training: Training) -> Callable[[], float]:
    """The metric on some of the validation labels."""
    every = -(-len(validation.items) // JUDGED)
    items = validation.items[::every]
    measure = metric(KIND, training.stopping_metric)
    labels = hard_labels(KIND, validation.targets[::every])
    return lambda: float(measure(writer.answers(items).values, labels))
