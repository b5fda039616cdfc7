"""Where students write other tokens than their pretrained model would: shifts of tokens.

A token that a student wrote is *unshifted* where the pretrained model ranks it first in the same
place, *marginal* where it ranks it second or third, and *shifted* otherwise (Lin et al. 2023, "The
Unlocking Spell on Base LLMs", arXiv 2312.01552, section 2). A share is one of tokens: of a seed,
the tokens of all its test answers that are so over all of its tokens; then the mean over seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from weak2strong.analysis.estimates import SHARE, columns, mean_estimate
from weak2strong.analysis.tested import Tested, Who

MARGINAL = 3
"""The last rank that is marginal."""

BANDS = ("unshifted", "marginal", "shifted")

PLACES = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 8), (9, 16), (17, 32), (33, 64), (65, None))
"""First and last place of tokens in an answer, counted from 1, that are told together."""

Ranks = Mapping[tuple[int, str], tuple[tuple[str, ...], tuple[int, ...]]]
"""Tokens and their ranks, by the position of the test example and the answer to it."""


def writers(tested: Tested) -> dict[Who, np.ndarray]:
    """The answers of students and ceilings, texts ``(S, n)``."""
    return {who: answers for who, answers in tested.roles.items() if who[0] != "floor"}


def place_text(first: int | None, last: int | None) -> str:
    """Places in words, such as ``5-8``; all of them where there is no first."""
    if first is None:
        return "all"
    return f"{first}+" if last is None else f"{first}" if first == last else f"{first}-{last}"


def shift_rows(tested: Tested, ranks: Ranks) -> Iterator[dict[str, Any]]:
    """A row a writer and places: all places first, then each of `PLACES` that has tokens.

    Each has ``tokens``, the number of all seeds together, and the shares of `BANDS` with intervals
    over seeds and groups of examples, null where a seed has no such token.

    Args:
        tested: the test set.
        ranks: of every answer of its `writers`.
    """
    for (role, method), answers in writers(tested).items():
        for first, last in ((None, None), *PLACES):
            bands = np.stack(
                [
                    [_counts(ranks[i, str(text)][1], first, last) for i, text in enumerate(of_seed)]
                    for of_seed in answers
                ]
            )
            tokens = bands.sum(axis=2)
            if first is not None and not tokens.any():
                continue
            row = {"role": role, "method": method, "first": first, "last": last}
            row["tokens"] = int(tokens.sum())
            for number, band in enumerate(BANDS):
                shares = bands[:, :, number] / np.maximum(tokens, 1)
                row |= columns(
                    band,
                    mean_estimate(shares, tested.weights, tested.group_count, tokens, SHARE),
                )
            yield row


def _counts(ranks: tuple[int, ...], first: int | None, last: int | None) -> list[int]:
    """How many tokens of an answer are of each of `BANDS`."""
    found = ranks[(first or 1) - 1 : last]
    beyond, after_first = sum(r > MARGINAL for r in found), sum(r > 1 for r in found)
    return [len(found) - after_first, after_first - beyond, beyond]


def token_rows(tested: Tested, ranks: Ranks) -> Iterator[dict[str, Any]]:
    """A row a writer and token: how often it was written, and how often it was shifted.

    Numbers are those of all seeds together; the tokens that are shifted most often come first.
    """
    for (role, method), answers in writers(tested).items():
        written, shifted = Counter[str](), Counter[str]()
        for of_seed in answers:
            for i, text in enumerate(of_seed):
                tokens, of_tokens = ranks[i, str(text)]
                written.update(tokens)
                shifted.update(
                    t for t, rank in zip(tokens, of_tokens, strict=True) if rank > MARGINAL
                )
        for token in sorted(written, key=lambda t: (-shifted[t], -written[t], t)):
            yield {
                "role": role,
                "method": method,
                "token": token,
                "written": written[token],
                "shifted": shifted[token],
                "share": shifted[token] / written[token],
            }
