"""A model as an audit uses it: how much of a text it reads, and how likely it finds one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from weak2strong.config.model import ModelSpec
from weak2strong.models.configuration import is_decoder, load_config, load_tokenizer
from weak2strong.models.prompted import PromptedModel, load_prompted

SHARE = 0.2
"""Of the tokens of a text, the least likely: k = 20% does best in the paper."""

LONGEST = 512
"""Tokens of a text that its score is computed of."""

BUDGET = {"cpu": 512, "other": 4096}
"""Padded tokens of a batch; each has a logit for every token of the vocabulary."""


class Reader:
    """A model, loaded when it is first needed.

    Args:
        spec: which one.
    """

    def __init__(self, spec: ModelSpec):
        self.spec = spec

    @cached_property
    def tokenizer(self) -> Any:
        """Its tokenizer."""
        return load_tokenizer(self.spec)

    @cached_property
    def model(self) -> PromptedModel | None:
        """The model with its language-model head; None for an encoder."""
        decodes = is_decoder(load_config(self.spec), self.spec.trust_remote_code)
        return load_prompted(self.spec) if decodes else None

    def familiarity(self, texts: Sequence[str]) -> np.ndarray:
        """Min-k% probability: the mean log-probability of the least likely tokens of each text.

        Shi et al. 2024 (arXiv 2310.16789), equation 1, with k = 20%: of ``n`` tokens that
        have one before them, the ``n k`` least likely ones, rounded down, and at least one.
        Nearer to 0 is more familiar.

        Args:
            texts: ``n`` texts, of which the first `LONGEST` tokens count.

        Returns:
            ``(n,)``; nan where a text has fewer than two tokens.
        """
        from weak2strong.models.batches import encode, micro_batches
        from weak2strong.models.lengths import longest_read

        assert self.model is not None, "an encoder has no next token"
        rows = encode(self.tokenizer, texts, min(LONGEST, longest_read(self.tokenizer)))
        scores = np.full(len(rows), math.nan)
        budget = BUDGET["cpu" if self.model.device.type == "cpu" else "other"]
        for group in micro_batches([len(r) for r in rows], budget):
            if len(rows[group[-1]]) > 1:
                scores[group] = _least_likely(self.model, [rows[i] for i in group])
        return scores


def _least_likely(model: PromptedModel, rows: Sequence[Sequence[int]]) -> np.ndarray:
    """The scores of encoded texts that pass the network together."""
    import torch

    from weak2strong.models.batches import pad

    tokens, mask = pad(rows, model.tokenizer.pad_token_id, model.device)
    with torch.inference_mode():
        logits = model.whole(input_ids=tokens, attention_mask=mask, use_cache=False).logits
        likely = logits[:, :-1].float().log_softmax(-1)
        each = likely.gather(2, tokens[:, 1:, None])[..., 0].cpu().numpy().astype(float)
    scores = []
    for row, log_probabilities in zip(rows, each, strict=True):
        order = np.sort(log_probabilities[: len(row) - 1])
        count = max(1, int(SHARE * len(order) + 1e-9))
        scores.append(order[:count].mean() if len(order) else math.nan)
    return np.array(scores)
