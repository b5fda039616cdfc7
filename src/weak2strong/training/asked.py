"""What a pretrained language model writes after solved prompts, without any training."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from weak2strong.config.model import ModelSpec
from weak2strong.ground.predictions import Predictions, texts
from weak2strong.ground.written import normalised
from weak2strong.models.batches import text_lengths
from weak2strong.models.language import LanguageModel, load_language_model
from weak2strong.models.lengths import longest_read
from weak2strong.models.prompts import decoded, prompt_rows
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.tasks.asked import Asked
from weak2strong.tasks.prompt import answer_in, written_prompt
from weak2strong.tasks.task import Item
from weak2strong.training.generate import generate

SPARE = 2
"""Tokens of an answer beyond the longest that is known: its end, and a line break before it."""


def pretrained_answers(
    spec: ModelSpec,
    asked: Asked,
    items: Mapping[str, Sequence[Item]],
    *,
    on_step: Callable[[int, int], None],
    ranks: Ranks = ALONE,
    token_budget: int | None = None,
) -> Mapping[str, Predictions]:
    """What a pretrained model answers, by split, by one process or several together.

    Args:
        spec: of the model, whose adaptation changes nothing before it is trained.
        asked: how it is asked.
        items: the prompts, by split.
        on_step: not called: nothing is trained.
        ranks: the processes that hold the model together.
        token_budget: padded tokens of a batch; by default what suits the device.
    """
    model = load_language_model(spec, 0, ranks)
    model.freeze()
    return {
        split: Predictions(
            tuple(i.id for i in of),
            texts(written_answers(model, asked, [i.text for i in of], token_budget)),
            "generation",
        )
        for split, of in items.items()
    }


def written_answers(
    model: LanguageModel, asked: Asked, prompts: Sequence[str], token_budget: int | None = None
) -> list[str]:
    """The answer to each prompt: over draws the most frequent one, the first of equals.

    Where a prompt is too long for the model, its first solved prompts are left out, with a warning.
    """
    tokenizer = model.tokenizer
    most = max(map(len, tokenizer(list(asked.longest), add_special_tokens=False)["input_ids"]))
    most += SPARE
    draws, shortened = [], 0
    for shots in asked.draws:
        whole, cut = _fitting(model, asked, shots, prompts, longest_read(tokenizer) - most)
        rows = prompt_rows(tokenizer, whole, most)
        written = decoded(tokenizer, generate(model, rows, most, token_budget))
        draws.append([answer_in(asked.form, text, asked.one_line) for text in written])
        shortened += cut
    if shortened:
        warnings.warn(
            f"{shortened:,} of {len(asked.draws) * len(prompts):,} prompts are longer than the "
            f"{longest_read(tokenizer) - most:,} tokens that there is room for: the first of their "
            "shots are left out.",
            stacklevel=2,
        )
    return [_most_frequent(of) for of in zip(*draws, strict=True)]


def _fitting(
    model: LanguageModel,
    asked: Asked,
    shots: Sequence[tuple[str, str]],
    prompts: Sequence[str],
    room: int,
) -> tuple[list[str], int]:
    """Prompts after as many of the solved ones as fit, the last ones, and how many lack some."""
    found, waiting, cut = [""] * len(prompts), list(range(len(prompts))), 0
    for first in range(len(shots) + 1):
        whole = [
            written_prompt(asked.form, asked.system, shots[first:], prompts[i]) for i in waiting
        ]
        lengths = text_lengths(model.tokenizer, whole)
        left = list[int]()
        for i, text, length in zip(waiting, whole, lengths, strict=True):
            if length <= room or first == len(shots):
                found[i] = text
            else:
                left.append(i)
        cut, waiting = cut or len(left), left
        if not waiting:
            break
    return found, cut


def _most_frequent(answers: Sequence[str]) -> str:
    forms = [normalised(answer) for answer in answers]
    counted = Counter(forms)
    return answers[forms.index(max(forms, key=lambda form: counted[form]))]
