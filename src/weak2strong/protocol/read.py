"""For keys: what a model reads of items, which of a chat is what its template writes.

Templates write more than the turns (a date, a prompt of their own), and Transformers renders them:
so the text is in a key, and not what it was made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.models.resolve import fingerprint
from weak2strong.tasks.splits import digest
from weak2strong.tasks.task import Dialogue, Example, Item


def read_digest(rows: Iterable[Item | Example], model: ModelSpec) -> str:
    """SHA-256 over rows as `digest` takes it, with the texts of chats in place of their turns.

    Args:
        rows: items, or examples with their ground truth.
        model: that reads them.

    Raises:
        UserError: where the chat template of the model cannot write a chat.
    """
    return digest(_as_read(rows, model))


def _as_read(rows: Iterable[Item | Example], model: ModelSpec) -> Iterator[Any]:
    for row in rows:
        item = row.item if isinstance(row, Example) else row
        if item.dialogues:
            item = replace(item, dialogues=_texts(item, model))
            row = replace(row, item=item) if isinstance(row, Example) else item
        yield row


def _texts(item: Item, model: ModelSpec) -> tuple[Any, ...]:
    """Digests of the texts of an item's chats; nothing where they are read as plain text."""
    tokenizer, known = _reader(model, fingerprint(model))
    if item.dialogues not in known:
        from weak2strong.models.chats import written_chats

        texts = (chat.text for chat in written_chats(tokenizer, [item]).values())
        known[item.dialogues] = tuple(hashlib.sha256(t.encode()).hexdigest() for t in texts)
    return known[item.dialogues]


@lru_cache(maxsize=8)
def _reader(
    model: ModelSpec, weights: str
) -> tuple[Any, dict[tuple[Dialogue, ...], tuple[str, ...]]]:
    """The tokenizer of a model with these weights, and what is known of chats already."""
    from weak2strong.models.configuration import load_tokenizer

    return load_tokenizer(model), {}
