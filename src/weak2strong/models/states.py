"""The states that a model gives: how wide they are, and whether they are what a head can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from weak2strong.ground.errors import UserError, first_line
from weak2strong.models.behaviour import without_cache
from weak2strong.models.border import is_ours, lacks_memory
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
    """Refuse a model whose states are not one finite vector of the width for each token of a text.

    Raises:
        UserError: for such a model.
    """
    if tuple(states.shape) != (texts, tokens, width):
        raise UserError(
            f"Model {name!r} gives states of the shape {tuple(states.shape)} for {texts} texts of "
            f"{tokens} tokens, and a head reads one vector of {width} numbers a token: choose "
            "another model."
        )
    check_finite_states(name, states)


def check_finite_states(name: str, states: torch.Tensor) -> None:
    """Refuse states that are NaN or infinite.

    Raises:
        UserError: for a model that gives them.
    """
    if not states.isfinite().all():
        raise UserError(
            f"Model {name!r} gives states that are not finite (NaN or infinite), though its "
            "weights are: look for what its config.json says that others of its kind do not, or "
            "choose another model."
        )


@contextmanager
def reading(name: str, what: str = "plain text") -> Iterator[None]:
    """A context in which a model reads: what it says that cannot becomes a sentence.

    Raises:
        UserError: for a model that cannot read so.
    """
    try:
        yield
    except UserError:
        raise
    # What a model asks for beside a text or an image is its own, and so is the error.
    except Exception as e:
        if lacks_memory(e) or is_ours(e):
            raise
        raise UserError(
            f"Model {name!r} cannot read {what} by itself ({type(e).__name__}: {first_line(e)}): "
            "choose another model."
        ) from e
