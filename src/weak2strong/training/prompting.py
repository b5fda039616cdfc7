"""Answers of a language model that is asked, not trained (Burns et al. 2023, section 5.2).

A label is a comparison of the probabilities of answers. Prompts with the same solved
examples begin with the same tokens: these pass the model once.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp

from weak2strong.errors import UserError
from weak2strong.models.batches import micro_batches, pad
from weak2strong.models.prompted import PromptedModel
from weak2strong.tasks.prompt import Prompt, few_shot_prompt
from weak2strong.training.predict import INFERENCE_BUDGET

LONGEST = 2048
"""Tokens of a prompt, shots and all, even if the model could take more."""

SHARED = 8
"""Common tokens from which on they are read apart, which takes a pass of its own."""

LIGHTER = 8
"""How many tokens of a shared beginning, which a row only looks back at, take a token's room."""

SCORED = 2**27
"""Logits at once: half a gibibyte in float32."""


def prompted_probabilities(
    model: PromptedModel,
    prompt: Prompt,
    texts: Sequence[str],
    shots_per_draw: Sequence[Sequence[tuple[str, int]]] = ((),),
    calibrate: bool = False,
) -> np.ndarray:
    """Probabilities of the classes for every text, (n, classes) float64, the mean over draws.

    Args:
        model: the language model.
        prompt: how it is asked.
        texts: what it is asked about.
        shots_per_draw: solved examples, texts with the index of their class; one draw
            without any is zero-shot. Where a prompt is too long for the model, its first
            shots are left out, with a warning.
        calibrate: divide by the answers to texts that say nothing (see `calibrated`).

    Raises:
        UserError: where the answers alone are too long for the model.
    """
    free = prompt.content_free if calibrate else ()
    found = []
    for shots in shots_per_draw:
        log_p = _few_shot(model, prompt, [*texts, *free], shots)
        asked, said = log_p[: len(texts)], log_p[len(texts) :]
        found.append(calibrated(asked, said) if calibrate else _normalised(asked))
    return np.mean(found, axis=0)


def calibrated(log_p: np.ndarray, content_free_log_p: np.ndarray) -> np.ndarray:
    """Probabilities p' proportional to p / p_cf, with p_cf the mean over content-free texts.

    Zhao et al. 2021, "Calibrate Before Use" (arXiv 2102.09690, section 5): W = diag(p_cf)^-1,
    b = 0. They take the class with the largest W p; that it is a probability after division
    by the sum is ours.

    Args:
        log_p: log-probabilities of the answers, (n, classes).
        content_free_log_p: the same after texts that say nothing, (m, classes).
    """
    free = logsumexp(content_free_log_p, axis=0)
    return _normalised(log_p - free)


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
    limit = min(model.tokenizer.model_max_length, LONGEST)
    flat = [answer for given in answers for answer in given]
    asked = _encoded(model, prompts, flat, limit)
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


def _normalised(log_p: np.ndarray) -> np.ndarray:
    """Rows of log-probabilities as probabilities that add up to one."""
    return np.exp(log_p - logsumexp(log_p, axis=1, keepdims=True))


def draw_shots(
    ids: Sequence[str], labels: np.ndarray, k: int, seed: int, groups: Sequence[str]
) -> list[int]:
    """Positions of k random examples to show, in random order, as many of every class as can be.

    Never two of one group. The draw depends on ids and seed, not on the order of the rows.

    Args:
        ids: of the examples, unique.
        labels: probabilities or one-hot rows, (n, classes); an example counts for its
            most probable class.
        k: how many.
        seed: of the draw.
        groups: of the examples.

    Raises:
        UserError: where there are not so many of different groups.
    """
    rng = np.random.default_rng(seed)
    by_id = sorted(range(len(ids)), key=lambda i: ids[i])
    hard = labels.argmax(axis=1)
    left = [[] for _ in range(labels.shape[1])]
    for i in rng.permutation(by_id).tolist():
        left[hard[i]].append(i)
    # Where k is no multiple of the classes, chance decides which of them have one more.
    turn = rng.permutation(labels.shape[1]).tolist()
    drawn, used = [], set()
    while len(drawn) < k and any(left):
        for c in turn:
            while left[c] and groups[left[c][-1]] in used:
                left[c].pop()
            if left[c] and len(drawn) < k:
                drawn.append(left[c].pop())
                used.add(groups[drawn[-1]])
    if len(drawn) < k:
        raise UserError(
            f"There are only {len(drawn)} examples of different groups to show, not {k}: "
            "ask for fewer shots."
        )
    return rng.permutation(np.array(drawn, dtype=int)).tolist()


@dataclass(frozen=True)
class _Asked:
    """A prompt in tokens, with every answer after it; answers begin at ``start``."""

    sequences: list[list[int]]
    start: int


def _few_shot(
    model: PromptedModel, prompt: Prompt, texts: Sequence[str], shots: Sequence[tuple[str, int]]
) -> np.ndarray:
    """Log-probabilities of the classes; of prompts that are too long, the first shots are left out.

    Prompts with as many shots are asked together, as they share these.
    """
    answers = prompt.scored
    ends = model.tokenizer([a for given in answers for a in given], add_special_tokens=False)
    # An answer takes part in no more tokens than it has by itself, and one where it is joined.
    room = min(model.tokenizer.model_max_length, LONGEST) - max(map(len, ends["input_ids"])) - 1
    result = np.empty((len(texts), len(answers)))
    waiting, fewer = np.arange(len(texts)), 0
    for first in range(len(shots) + 1):
        asked = [few_shot_prompt(prompt, shots[first:], texts[i]) for i in waiting]
        if not asked:
            break
        lengths = [len(r) for r in model.tokenizer(asked, verbose=False)["input_ids"]]
        fits = np.array(lengths) <= room if first < len(shots) else np.full(len(asked), True)
        if fits.any():
            ready = [a for a, fit in zip(asked, fits, strict=True) if fit]
            result[waiting[fits]] = answer_log_probabilities(model, ready, answers)
        waiting = waiting[~fits]
        fewer = fewer or len(waiting)
    if fewer:
        warnings.warn(
            f"{fewer:,} of {len(texts):,} prompts with {len(shots)} shots are longer than the "
            f"{room:,} tokens that there is room for, and are asked with fewer: the first are "
            "left out.",
            stacklevel=3,
        )
    return result


def _encoded(
    model: PromptedModel, prompts: Sequence[str], answers: Sequence[str], limit: int
) -> list[_Asked]:
    """Prompts with each answer in tokens.

    Both are encoded as one text, since a tokenizer may join the end of one to the beginning
    of the other, and since some put a space before every text. Answers begin at the
    first token that is not the same in the prompt and all its continuations, so that they
    are compared from one place on.
    """
    begin, end = _specials(model.tokenizer)

    def tokens(texts: list[str]) -> list[list[int]]:
        rows = model.tokenizer(texts, verbose=False)["input_ids"]
        return [row[: len(row) - end] for row in rows]

    alone = tokens(list(prompts))
    continued = [tokens([prompt + answer for prompt in prompts]) for answer in answers]
    found, cut = [], 0
    for i, row in enumerate(alone):
        sequences = [rows[i] for rows in continued]
        start = len(commonprefix([row, *sequences]))
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
    shared = min(len(commonprefix(rows)), min(one.start for one in asked) - 1)
    begun = model.read(rows[0][:shared]) if shared >= SHARED else None
    return begun, 0 if begun is None else shared
