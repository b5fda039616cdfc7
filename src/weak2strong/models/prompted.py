"""A pretrained language model as it is: frozen, with its own output layer, to be prompted."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.configuration import is_decoder, load_config
from weak2strong.models.loaded import best_device, move
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.models.resolve import resolve_model
from weak2strong.models.text_part import text_part, writer_class
from weak2strong.models.weights import check_output_layer, read_tokenizer, read_weights


@dataclass(frozen=True)
class PromptedModel:
    """A frozen decoder with its output layer, its tokenizer, and where it runs.

    ``ranks`` are the processes that hold it together.
    """

    whole: Any
    tokenizer: Any
    device: torch.device
    ranks: Ranks = ALONE

    @property
    def vocabulary(self) -> int:
        """Number of tokens that the output layer chooses from."""
        return self.whole.get_output_embeddings().weight.shape[0]

    @torch.inference_mode()
    def read(self, tokens: Sequence[int]) -> Any | None:
        """What the model keeps of a beginning that many texts share: a cache for `logits`.

        None for a model whose layers do not keep all of it (as with sliding windows or
        recurrence), and for one that several ranks hold, which passes as a whole only.
        """
        # A wrapper around the part for text may keep something of what it read last.
        if self.ranks.several or text_part(self.whole.base_model) is not self.whole.base_model:
            return None
        from transformers.cache_utils import DynamicCache, DynamicLayer

        cache = DynamicCache(config=self.whole.config)
        ids = torch.tensor([list(tokens)], device=self.device)
        # The trunk alone: no token is predicted yet.
        self.whole.base_model(input_ids=ids, past_key_values=cache, use_cache=True)
        plain = all(type(layer) is DynamicLayer for layer in cache.layers)
        return cache if plain and cache.get_seq_length() == len(tokens) else None

    def logits(
        self, tokens: Tensor, mask: Tensor, at: tuple[Tensor, Tensor], begun: Any | None = None
    ) -> Tensor:
        """Logits of the next token at some positions, (n, vocabulary), float32.

        The output layer sees these positions alone, so that no logits are made for others.

        Args:
            tokens: ids, (b, t), padded on the right.
            mask: of the real ones.
            at: rows and columns of the positions, (n,) each.
            begun: the cache of a beginning that all rows share; it is left as it is.
        """
        options: dict[str, Any] = {"use_cache": False}
        if begun is not None:
            cache = copy.deepcopy(begun)
            cache.batch_repeat_interleave(len(tokens))
            before = mask.new_ones(len(mask), begun.get_seq_length())
            mask = torch.cat([before, mask], dim=1)
            options = {"use_cache": True, "past_key_values": cache}

        def at_positions(_: Any, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return (states[0][at].unsqueeze(0), *states[1:])

        # What a model does to its logits afterwards (scaling, capping) stays in place so.
        hook = self.whole.get_output_embeddings().register_forward_pre_hook(at_positions)
        try:
            with self.ranks.without_gradients():
                output = self.whole(input_ids=tokens, attention_mask=mask, **options)
        finally:
            hook.remove()
        return output.logits[0].float()


def load_prompted(spec: ModelSpec, ranks: Ranks = ALONE) -> PromptedModel:
    """Load a language model in its precision, without any adaptation.

    Args:
        spec: the model.
        ranks: that hold it together.

    Raises:
        UserError: where Transformers cannot load it, or it is no decoder, or too large
            for the device.
    """
    # Nothing is trained, however the model would be adapted.
    spec = resolve_model(replace(spec, adaptation="head"))
    config = load_config(spec)
    if not is_decoder(config, spec.trust_remote_code):
        raise UserError(
            f"Model {spec.name!r} is an encoder, so it has no next word and cannot be "
            "prompted: choose a decoder, or another method."
        )
    device = best_device()
    whole, missing = read_weights(spec, writer_class(config), device, ranks)
    check_output_layer(spec, whole, missing)
    move(whole.requires_grad_(False).eval(), spec, device, ranks)
    return PromptedModel(whole, read_tokenizer(spec), device, ranks)
