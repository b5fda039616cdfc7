"""How long a text a model can take, and which tokens it has a row for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.models.text_part import embedding_of, text_config, text_part

ROWS = "rows_of_the_embedding"
"""A tokenizer's attribute of ours: how many tokens its model has a row for; None if not known."""

_LONGEST: dict[str, int | None] = {}


def longest_text(config: Any, trust_remote_code: bool = False) -> int | None:
    """How many tokens of a text a model has positions for; None where it does not say.

    Models in the form of RoBERTa count positions from the one after that of padding, so that they
    read fewer than their table has rows: 512 of 514.

    Args:
        config: of Transformers.
        trust_remote_code: whether code that came with the model may run.
    """
    positions = getattr(text_config(config), "max_position_embeddings", None)
    if not isinstance(positions, int) or positions <= 0:
        return None
    key = config.to_json_string(use_diff=False)
    if key not in _LONGEST:
        _LONGEST[key] = positions - _unused(config, positions, trust_remote_code)
    return _LONGEST[key]


def _unused(config: Any, positions: int, trust_remote_code: bool) -> int:
    """Rows of the table of positions that stand for padding, and those before them."""
    import torch
    from transformers import AutoModel

    options = {"trust_remote_code": True} if trust_remote_code else {}
    try:
        with torch.device("meta"):
            part = text_part(AutoModel.from_config(config, **options))
    # What cannot be made says so where it is loaded.
    except Exception:
        return 0
    words = embedding_of(part)
    tables = [m for m in part.modules() if isinstance(m, torch.nn.Embedding) and m is not words]
    padded = [m.padding_idx for m in tables if m.num_embeddings == positions]
    return max((index + 1 for index in padded if index is not None), default=0)


def fit_tokenizer(tokenizer: Any, config: Any, trust_remote_code: bool = False) -> None:
    """Let a tokenizer cut texts where the model has no more positions, and pad with a token that
    the model has a row for; in place.

    Any token serves as padding, since the mask hides it. Some finetuned models have a token for it
    in their tokenizer that was never added to the embedding.
    """
    rows = getattr(text_config(config), "vocab_size", None)
    rows = rows if isinstance(rows, int) and rows > 0 else None
    setattr(tokenizer, ROWS, rows)
    if tokenizer.pad_token is None or not _has_row(tokenizer.pad_token_id, rows):
        candidates = (tokenizer.eos_token, tokenizer.unk_token)
        ids = [tokenizer.convert_tokens_to_ids(token) for token in candidates if token]
        known = [i for i in ids if i is not None and _has_row(i, rows)]
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(known[0] if known else 0)
    if longest := longest_text(config, trust_remote_code):
        tokenizer.model_max_length = min(tokenizer.model_max_length, longest)


def _has_row(token: int, rows: int | None) -> bool:
    return rows is None or token < rows


def check_tokens(tokenizer: Any, encoded: Sequence[Sequence[int]]) -> None:
    """Refuse texts with a token that the model has no row for.

    Raises:
        UserError: for the first such token.
    """
    rows = getattr(tokenizer, ROWS, None)
    if rows is None:
        return
    for row in encoded:
        if row and max(row) >= rows:
            token = tokenizer.convert_ids_to_tokens(max(row))
            raise UserError(
                f"A text has the token {token!r}, number {max(row):,}, and the model has "
                f"{rows:,} tokens: it was added to the tokenizer and not to the model, so take "
                "the word out of the texts, or another model."
            )
