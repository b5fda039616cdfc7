"""Texts to padded batches of like length, under a budget of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from weak2strong.ground.watched import watched
from weak2strong.models.chats import written_chats
from weak2strong.models.lengths import longest_read
from weak2strong.models.positions import check_tokens
from weak2strong.tasks.task import Item, texts_of

UNCUT = 2**31
"""Tokens that no text has."""

COUNTED_AT_ONCE = 2_000
"""Items whose tokens are counted in one go."""


def token_counts(tokenizer: Any, items: Sequence[Item]) -> list[int]:
    """The number of tokens of every text of some items, one item after another, before any cut.

    Of `COUNTED_AT_ONCE` items at a time, since tokens need many times the memory of their number.
    """
    begins = range(0, len(items), COUNTED_AT_ONCE)
    return [
        len(row)
        for begin in watched(begins, "counting tokens", len(begins))
        for row in encode_items(tokenizer, items[begin : begin + COUNTED_AT_ONCE], limit=UNCUT)
    ]


def text_lengths(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """The number of tokens of each text before it is cut."""
    # Not verbose, or the tokenizer would warn of every text that is too long.
    return [len(row) for row in tokenizer(list(texts), verbose=False)["input_ids"]]


def encode(
    tokenizer: Any, texts: Sequence[str], limit: int | None = None, special: bool = True
) -> list[list[int]]:
    """Token ids of each text, truncated on the right to ``limit`` (the model's own, if None).

    A text without any token gets one pad token, so that it has a last token. ``special``
    tokens, such as a first one, are added, unless the text has them already.
    """
    limit = limit or longest_read(tokenizer)
    options = {"truncation": True, "max_length": limit, "add_special_tokens": special}
    rows = tokenizer(list(texts), **options)["input_ids"]
    check_tokens(tokenizer, rows)
    return [row or [tokenizer.pad_token_id] for row in rows]


def encode_items(
    tokenizer: Any, items: Sequence[Item], limit: int | None = None
) -> list[list[int]]:
    """Token ids of every text of some items, one item after another.

    A prompt with a completion is cut at its beginning, since what differs is at the
    end; the special tokens before it stay. A dialogue is read as the tokenizer's chat
    template writes it, or as plain text where it has none, as base models do (see
    `weak2strong.models.chats`).
    """
    texts = texts_of(items)
    if not any(item.completions for item in items):
        return encode(tokenizer, texts, limit)
    chats = written_chats(tokenizer, items)
    for position, chat in chats.items():
        texts[position] = chat.text
    with _cut_at_the_beginning(tokenizer):
        rows = encode(tokenizer, texts, limit)
    if by_template := [position for position, chat in chats.items() if chat.by_template]:
        # A template writes its special tokens itself.
        written = [texts[position] for position in by_template]
        read = encode(tokenizer, written, UNCUT, special=False)
        limit, lead = limit or longest_read(tokenizer), _lead(tokenizer)
        for position, row in zip(by_template, read, strict=True):
            rows[position] = _without_beginning(row, limit, lead, tokenizer)
    return rows


def _lead(tokenizer: Any) -> list[int]:
    """The special tokens that a tokenizer puts before every text."""
    encoded = tokenizer("a", return_special_tokens_mask=True)
    count = [*encoded["special_tokens_mask"], 0].index(0)
    return encoded["input_ids"][:count]


def _without_beginning(row: list[int], limit: int, lead: list[int], tokenizer: Any) -> list[int]:
    """A row with no more tokens than a limit: its end, after the special tokens at its start.

    These are those that the tokenizer puts before every text, or else a first one that only the
    template writes.
    """
    if len(row) <= limit:
        return row
    kept = row[: len(lead)] if row[: len(lead)] == lead else []
    if not kept and row[0] in tokenizer.all_special_ids:
        kept = row[:1]
    kept = kept[: max(0, limit - 1)]
    return kept + row[len(row) - limit + len(kept) :]


@contextmanager
def _cut_at_the_beginning(tokenizer: Any) -> Iterator[None]:
    before, tokenizer.truncation_side = tokenizer.truncation_side, "left"
    try:
        yield
    finally:
        tokenizer.truncation_side = before


def micro_batches(lengths: Sequence[int], budget: int, packed: bool = False) -> list[list[int]]:
    """Positions grouped by length, so that no group exceeds the budget when padded, or packed.

    Every position is in exactly one group; a text longer than the budget has a
    group of its own.
    """
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], i))
    groups: list[list[int]] = []
    tokens = 0
    for i in order:
        # Ascending lengths: the newcomer is the longest, and sets the padded width.
        tokens += lengths[i]
        if groups and (tokens if packed else (len(groups[-1]) + 1) * lengths[i]) <= budget:
            groups[-1].append(i)
        else:
            groups.append([i])
            tokens = lengths[i]
    return groups


def cut(lengths: Sequence[int], budget: int, launch: float, floor: float = 0.0) -> list[list[int]]:
    """Positions grouped by length, so that padding and the number of groups cost least together.

    A group of n texts costs n times its longest, in tokens, and ``launch`` tokens
    more, or ``floor`` tokens, if these are more; no group exceeds the budget when
    padded, but a text that does so alone.
    Exact, by dynamic programming over the texts in order of length.
    """
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], i))
    best, begin = [0.0], [0]
    for end in range(1, len(order) + 1):
        longest = lengths[order[end - 1]]
        fitting = max(1, budget // longest)
        costs = (
            (best[start] + max((end - start) * longest + launch, floor), start)
            for start in range(max(0, end - fitting), end)
        )
        cost, start = min(costs)
        best.append(cost)
        begin.append(start)
    groups, end = [], len(order)
    while end:
        groups.append(order[begin[end] : end])
        end = begin[end]
    return groups[::-1]


def pad(rows: Sequence[Sequence[int]], pad_id: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Right-padded token ids and mask, both (b, longest), int64."""
    longest = max(map(len, rows))
    tokens = torch.tensor([[*r, *[pad_id] * (longest - len(r))] for r in rows])
    lengths = torch.tensor([len(r) for r in rows])
    mask = (torch.arange(longest)[None, :] < lengths[:, None]).long()
    return on_device(tokens, device), on_device(mask, device)


def on_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of the CPU on a device; nothing waits until it has arrived.

    A GPU reads by itself only from memory that is pinned: a copy from any other waits for all that
    the GPU was given before.
    """
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
