"""Prompts and the targets that follow them, to token rows and back to text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.models.lengths import longest_read
from weak2strong.models.positions import check_tokens


def prompt_rows(tokenizer: Any, prompts: Sequence[str], most: int) -> list[list[int]]:
    """Token ids of each prompt, with room for ``most`` tokens after it.

    A prompt that is too long loses its beginning, since its end is what is to be
    continued; a special token that texts begin with stays. Spaces at the end of a
    prompt are dropped: they belong to the word that comes.

    Raises:
        UserError: where the model reads no more than ``most`` tokens.
    """
    limit = longest_read(tokenizer) - most
    # Two, so that there is something beside a special token.
    if limit < 2:
        raise UserError(
            f"The model reads {longest_read(tokenizer)} tokens, which leaves no room for a prompt "
            f"before answers of {most}: ask for shorter ones."
        )
    rows, special = [], set(tokenizer.all_special_ids)
    for row in _encoded(tokenizer, prompts):
        lead = row[: int(row[0] in special)]
        rows.append(row if len(row) <= limit else lead + row[len(row) - limit + len(lead) :])
    return rows


def prompt_and_target(
    tokenizer: Any, prompts: Sequence[str], targets: Sequence[str], most: int | None = None
) -> tuple[list[list[int]], list[list[int]]]:
    """Token ids of prompts with their targets, and 1 for the target's tokens, else 0.

    A row begins exactly with the row of its prompt (see `prompt_rows`), so that a
    model is asked what it was taught. The target follows after one space, or
    directly where the prompt is empty or ends in a line break, and then the
    end-of-text token, which counts too. Where the tokenizer would merge prompt and
    target across their border, they are encoded apart.

    Args:
        tokenizer: of the model.
        prompts: one an example.
        targets: what is to follow, without spaces around.
        most: tokens of a target with its end; what is longer is cut, and then has no
            end. By default as many as the longest has.

    Raises:
        UserError: where the tokenizer has no end-of-text token, or there is no room.
    """
    end = tokenizer.eos_token_id
    if end is None:
        raise UserError(
            "The model's tokenizer has no end-of-text token, so it cannot learn where an answer "
            "ends: choose another model."
        )
    stripped = [prompt.rstrip(" ") for prompt in prompts]
    tails = [
        ("" if not prompt or prompt[-1].isspace() else " ") + target.strip()
        for prompt, target in zip(stripped, targets, strict=True)
    ]
    alone = _encoded(tokenizer, stripped)
    together = _encoded(tokenizer, [p + t for p, t in zip(stripped, tails, strict=True)])
    apart = tokenizer(tails, add_special_tokens=False, verbose=False)["input_ids"]
    answers = [
        [*(whole[len(row) :] if whole[: len(row)] == row else tail), end]
        for row, whole, tail in zip(alone, together, apart, strict=True)
    ]
    most = most or max(map(len, answers))
    rows, counted = [], []
    for row, answer in zip(prompt_rows(tokenizer, prompts, most), answers, strict=True):
        rows.append(row + answer[:most])
        counted.append([0] * len(row) + [1] * len(answer[:most]))
    return rows, counted


def decoded(tokenizer: Any, rows: Sequence[Sequence[int]]) -> list[str]:
    """The text of each row, without special tokens and spaces around."""
    options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
    return [tokenizer.decode(row, **options).strip() for row in rows]


def _encoded(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Whole texts without trailing spaces, and without the end that some tokenizers put."""
    rows = tokenizer([text.rstrip(" ") for text in texts], verbose=False)["input_ids"]
    check_tokens(tokenizer, rows)
    end = tokenizer.eos_token_id
    cut = [row[:-1] if len(row) > 1 and row[-1] == end else row for row in rows]
    # As `encode` does: a row has a last token.
    return [row or [tokenizer.pad_token_id] for row in cut]
