"""Answers that a language model writes: the most probable token at every step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from weak2strong.ground.errors import UserError, first_line
from weak2strong.models.batches import micro_batches, pad
from weak2strong.models.behaviour import writes_alone
from weak2strong.models.language import LanguageModel
from weak2strong.models.needs import gathered_bytes, training_bytes, usable_bytes
from weak2strong.training.memory import out_of_memory
from weak2strong.training.pace import pace_of

ON_CPU = 2048
"""Padded tokens of a batch on a CPU, those to be written included."""

KEPT = 0.5
"""On other devices: the part of the memory beside the weights that what layers keep of all texts
may take. The rest is for what passes; where that is not enough, a batch is halved."""


def generate(
    model: LanguageModel, rows: Sequence[Sequence[int]], most: int, budget: int | None = None
) -> list[list[int]]:
    """Continue every row greedily (temperature 0) to an end-of-text token or ``most`` tokens.

    Batches are padded on the left, whichever side the tokenizer pads on. A model whose mask does
    not hide that padding writes one text at a time.

    Args:
        model: as it is; dropout should be off.
        rows: token ids of the prompts (see `prompt_rows`).
        most: new tokens of a row.
        budget: padded tokens of a batch, new ones included.

    Returns:
        The new tokens of each row, without the end-of-text token.

    Raises:
        UserError: where prompt and answer are more than the model can read, or it asks for more
            than a text.
    """
    from transformers import GenerationConfig

    tokenizer = model.tokenizer
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
    budget = budget or batch_tokens(model, longest + most)
    answers: list[list[int]] = [[] for _ in rows]
    if writes_alone(model.network.whole.config):
        budget = 1
    groups = micro_batches([len(r) + most for r in rows], budget)
    at_once = has_room_at_once(model)
    with model.ranks.without_gradients(), model.autocast():
        for group in model.ranks.deal(groups):
            texts = [rows[i] for i in group or groups[0][:1]]
            new_texts = _continued(model, texts, settings, at_once)
            if group:
                for i, new in zip(group, new_texts, strict=True):
                    answers[i] = _until(new, tokenizer.eos_token_id)
    # Each text was written by one rank.
    return [max(written, key=len) for written in zip(*model.ranks.gathered(answers), strict=True)]


def _continued(
    model: LanguageModel, rows: Sequence[Sequence[int]], settings: Any, at_once: bool
) -> list[list[int]]:
    """The new tokens of a batch; it is written by halves where memory runs out."""
    try:
        return _batch(model, rows, settings, at_once)
    except Exception as e:
        # Several ranks would have to do it together.
        if not out_of_memory(e) or len(rows) == 1 or model.ranks.several:
            raise
    # Out here, since an error that is handled keeps what was computed.
    half = len(rows) // 2
    return [
        *_continued(model, rows[:half], settings, at_once),
        *_continued(model, rows[half:], settings, at_once),
    ]


def _batch(
    model: LanguageModel, rows: Sequence[Sequence[int]], settings: Any, at_once: bool
) -> list[list[int]]:
    from transformers import StaticCache

    whole = model.network.whole
    backwards = pad([row[::-1] for row in rows], model.tokenizer.pad_token_id, model.device)
    tokens_bt, mask_bt = (x.flip(1) for x in backwards)
    room = tokens_bt.shape[1] + settings.max_new_tokens
    with _writing(model):
        continued_bt = whole.generate(
            input_ids=tokens_bt,
            attention_mask=mask_bt,
            generation_config=settings,
            past_key_values=StaticCache(whole.config, room) if at_once else None,
            synced_gpus=model.ranks.several,
        )
    return continued_bt[:, tokens_bt.shape[1] :].tolist()


def batch_tokens(model: LanguageModel, room: int) -> int:
    """Padded tokens of a batch, those to be written included.

    A step passes one token of each text. So a device that is no CPU writes as many texts at once as
    it takes tokens to be quick, which is measured, as far as memory has room for what layers keep
    of them.

    Args:
        model: the language model.
        room: tokens of the longest text, those to be written included.
    """
    if model.device.type == "cpu":
        return ON_CPU
    texts, network = pace_of(model, gradients=False).enough, model.network
    # Answers are also written while a model is trained.
    left = usable_bytes(model.device) - training_bytes(network, model.optimizer_states)
    if model.ranks.several:
        left -= gathered_bytes(network)
    fitting = KEPT * max(0.0, left) / max(1, kept_bytes(model))
    return max(room, int(min(texts * room, fitting)))


def kept_bytes(model: LanguageModel) -> int:
    """What layers keep of a token for those after it, as it is in two short passes."""

    def of(tokens: int) -> int:
        ids = torch.zeros(1, tokens, dtype=torch.long, device=model.device)
        output = model.network.whole(input_ids=ids, use_cache=True)
        layers = getattr(getattr(output, "past_key_values", None), "layers", ())
        kept = [value for layer in layers for value in vars(layer).values()]
        return sum(x.numel() * x.element_size() for x in kept if isinstance(x, torch.Tensor))

    # What does not grow with the text is in both.
    with model.ranks.without_gradients(), model.autocast():
        return (of(16) - of(8)) // 8


@contextmanager
def _writing(model: LanguageModel) -> Iterator[None]:
    """A context that makes a sentence of what a model says that cannot write of text alone."""
    try:
        yield
    # What a model asks for beside a text is its own, and so is the error.
    except (TypeError, ValueError, LookupError, AttributeError, RuntimeError) as e:
        if out_of_memory(e):
            raise
        raise UserError(
            f"A model of type {model.network.whole.config.model_type} cannot write of plain text "
            f"({type(e).__name__}: {first_line(e)}): choose another model."
        ) from e


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
