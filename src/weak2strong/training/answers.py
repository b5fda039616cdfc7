"""How likely answers are after prompts, by a language model that is not trained.

Prompts with the same solved examples begin with the same tokens: these pass the model once.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp

from weak2strong.ground.errors import UserError
from weak2strong.models.batches import micro_batches, pad
from weak2strong.models.prompted import PromptedModel
from weak2strong.training.predict import INFERENCE_BUDGET

LONGEST = 2048
"""Tokens of a prompt, shots and all, even if the model could take more."""

SHARED = 8
"""Common tokens from which on they are read apart, which takes a pass of its own."""

LIGHTER = 4
"""How many tokens of a shared beginning, which a row only looks back at, take a token's room."""

SCORED = 2**27
"""Logits at once: half a gibibyte in float32."""


def answer_log_probabilities(
    model: PromptedModel, prompts: Sequence[str], answers: Sequence[Sequence[str]]
) -> np.ndarray:
    """Log-probabilities of answers right after prompts, (n, classes) float64.

    The log-probability of an answer is the sum over its tokens; several answers of a class
    are added up, and a class without any gets what the others leave.

    A prompt passes once where every answer is one token, and at most once for each answer
    otherwise (those that begin alike share a pass). Tokens that all prompts begin with pass
    once in all. A prompt that is too long loses its beginning, with a warning: the
    question stands at its end.

    Args:
        model: the language model.
        prompts: texts up to the answer.
        answers: texts of every class, the same for all prompts.

    Raises:
        UserError: where the answers alone are too long for the model.
    """
    flat = [answer for given in answers for answer in given]
    asked = _encoded(model, prompts, flat)
    scores = _sums(model, asked)
    result = np.empty((len(prompts), len(answers)))
    ends = np.cumsum([len(given) for given in answers])
    for c, (end, given) in enumerate(zip(ends, answers, strict=True)):
        if given:
            result[:, c] = logsumexp(scores[:, end - len(given) : end], axis=1)
    for c, given in enumerate(answers):
        if not given:
            spoken = np.exp(scores).sum(axis=1)
            # By rounding alone the others may leave less than nothing.
            result[:, c] = np.log(np.maximum(1 - spoken, np.finfo(np.float32).eps))
    return result


def longest_prompt(model: PromptedModel) -> int:
    """How many tokens of a prompt, shots and all, a model reads at most."""
    return min(model.tokenizer.model_max_length, LONGEST)


@dataclass(frozen=True)
class _Asked:
    """A prompt in tokens, with every answer after it; answers begin at ``start``."""

    sequences: list[list[int]]
    start: int


def _encoded(model: PromptedModel, prompts: Sequence[str], answers: Sequence[str]) -> list[_Asked]:
    """Prompts with each answer in tokens.

    Both are encoded as one text, since a tokenizer may join the end of one to the beginning
    of the other, and since some put a space before every text. Answers begin at the
    first token that is not the same in the prompt and all its continuations, so that they
    are compared from one place on.
    """
    begin, end = _specials(model.tokenizer)
    limit = longest_prompt(model)

    def tokens(texts: list[str]) -> list[list[int]]:
        rows = model.tokenizer(texts, verbose=False)["input_ids"]
        return [row[: len(row) - end] for row in rows]

    alone = tokens(list(prompts))
    continued = [tokens([prompt + answer for prompt in prompts]) for answer in answers]
    found, cut = [], 0
    for i, row in enumerate(alone):
        sequences = [rows[i] for rows in continued]
        start = _alike([row, *sequences])
        if start == 0:
            # Without a token before it, nothing says how likely the first one is.
            sequences, start = [[_first(model.tokenizer), *s] for s in sequences], 1
        # The last token of an answer is not read.
        over = max(map(len, sequences)) - 1 - limit
        if over > 0:
            if start - over <= begin:
                raise UserError(
                    f"The answers take more than the {limit:,} tokens that the model can read: "
                    "choose shorter ones."
                )
            sequences = [s[:begin] + s[begin + over :] for s in sequences]
            start, cut = start - over, cut + 1
        found.append(_Asked(sequences, start))
    if cut:
        warnings.warn(
            f"{cut:,} of {len(prompts):,} prompts are longer than the {limit:,} tokens that there "
            "is room for: their beginning is cut off.",
            stacklevel=4,
        )
    return found


def _alike(rows: Sequence[list[int]]) -> int:
    """The number of tokens that all rows begin with."""
    # What the first and the last in order have in common, those between them have too.
    one, other = min(rows), max(rows)
    different = (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(different, min(len(one), len(other)))


def _first(tokenizer: Any) -> int:
    """What texts begin with, or failing that end with."""
    ids = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
    return next(i for i in ids if i is not None)


def _specials(tokenizer: Any) -> tuple[int, int]:
    """How many tokens a tokenizer puts before a text and after it."""
    mask = tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"]
    return mask.index(0), mask[::-1].index(0)


def _sums(model: PromptedModel, asked: Sequence[_Asked]) -> np.ndarray:
    """Summed log-probabilities of all answers, (prompts, answers) float64."""
    rows, wanted = _rows(asked)
    scores = np.zeros((len(asked), len(asked[0].sequences) if asked else 0))
    begun, shared = _begun(model, asked, rows)
    lengths = [len(row) - shared + shared // LIGHTER for row in rows]
    budget = INFERENCE_BUDGET["cpu" if model.device.type == "cpu" else "other"]
    most = max(1, SCORED // (model.vocabulary * max(map(len, wanted), default=1)))
    groups = micro_batches(lengths, budget)
    for group in (g[i : i + most] for g in groups for i in range(0, len(g), most)):
        batch = pad([rows[r][shared:] for r in group], model.tokenizer.pad_token_id, model.device)
        tokens = [(b, token) for b, r in enumerate(group) for token in wanted[r]]
        places = sorted({(b, token.after) for b, token in tokens})
        line = {place: n for n, place in enumerate(places)}
        at = torch.tensor(places, device=model.device).T
        logits = model.logits(*batch, (at[0], at[1] - shared), begun)
        chosen = torch.tensor([[line[b, t.after], t.id] for b, t in tokens], device=model.device).T
        total = logits.logsumexp(dim=1)
        said = (logits[chosen[0], chosen[1]] - total[chosen[0]]).cpu().double().numpy()
        np.add.at(scores, ([t.prompt for _, t in tokens], [t.answer for _, t in tokens]), said)
    return scores


@dataclass(frozen=True)
class _Token:
    """A token of an answer to a prompt, by its id and the place in the row that it comes after."""

    prompt: int
    answer: int
    after: int
    id: int


def _rows(asked: Sequence[_Asked]) -> tuple[list[list[int]], list[list[_Token]]]:
    """What has to pass the model, and which tokens each row tells the probability of.

    The last token of an answer is not read; what another row begins with is not read twice.
    """
    rows: list[list[int]] = []
    wanted: list[list[_Token]] = []
    for prompt, one in enumerate(asked):
        first = len(rows)
        longest_first = sorted(range(len(one.sequences)), key=lambda a: -len(one.sequences[a]))
        for answer in longest_first:
            *read, _ = sequence = one.sequences[answer]
            holding = (r for r in range(first, len(rows)) if rows[r][: len(read)] == read)
            row = next(holding, len(rows))
            if row == len(rows):
                rows.append(read)
                wanted.append([])
            wanted[row] += [
                _Token(prompt, answer, after, sequence[after + 1])
                for after in range(one.start - 1, len(read))
            ]
    return rows, wanted


def _begun(
    model: PromptedModel, asked: Sequence[_Asked], rows: Sequence[list[int]]
) -> tuple[Any | None, int]:
    """The model's cache of what all rows begin with, and how many tokens that is."""
    if len(rows) < 2:
        return None, 0
    # The token before an answer is read with its row, as it says how likely the answer is.
    shared = min(_alike(rows), min(one.start for one in asked) - 1)
    begun = model.read(rows[0][:shared]) if shared >= SHARED else None
    return begun, 0 if begun is None else shared
