"""How many parameters the trunk of a model has, as cheaply as that can be told."""

from __future__ import annotations

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.catalogue import listed
from weak2strong.models.given import is_given


def trunk_of(model: ModelSpec) -> int | None:
    """Parameters of a model's trunk, counted where the catalogue does not tell them.

    Returns:
        None where nothing on this machine tells them; none (0) of a file of vectors.
    """
    if is_given(model):
        return 0
    if model.name in (known := listed()):
        return known[model.name][0].trunk
    # Counting takes PyTorch, and most models are in the catalogue.
    from weak2strong.models.guess import parameters

    try:
        return parameters(model).trunk
    except UserError:
        return None
