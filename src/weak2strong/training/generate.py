"""Answers that a language model writes: the most probable token at every step."""

from __future__ import annotations

from collections.abc import Sequence

from weak2strong.ground.errors import UserError
from weak2strong.models.batches import micro_batches, pad
from weak2strong.models.language import LanguageModel

GENERATION_BUDGET = {"cpu": 2048, "other": 65536}
"""Padded tokens of a batch, those to be written included. A step passes one token of each text, so
a batch may be larger than one whose texts pass as a whole."""


def generate(
    model: LanguageModel, rows: Sequence[Sequence[int]], most: int, budget: int | None = None
) -> list[list[int]]:
    """Continue every row greedily (temperature 0) to an end-of-text token or ``most`` tokens.

    Batches are padded on the left, whichever side the tokenizer pads on.

    Args:
        model: as it is; dropout should be off.
        rows: token ids of the prompts (see `prompt_rows`).
        most: new tokens of a row.
        budget: padded tokens of a batch, new ones included.

    Returns:
        The new tokens of each row, without the end-of-text token.

    Raises:
        UserError: where prompt and answer are more than the model can read.
    """
    from transformers import GenerationConfig, StaticCache

    tokenizer, device = model.tokenizer, model.device
    longest = max(map(len, rows), default=0)
    if longest + most > tokenizer.model_max_length:
        raise UserError(
            f"A prompt of {longest} tokens and an answer of {most} are more than the "
            f"{tokenizer.model_max_length} that the model reads: shorten either."
        )
    settings = GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=most,
        use_cache=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        # Each batch has another length, for which a compiler would begin anew.
        disable_compile=True,
    )
    budget = budget or GENERATION_BUDGET["cpu" if device.type == "cpu" else "other"]
    answers: list[list[int]] = [[] for _ in rows]
    groups, at_once = micro_batches([len(r) + most for r in rows], budget), has_room_at_once(model)
    with model.ranks.without_gradients(), model.autocast():
        for group in model.ranks.deal(groups):
            texts = [rows[i][::-1] for i in group or groups[0][:1]]
            backwards = pad(texts, tokenizer.pad_token_id, device)
            tokens_bt, mask_bt = (x.flip(1) for x in backwards)
            room = tokens_bt.shape[1] + most
            cache = StaticCache(model.network.whole.config, room) if at_once else None
            continued_bt = model.network.whole.generate(
                input_ids=tokens_bt,
                attention_mask=mask_bt,
                generation_config=settings,
                past_key_values=cache,
                synced_gpus=model.ranks.several,
            )
            new_bt = continued_bt[:, tokens_bt.shape[1] :]
            if group:
                for i, new in zip(group, new_bt.tolist(), strict=True):
                    answers[i] = _until(new, tokenizer.eos_token_id)
    # Each text was written by one rank.
    return [max(written, key=len) for written in zip(*model.ranks.gathered(answers), strict=True)]


def has_room_at_once(model: LanguageModel) -> bool:
    """Whether a batch's keys and values have all of their memory from the first token on.

    Otherwise each token copies those of all tokens before it, which a GPU notices. Several ranks
    stop apart, and not all models can do it.
    """
    can = getattr(model.network.whole, "_can_compile_fullgraph", False)
    return model.device.type == "cuda" and not model.ranks.several and can


def _until(tokens: list[int], end: int | None) -> list[int]:
    """The tokens before the first that is the end."""
    return tokens[: tokens.index(end)] if end in tokens else tokens
