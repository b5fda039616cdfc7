"""The probabilities of answers after prompts, by a language model that is not trained.

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
from torch import Tensor

from weak2strong.ground.errors import UserError
from weak2strong.models.batches import micro_batches, pad
from weak2strong.models.lengths import longest_read
from weak2strong.models.prompted import PromptedModel
from weak2strong.models.text_part import embedding_of
from weak2strong.training.pace import Pace, Passing, kept
from weak2strong.training.predict import INFERENCE_BUDGET

LONGEST = 2048
"""Tokens of a prompt, shots included, where the model can read them, even if it cuts texts."""

SHARED = 8
"""So many common tokens are worth a pass of their own."""

LIGHTER = 4
"""How many tokens of a shared beginning, to which a row only attends, cost as much as one token."""

SCORED = 2**27
"""Logits at once: half a gibibyte in float32."""


def answer_log_probabilities(
    model: PromptedModel, prompts: Sequence[str], answers: Sequence[Sequence[str]]
) -> np.ndarray:
    """Log-probabilities of answers right after prompts, (n, classes) float64.

    The log-probability of an answer is the sum over its tokens. The probabilities of several
    answers of a class are added up; a class without answers gets the rest of the probability.

    A prompt passes the model once where every answer is one token, and otherwise at most once
    for each answer (answers with the same beginning share a pass). Tokens that all prompts begin
    with pass once in all. A prompt that is too long loses its beginning, with a warning: the
    question is at its end.

    Args:
        model: the language model.
        prompts: texts up to the answer.
        answers: texts of every class, the same for all prompts.

    Raises:
        UserError: where the answers alone are too long for the model.
    """
    flat = [answer for of_class in answers for answer in of_class]
    scores = _sums(model, _encoded(model, prompts, flat))
    result = np.empty((len(prompts), len(answers)))
    ends = np.cumsum([len(of_class) for of_class in answers])
    for c, (end, of_class) in enumerate(zip(ends, answers, strict=True)):
        if of_class:
            result[:, c] = logsumexp(scores[:, end - len(of_class) : end], axis=1)
        else:
            others = np.exp(scores).sum(axis=1)
            # By rounding, the others may add up to more than 1.
            result[:, c] = np.log(np.maximum(1 - others, np.finfo(np.float32).eps))
    return result


def longest_prompt(model: PromptedModel) -> int:
    """How many tokens of a prompt, shots included, a model reads at most."""
    tokenizer = model.tokenizer
    return min(tokenizer.model_max_length, max(LONGEST, longest_read(tokenizer)))


@dataclass(frozen=True)
class _Prompt:
    """A prompt in tokens, once with each answer after it; answers begin at position ``start``."""

    sequences: list[list[int]]
    start: int


def _encoded(model: PromptedModel, prompts: Sequence[str], answers: Sequence[str]) -> list[_Prompt]:
    """Prompts with each answer in tokens.

    Prompt and answer are encoded as one text, since a tokenizer may join the end of the prompt to
    the beginning of the answer, and since some tokenizers put a space before every text. Answers
    begin at the first token that is not the same in the prompt and all its continuations, so that
    all of them are compared from the same position on.
    """
    begin, end = _specials(model.tokenizer)
    limit = longest_prompt(model)

    def tokens(texts: list[str]) -> list[list[int]]:
        rows = model.tokenizer(texts, verbose=False)["input_ids"]
        return [row[: len(row) - end] for row in rows]

    alone = tokens(list(prompts))
    continued = [tokens([prompt + answer for prompt in prompts]) for answer in answers]
    encoded, cut = [], 0
    for i, row in enumerate(alone):
        sequences = [rows[i] for rows in continued]
        start = _common_length([row, *sequences])
        if start == 0:
            # The probability of a first token is only known after another token.
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
        encoded.append(_Prompt(sequences, start))
    if cut:
        warnings.warn(
            f"{cut:,} of {len(prompts):,} prompts are longer than the {limit:,} tokens that there "
            "is room for: their beginning is cut off.",
            stacklevel=4,
        )
    return encoded


def _common_length(rows: Sequence[list[int]]) -> int:
    """The number of tokens that all rows begin with."""
    # In the order of sorting, rows between two others share what these two share.
    first, last = min(rows), max(rows)
    different = (n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return next(different, min(len(first), len(last)))


def _first(tokenizer: Any) -> int:
    """The token that texts begin with; without such a token the one that they end with."""
    ids = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
    return next(i for i in ids if i is not None)


def _specials(tokenizer: Any) -> tuple[int, int]:
    """How many tokens a tokenizer puts before a text and after it."""
    mask = tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"]
    return mask.index(0), mask[::-1].index(0)


def _sums(model: PromptedModel, prompts: Sequence[_Prompt]) -> np.ndarray:
    """Summed log-probabilities of all answers, (prompts, answers) float64."""
    rows, answer_tokens = _rows(prompts)
    scores = np.zeros((len(prompts), len(prompts[0].sequences) if prompts else 0))
    begun, shared = _shared_beginning(model, prompts, rows)
    lengths = [len(row) - shared + shared // LIGHTER for row in rows]
    budget = INFERENCE_BUDGET if model.device.type == "cpu" else _pace(model).enough
    most = max(1, SCORED // (model.vocabulary * max(map(len, answer_tokens), default=1)))
    groups = micro_batches(lengths, budget)
    pieces = [g[i : i + most] for g in groups for i in range(0, len(g), most)]
    for own in model.ranks.deal(pieces):
        # What only other ranks have to pass is passed all the same.
        group = own or pieces[0]
        batch = pad([rows[r][shared:] for r in group], model.tokenizer.pad_token_id, model.device)
        tokens = [(b, token) for b, r in enumerate(group) for token in answer_tokens[r]]
        positions = sorted({(b, token.after) for b, token in tokens})
        line = {position: n for n, position in enumerate(positions)}
        in_batch, in_row = torch.tensor(positions, device=model.device).T
        # One line of logits a position: (lines, vocabulary).
        logits = model.logits(*batch, (in_batch, in_row - shared), begun)
        lines, ids = torch.tensor(
            [[line[b, token.after], token.id] for b, token in tokens], device=model.device
        ).T
        log_p = logits[lines, ids] - logits.logsumexp(dim=1)[lines]
        answers = ([t.prompt for _, t in tokens], [t.answer for _, t in tokens])
        if own:
            np.add.at(scores, answers, log_p.cpu().double().numpy())
    return model.ranks.joined(scores, model.device)


def _pace(model: PromptedModel) -> Pace:
    """What a pass costs on a device that is no CPU (see `weak2strong.training.pace`)."""

    def run(count: int, length: int) -> Tensor:
        rows = [[0] * length] * count
        batch = pad(rows, model.tokenizer.pad_token_id, model.device)
        lines = torch.arange(count, device=model.device)
        return model.logits(*batch, (lines, torch.zeros_like(lines)))

    whole, about = model.whole, {"trained": False, "packing": False, "prompted": True}
    looked_up, longest = embedding_of(whole), longest_prompt(model)
    passing = Passing(run, whole, looked_up, longest, model.device, model.ranks, about, False)
    return kept(passing)


@dataclass(frozen=True)
class _Token:
    """A token of an answer to a prompt: its id, and the position in the row before it."""

    prompt: int
    answer: int
    after: int
    id: int


def _rows(prompts: Sequence[_Prompt]) -> tuple[list[list[int]], list[list[_Token]]]:
    """The rows that pass the model, and the tokens whose probability each of them gives.

    The last token of an answer is not read; a row with which another one begins is not read again.
    """
    rows: list[list[int]] = []
    answer_tokens: list[list[_Token]] = []
    for p, prompt in enumerate(prompts):
        first, sequences = len(rows), prompt.sequences
        for answer in sorted(range(len(sequences)), key=lambda a: -len(sequences[a])):
            *read, _ = sequence = sequences[answer]
            holding = (r for r in range(first, len(rows)) if rows[r][: len(read)] == read)
            row = next(holding, len(rows))
            if row == len(rows):
                rows.append(read)
                answer_tokens.append([])
            answer_tokens[row] += [
                _Token(p, answer, after, sequence[after + 1])
                for after in range(prompt.start - 1, len(read))
            ]
    return rows, answer_tokens


def _shared_beginning(
    model: PromptedModel, prompts: Sequence[_Prompt], rows: Sequence[list[int]]
) -> tuple[Any | None, int]:
    """The model's cache of the tokens that all rows begin with, and how many tokens these are."""
    if len(rows) < 2:
        return None, 0
    # The token before an answer is read with its row: its logits are those of the answer.
    shared = min(_common_length(rows), min(prompt.start for prompt in prompts) - 1)
    begun = model.read(rows[0][:shared]) if shared >= SHARED else None
    return begun, 0 if begun is None else shared
