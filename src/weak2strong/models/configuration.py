"""What a model's configuration tells: whether it is a decoder, and for which kinds of task."""

from __future__ import annotations

from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import WRITTEN
from weak2strong.models.beneath import beneath, tokenizer_location
from weak2strong.models.border import loading
from weak2strong.models.chats import keep_settings
from weak2strong.models.file_faults import AGAIN
from weak2strong.models.folders import location_of
from weak2strong.models.image_types import vision_config
from weak2strong.models.lengths import longest_of
from weak2strong.models.positions import fit_tokenizer
from weak2strong.models.reads import reads_words
from weak2strong.models.text_part import text_config
from weak2strong.tasks.task import Kind

SIZES = ("num_hidden_layers", "hidden_size", "num_attention_heads", "vocab_size")
"""Sizes by Transformers' usual names, of which every model has at least one of each that it has."""

MOST_LAYERS = 10_000
"""More than any model has; so many layers take minutes to make, without any weights."""


def check_kind(spec: ModelSpec, kind: Kind) -> None:
    """Refuse a kind of task that a model or its settings cannot be for.

    Raises:
        UserError: for answers to start from where a task has no classes; where answers are
            written and the model is no decoder, or only a head would be trained.
    """
    if spec.head_start == "answers" and kind == "preference":
        raise UserError(
            f"Model {spec.name}: a preference task has one reward and no classes, so there "
            "are no answers to start the head from: choose another head_start."
        )
    if spec.head_start == "own" and reads_words(spec):
        raise UserError(
            f"Model {spec.name}: only models of images have a last layer of their own to start "
            "from: choose another head_start."
        )
    if kind in WRITTEN:
        check_writes(spec)


def check_writes(spec: ModelSpec) -> None:
    """Refuse a model that cannot be trained as a language model; its weights are not looked at.

    Raises:
        UserError: where it is no decoder, only a head would be trained, or Transformers
            cannot load its configuration.
    """
    if spec.adaptation == "head":
        raise UserError(
            f"Model {spec.name!r}: as a language model it has no fresh head that could be trained "
            "alone, so choose adaptation full or lora."
        )
    if not is_decoder(load_config(spec), spec.trust_remote_code):
        raise UserError(
            f"Model {spec.name!r} is no decoder, so it cannot be trained as a language model or "
            "write answers: choose a decoder."
        )


def is_decoder(config: Any, trust_remote_code: bool = False) -> bool:
    """Whether a model reads from left to right, so that its last token has seen the whole text.

    That is tried out on a miniature of it (see `weak2strong.models.behaviour`): of a model that
    reads images, too, its part for text counts, and of an encoder-decoder its encoder.
    """
    # Trying takes PyTorch, which a command that only names a model does not need.
    from weak2strong.models.behaviour import behaviour

    return behaviour(config, trust_remote_code).decoder


def has_output_layer(config: Any) -> bool:
    """Whether a model's files hold a whole causal language model that Transformers knows."""
    from transformers.models.auto import modeling_auto as auto

    whole = auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(config.model_type)
    return whole is not None and whole == (config.architectures or [None])[0]


def load_config(spec: ModelSpec) -> Any:
    """A model's configuration.

    Raises:
        UserError: where Transformers cannot load it.
    """
    from transformers import AutoConfig

    of = beneath(spec)
    options = {"revision": of.revision, "trust_remote_code": spec.trust_remote_code}
    with loading(spec, "configuration"):
        config = AutoConfig.from_pretrained(location_of(of), **options)
    _check_sizes(spec, config)
    return config


def _check_sizes(spec: ModelSpec, config: Any) -> None:
    """Refuse sizes that no model has, before anything is made of such a size.

    Raises:
        UserError: for such a size.
    """
    for part in (text_config(config), vision_config(config)):
        for name in SIZES:
            size = getattr(part, name, None)
            most = MOST_LAYERS if name == "num_hidden_layers" else None
            if isinstance(size, int) and (size < 1 or (most and size > most)):
                raise UserError(
                    f"Model {spec.name!r} cannot be loaded: its config.json says {name} {size:,}, "
                    f"which no model has: {AGAIN}, or choose another one."
                )


def load_tokenizer(spec: ModelSpec) -> Any:
    """A model's tokenizer, with a pad token, cutting texts where the model has no more positions.

    It holds the settings of what is read: how many tokens at most, and how chats are written.

    Raises:
        UserError: where Transformers cannot load it.
    """
    from transformers import AutoTokenizer

    location, revision = tokenizer_location(spec)
    options = {"revision": revision, "trust_remote_code": spec.trust_remote_code}
    # First, since the tokenizer is chosen by it, and would be blamed for its faults.
    config = load_config(spec)
    with loading(spec, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(location, **options)
    longest: Any = tokenizer.model_max_length
    if not isinstance(longest, int | float) or longest < 1:
        raise UserError(
            f"Model {spec.name!r} cannot be loaded: its tokenizer_config.json says "
            f"model_max_length {longest!r}, which is no number of tokens: {AGAIN}."
        )
    fit_tokenizer(tokenizer, config, spec.trust_remote_code)
    # What it is asked to read is kept with it, for `longest_read` and `settings_of`.
    tokenizer.read_length = longest_of(spec, config)
    keep_settings(tokenizer, spec)
    return tokenizer
