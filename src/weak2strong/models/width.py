"""How wide the vectors are that a model's head reads, whatever the model reads."""

from __future__ import annotations

from weak2strong.config.model import ModelSpec
from weak2strong.models.configuration import load_config
from weak2strong.models.reads import reads_words


def vector_width(spec: ModelSpec) -> int:
    """Numbers of a vector of a model that has a trunk, without its weights.

    Raises:
        UserError: where that can neither be tried nor read.
    """
    if reads_words(spec):
        from weak2strong.models.states import width_of

        return width_of(load_config(spec), spec.trust_remote_code)
    from weak2strong.models.image_model import image_width

    return image_width(spec)
