"""Layers of a trunk by number: 0 is what the embeddings give, L what the last of L layers gives."""

from __future__ import annotations

from typing import Any

from weak2strong.errors import UserError


def layer_count(model: Any) -> int:
    """How many layers a `LoadedModel` has, or the model of a configuration of Transformers."""
    network = getattr(model, "network", None)
    config: Any = model if network is None else network.trunk.config
    return config.get_text_config().num_hidden_layers


def layer_number(layer: int | str, layers: int) -> int:
    """The number, 0 to ``layers``, of a layer that the user names.

    Args:
        layer: a number, negative ones counted from the end (-1 is the last);
            ``"middle"``, half of the layers (16 of 32, as in EleutherAI,
            *Experiments in Weak-to-Strong Generalization*, 2024); or ``"last"``.
        layers: how many there are.

    Raises:
        UserError: for any other layer.
    """
    if isinstance(layer, str):
        named = {"middle": layers // 2, "last": layers}
        if layer in named:
            return named[layer]
    elif type(layer) is int and -layers - 1 <= layer <= layers:
        return layer % (layers + 1)
    raise UserError(
        f"Layer {layer!r} is none of the model's {layers}: choose middle, last, "
        f"a number from 0 (the embeddings) to {layers}, or -1 to {-layers - 1} from the end."
    )
