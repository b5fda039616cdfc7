"""The part of a model that reads text: all of most, the encoder or the language model of others."""

from __future__ import annotations

from typing import Any

from weak2strong.ground.errors import UserError


def text_part(trunk: Any) -> Any:
    """The part of a trunk of Transformers that turns token ids into states.

    Of an encoder-decoder it is the encoder, which has seen the whole text at each of its tokens. Of
    a model that reads images or sound, too, it is the part whose configuration is that for text.

    Raises:
        UserError: where a part has no configuration, so that it cannot be used by itself.
    """
    config = getattr(trunk, "config", None)
    if config is None:
        raise UserError(
            f"A {type(trunk).__name__} of Transformers has no configuration of its own, so it "
            "cannot be used as a model: choose another model."
        )
    if getattr(config, "is_encoder_decoder", False):
        encoder = trunk.get_encoder()
        return trunk if encoder is trunk else text_part(encoder)
    for_text = text_config(config)
    if for_text is config:
        return trunk
    inner = [m for name, m in trunk.named_modules() if name and hasattr(m, "config")]
    for same in (lambda m: m.config is for_text, lambda m: type(m.config) is type(for_text)):
        for module in inner:
            if same(module):
                return text_part(module)
    return trunk


def embedding_of(trunk: Any) -> Any:
    """The table of token embeddings of a trunk; None where it has no one table, as characters."""
    try:
        return trunk.get_input_embeddings()
    except NotImplementedError:
        return None


def text_config(config: Any) -> Any:
    """What a configuration says of the part for text; itself, where there is no other part."""
    try:
        return config.get_text_config()
    # It raises where there are two, one to read and one to write.
    except ValueError:
        return config.get_text_config(encoder=True)


def writer_class(config: Any) -> Any:
    """The class of Transformers that loads a model of a configuration with its output layer.

    Raises:
        UserError: where it has none.
    """
    import transformers

    # The later ones are for models that read images or sound, too, and not in every version.
    for name in ("CausalLM", "ImageTextToText", "MultimodalLM"):
        loader = getattr(transformers, f"AutoModelFor{name}", None)
        if loader is not None and type(config) in loader._model_mapping:
            return loader
    if "AutoModelForCausalLM" in (getattr(config, "auto_map", None) or {}):
        return transformers.AutoModelForCausalLM
    raise UserError(
        f"Transformers has no language model of the type {config.model_type}, so such a model "
        "cannot be prompted or write answers: choose another model or method."
    )
