"""How a model ranks each token of a text that another model wrote, after the tokens before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from torch import Tensor

from weak2strong.models.language import Counted, LanguageModel
from weak2strong.models.prompts import prompt_and_target
from weak2strong.models.reader import Batch
from weak2strong.training.predict import each_batch


@dataclass(frozen=True)
class Ranked:
    """The tokens of a text, and how a model ranks them.

    Attributes:
        tokens: each as text.
        ranks: of each one, 1 for the most probable token of the vocabulary in its place.
    """

    tokens: tuple[str, ...]
    ranks: tuple[int, ...]


def token_ranks(
    model: LanguageModel, prompts: Sequence[str], answers: Sequence[str]
) -> list[Ranked]:
    """The rank of every token of answers, after the prompt and the answer's tokens before it.

    Prompts and answers are encoded as for training, so that the model reads what a student was
    asked. The end of an answer has no rank: a text does not tell whether its writer ended it. Of
    tokens that are equally probable all have the best rank.

    Args:
        model: the language model, in one process.
        prompts: one for each answer.
        answers: texts, without spaces around; an empty one has no tokens.

    Raises:
        UserError: where answers leave no room for a prompt.
    """
    rows, counted = prompt_and_target(model.tokenizer, prompts, answers)
    # The last token is the end.
    begins = [marks.index(1) for marks in counted]
    written = [row[begin:-1] for row, begin in zip(rows, begins, strict=True)]
    rows, counted = [row[:-1] for row in rows], [marks[:-1] for marks in counted]
    ranks: list[tuple[int, ...]] = [() for _ in rows]

    def keep(group: list[int], found: Tensor) -> None:
        of_group = iter(found.tolist())
        for i in group:
            ranks[i] = tuple(islice(of_group, len(written[i])))

    def passed(group: list[int], batch: Batch) -> Callable[[], None]:
        places = Counted.of([counted[i] for i in group], model.device, model.packing)
        tokens, mask = batch
        logits, aims = model.network.predicted(tokens, mask, places)
        better = logits > logits.gather(1, aims[:, None])
        return partial(keep, group, better.sum(1) + 1)

    each_batch(model, rows, passed)
    return [
        Ranked(tuple(map(model.tokenizer.decode, tokens)), of_text)
        for tokens, of_text in zip(written, ranks, strict=True)
    ]
