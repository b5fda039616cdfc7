"""The states that a model gives: how wide they are, and whether they are what a head can read."""

from __future__ import annotations

from typing import Any

import torch

from weak2strong.ground.errors import UserError, first_line
from weak2strong.models.behaviour import without_cache
from weak2strong.models.text_part import text_config, text_part

_WIDTHS: dict[str, int] = {}


def width_of(config: Any, trust_remote_code: bool = False) -> int:
    """How many numbers a model gives for a token; found once a process.

    A model without weights is passed on PyTorch's device for shapes alone. What it gives counts,
    and not what the configuration calls it: some models make their last states narrower.

    Args:
        config: of Transformers.
        trust_remote_code: whether code that came with the model may run.

    Raises:
        UserError: where that can neither be tried nor read.
    """
    from transformers import AutoModel

    key = config.to_json_string(use_diff=False)
    if key not in _WIDTHS:
        options = {"trust_remote_code": True} if trust_remote_code else {}
        ids = torch.zeros(1, 2, dtype=torch.long, device="meta")
        try:
            with torch.device("meta"), torch.no_grad():
                part = text_part(AutoModel.from_config(config, **options)).eval()
                # Without a mask, since some look whether it hides anything.
                _WIDTHS[key] = part(input_ids=ids, **without_cache(part))[0].shape[-1]
        # A pass that looks at values, as routers of some models do, has none to look at here.
        except Exception:
            width = getattr(text_config(config), "hidden_size", None)
            if not isinstance(width, int):
                raise UserError(
                    f"A model of type {config.model_type} does not read plain text by itself, and "
                    "its configuration does not say how wide its states are: choose another model."
                ) from None
            _WIDTHS[key] = width
    return _WIDTHS[key]


def check_states(name: str, states: torch.Tensor, texts: int, tokens: int, width: int) -> None:
    """Refuse a model whose states are not one vector of the width for each token of each text.

    Raises:
        UserError: for such a model.
    """
    if tuple(states.shape) != (texts, tokens, width):
        raise UserError(
            f"Model {name!r} gives states of the shape {tuple(states.shape)} for {texts} texts of "
            f"{tokens} tokens, and a head reads one vector of {width} numbers a token: choose "
            "another model."
        )


def reading_fault(name: str, error: Exception) -> UserError:
    """What a model says that cannot read plain text, as a sentence."""
    what = f"{type(error).__name__}: {first_line(error)}"
    return UserError(
        f"Model {name!r} cannot read plain text by itself ({what}): choose another model."
    )
