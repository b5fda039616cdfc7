"""Settings of one fit; every field is part of the key of what it makes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from weak2strong.config.fields import Count, Flag, NotNegative, Number, Positive, Share, Text
from weak2strong.config.settings import RefusedError, settings

Schedule = Literal["cosine", "linear", "constant"]
Stopping = Literal["none", "weak-validation", "oracle"]
Decay = Annotated[Number, Field(ge=0, lt=1)]

EPOCHS = 3
"""Of a training where neither the user nor what its items are says another number."""

BATCH_SIZE = 32
"""The same of examples of an optimiser step."""


def _rising(metric: str) -> str:
    """Refuse a metric of which less is better: the worst evaluation would be kept."""
    # NumPy comes with the metrics, and few studies name one.
    from weak2strong.ground.metrics import LESS_IS_BETTER

    if metric in LESS_IS_BETTER:
        raise RefusedError(f"must be a metric of which more is better, not {metric!r}.")
    return metric


@settings("a training")
class Training:
    """How a model is finetuned, by AdamW."""

    epochs: Count | None = None
    """Passes over the training examples; if not given 3, and 20 where they are features."""
    steps: Count | None = None
    """Optimiser steps, in place of epochs."""
    batch_size: Count | None = None
    """Examples of an optimiser step; if not given 32, and 128 where they are features."""
    learning_rate: Annotated[Positive | None, Flag("lr", "RATE", each=True)] = None
    """Peak learning rate; the model's own default if not given. The flag sets that of trunk and
    head."""
    head_rate: Annotated[Positive | None, Flag(metavar="RATE", each=True)] = None
    """Peak learning rate of the fresh head; the model's own default if neither rate is given, and
    the same as the trunk's if only that is."""
    schedule: Schedule = "cosine"
    """Shape of the learning rate after the warm-up."""
    warmup: Share = 0.1
    """Share of the steps in which the learning rate rises."""
    warmup_steps: Count | None = None
    """Steps in which the learning rate rises, in place of a share."""
    weight_decay: NotNegative = 0.0
    """Decoupled weight decay of all weights but biases and the scales of norms."""
    beta1: Decay = 0.9
    """First-moment decay of AdamW."""
    beta2: Decay = 0.95
    """Second-moment decay of AdamW."""
    clip: Positive = 1.0
    """Largest norm of the gradient."""
    dropout: bool = False
    """Use the dropout that comes with the model, while training."""
    stopping: Annotated[Stopping, Flag(each=True, both=True)] = "none"
    """Keep the weights of the last step (none), or of the best evaluation: weak-validation
    evaluates a student on weak labels of the validation split, supervisor and ceiling on a
    held-out tenth of what they would learn; oracle evaluates all on ground truth of the
    validation split (an upper bound and no fair result for a student)."""
    stopping_metric: Annotated[Text, AfterValidator(_rising)] | None = None
    """Metric of the evaluations, against the most probable class of each label; the usual one of
    the task if not given."""
    evaluations: Annotated[Count, Flag("stopping-evaluations")] = 6
    """Evaluations during training, evenly spaced; the last is at its end."""
    evaluate_every: Count | None = None
    """Steps from one evaluation to the next, in place of a number of evaluations."""

    @property
    def passes(self) -> int:
        """Epochs, the usual number where none is given."""
        return self.epochs or EPOCHS

    @property
    def batch(self) -> int:
        """Examples of an optimiser step, the usual number where none is given."""
        return self.batch_size or BATCH_SIZE

    @property
    def amount(self) -> str:
        """How much is learnt, for people."""
        number, what = (self.steps, "step") if self.steps else (self.passes, "epoch")
        return f"{number:,} {what}{'s' if number > 1 else ''}, batch {self.batch}"

    def with_amount(self, epochs: int, batch_size: int) -> Training:
        """The same settings with epochs and size of a batch filled in by these."""
        return replace(self, epochs=self.epochs or epochs, batch_size=self.batch_size or batch_size)

    def steps_on(self, examples: int) -> int:
        """Optimiser steps on so many examples."""
        return self.steps or self.passes * math.ceil(examples / self.batch)

    def evaluation_steps(self, steps: int) -> set[int]:
        """The steps after which to evaluate, of so many; the last is one of them."""
        if self.evaluate_every:
            return {*range(self.evaluate_every, steps, self.evaluate_every), steps}
        return {round(steps * (i + 1) / self.evaluations) for i in range(self.evaluations)} - {0}

    def warmup_share(self, steps: int) -> float:
        """The share of so many steps in which the rate rises; above 1 if that is past the end."""
        return self.warmup if self.warmup_steps is None else self.warmup_steps / steps

    def with_rates(self, rates: tuple[float, float]) -> Training:
        """The same settings with both rates filled in; ``rates`` are a model's defaults."""
        if self.learning_rate is None:
            return replace(self, learning_rate=rates[0], head_rate=self.head_rate or rates[1])
        return replace(self, head_rate=self.head_rate or self.learning_rate)

    def at_usual_rates(self, rates: tuple[float, float]) -> Training:
        """The same settings for another model, whose default rates these are."""
        return replace(self, learning_rate=None, head_rate=None).with_rates(rates)
