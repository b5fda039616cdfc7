"""A pretrained trunk with a fresh head, on the best device there is."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.errors import UserError
from weak2strong.models.heads import new_head, pool_last, pool_mean
from weak2strong.models.spec import ModelSpec
from weak2strong.tasks.task import Kind

DECODER_ENDINGS = ("ForCausalLM", "LMHeadModel")


class Network(nn.Module):
    """Trunk, pooling and head: token ids (b, t) and mask (b, t) to outputs (b, outputs)."""

    def __init__(self, trunk: nn.Module, head: nn.Linear, decoder: bool):
        super().__init__()
        self.trunk, self.head = trunk, head
        self._pool = pool_last if decoder else pool_mean
        # Encoders have no cache and refuse the argument; decoders would fill one for nothing.
        self._options = {"use_cache": False} if decoder else {}

    def pooled(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """One vector a text, (b, d): the trunk's last layer at the pooled position."""
        states = self.trunk(input_ids=tokens, attention_mask=mask, **self._options)[0]
        return self._pool(states, mask)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Outputs of the head, float32."""
        return self.head(self.pooled(tokens, mask).to(self.head.weight.dtype)).float()


@dataclass(frozen=True)
class LoadedModel:
    """A network with its tokenizer, the kind of task its head is for, and where it runs."""

    network: Network
    tokenizer: Any
    kind: Kind
    device: torch.device

    def autocast(self) -> AbstractContextManager:
        """bf16 for the matrix products on hardware that is fast at it; weights stay float32."""
        if self.device.type == "cuda" and torch.cuda.is_bf16_supported():
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()


def hide_progress_bars() -> None:
    """Keep Transformers from drawing a bar for every file that it reads or writes."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def is_decoder(config: Any) -> bool:
    """Whether a model reads from left to right, so that its last token has seen the whole text.

    The saved architecture says so; a bare trunk (such as ``LlamaModel``) goes by
    its type: one that Transformers knows as a causal but not as a masked language model.
    """
    from transformers.models.auto import modeling_auto as auto

    architecture = (config.architectures or [""])[0]
    if architecture.endswith(DECODER_ENDINGS):
        return True
    return (
        not architecture.endswith("ForMaskedLM")
        and config.model_type in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        and config.model_type not in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    )


def best_device() -> torch.device:
    """CUDA, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def load_tokenizer(spec: ModelSpec) -> Any:
    """A model's tokenizer with a pad token, which knows how many positions the model has.

    Raises:
        UserError: where Transformers cannot load it.
    """
    from transformers import AutoConfig, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(spec.location, revision=spec.revision)
        config = AutoConfig.from_pretrained(spec.location, revision=spec.revision)
    except (OSError, ValueError, KeyError) as e:
        raise _not_loaded(spec, e) from e
    if tokenizer.pad_token is None:
        # Any token does, since the mask hides it.
        any_token = tokenizer.convert_ids_to_tokens(0)
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token or any_token
    positions = getattr(config, "max_position_embeddings", None)
    if positions:
        tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
    return tokenizer


def _not_loaded(spec: ModelSpec, error: Exception) -> UserError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return UserError(f"Model {spec.name!r} cannot be loaded: {reason}")


def load_model(spec: ModelSpec, kind: Kind, classes: int, seed: int) -> LoadedModel:
    """Load a trunk in float32 and give it a fresh head drawn from the seed.

    Decoders pool the last real token, encoders the mean of the real ones.
    Dropout stays off (the network is in evaluation mode in training too).

    Raises:
        UserError: where Transformers cannot load the model or its tokenizer.
    """
    from safetensors import SafetensorError
    from transformers import AutoModel
    from transformers.utils import logging

    hide_progress_bars()
    # Loading a trunk without its language-model head is what we want, not news.
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        tokenizer = load_tokenizer(spec)
        trunk = AutoModel.from_pretrained(
            spec.location, revision=spec.revision, dtype=torch.float32, use_safetensors=True
        )
    except (OSError, ValueError, KeyError, SafetensorError) as e:
        raise _not_loaded(spec, e) from e
    finally:
        logging.set_verbosity(before)
    head = new_head(kind, trunk.config.hidden_size, classes, torch.Generator().manual_seed(seed))
    device = best_device()
    network = Network(trunk, head, is_decoder(trunk.config)).to(device).eval()
    return LoadedModel(network, tokenizer, kind, device)
