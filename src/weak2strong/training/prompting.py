"""Prompting a language model instead of training it (Burns et al. 2023, section 5.2).

A class is predicted by comparing the probabilities of answers, after some solved examples or none.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.special import logsumexp

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import text_lengths
from weak2strong.models.prompted import PromptedModel, load_prompted
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.tasks.prompt import Prompt, few_shot_prompt
from weak2strong.training.answers import answer_log_probabilities, longest_prompt


def pretrained_probabilities(
    spec: ModelSpec,
    prompt: Prompt,
    texts: Mapping[str, Sequence[str]],
    shots_per_draw: Sequence[Sequence[tuple[str, int]]],
    calibrate: bool,
    *,
    on_step: Callable[[int, int], None],
    ranks: Ranks = ALONE,
    token_budget: int | None = None,
) -> Mapping[str, np.ndarray]:
    """What a pretrained model answers when prompted, by split, by one process or several together.

    Args:
        spec: of the model.
        prompt: the wording.
        texts: the questions, by split.
        shots_per_draw: as in `prompted_probabilities`.
        calibrate: likewise.
        on_step: not called: nothing is trained.
        ranks: the processes that hold the model together.
        token_budget: not used, likewise.
    """
    model = load_prompted(spec, ranks)
    return {
        split: prompted_probabilities(model, prompt, of_split, shots_per_draw, calibrate)
        for split, of_split in texts.items()
    }


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
        prompt: the wording.
        texts: the questions.
        shots_per_draw: solved examples, texts with the index of their class; one draw
            without examples is zero-shot. Where a prompt is too long for the model, its first
            shots are left out, with a warning.
        calibrate: divide by the answers to texts without content (see `calibrated`).

    Raises:
        UserError: where the answers alone are too long for the model.
    """
    free = prompt.content_free if calibrate else ()
    draws, shortened = [], 0
    for shots in shots_per_draw:
        log_p, too_long = _few_shot(model, prompt, [*texts, *free], shots)
        shortened += too_long
        of_texts, of_free = log_p[: len(texts)], log_p[len(texts) :]
        draws.append(calibrated(of_texts, of_free) if calibrate else _normalised(of_texts))
    if shortened:
        prompts = len(shots_per_draw) * (len(texts) + len(free))
        warnings.warn(
            f"{shortened:,} of {prompts:,} prompts are longer than the {longest_prompt(model):,} "
            "tokens that there is room for: the first of their shots are left out.",
            stacklevel=2,
        )
    return np.mean(draws, axis=0)


def calibrated(log_p: np.ndarray, content_free_log_p: np.ndarray) -> np.ndarray:
    """Probabilities p' proportional to p / p_cf, with p_cf the mean over content-free texts.

    Zhao et al. 2021, "Calibrate Before Use" (arXiv 2102.09690, section 5): W = diag(p_cf)^-1,
    b = 0. They take the class with the largest W p; we also divide by the sum, which makes it a
    probability.

    Args:
        log_p: log-probabilities of the answers, (n, classes).
        content_free_log_p: the same after texts without content, (m, classes).
    """
    free = logsumexp(content_free_log_p, axis=0)
    return _normalised(log_p - free)


def _normalised(log_p: np.ndarray) -> np.ndarray:
    """Rows of log-probabilities as probabilities that add up to one."""
    return np.exp(log_p - logsumexp(log_p, axis=1, keepdims=True))


def draw_shots(
    ids: Sequence[str], labels: np.ndarray, k: int, seed: int, groups: Sequence[str]
) -> list[int]:
    """Positions of k random examples, in random order, as many of every class as possible.

    No two are of one group. The draw depends on ids and seed, not on the order of the rows.

    Args:
        ids: of the examples, unique.
        labels: probabilities or one-hot rows, (n, classes); the class of an example is its most
            probable one.
        k: how many.
        seed: of the draw.
        groups: of the examples.

    Raises:
        UserError: where there are fewer groups.
    """
    rng = np.random.default_rng(seed)
    by_id = sorted(range(len(ids)), key=lambda i: ids[i])
    hard = labels.argmax(axis=1).tolist()
    left: list[list[int]] = [[] for _ in range(labels.shape[1])]
    for i in rng.permutation(by_id).tolist():
        left[hard[i]].append(i)
    # Where k is no multiple of the number of classes, some random classes have one more.
    turn = rng.permutation(labels.shape[1]).tolist()
    drawn: list[int] = []
    used: set[str] = set()
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


def _few_shot(
    model: PromptedModel, prompt: Prompt, texts: Sequence[str], shots: Sequence[tuple[str, int]]
) -> tuple[np.ndarray, int]:
    """Log-probabilities of the classes, and how many prompts were too long for all shots.

    Prompts with the same number of shots pass together, as they share these.
    """
    answers = prompt.scored
    ends = model.tokenizer([a for of_class in answers for a in of_class], add_special_tokens=False)
    # An answer has at most one token more after a prompt than by itself.
    budget = longest_prompt(model) - max(map(len, ends["input_ids"])) - 1
    result = np.empty((len(texts), len(answers)))
    waiting = list(range(len(texts)))
    too_long = 0
    for first in range(len(shots) + 1):
        prompts = {i: few_shot_prompt(prompt, shots[first:], texts[i]) for i in waiting}
        ready = waiting
        if first < len(shots) and waiting:
            counts = text_lengths(model.tokenizer, list(prompts.values()))
            ready = [i for i, n in zip(waiting, counts, strict=True) if n <= budget]
        if ready:
            result[ready] = answer_log_probabilities(model, [prompts[i] for i in ready], answers)
        done = set(ready)
        waiting = [i for i in waiting if i not in done]
        too_long = too_long or len(waiting)
    return result, too_long
