"""What a model does, tried out on a miniature of it: what it reads, what its mask hides.

Lists of architectures would be out of date with every release of Transformers, and what a
configuration calls itself is not always what its model does.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.models.miniature import miniatures
from weak2strong.models.text_part import text_config, text_part, writer_class

LENGTH, HIDDEN = 24, 6
"""Tokens of a text that is tried, and how many of them are padding where padding is tried."""

LEAST = 1e-4
"""Of the size of the states: what differs by less differs by rounding."""


@dataclass(frozen=True)
class Behaviour:
    """What a model does with a text.

    Attributes:
        decoder: it reads from left to right, so that its last token has seen the whole text.
        hides_left: its mask hides padding before a text.
        hides_right: its mask hides padding after a text, whose states are those that it has alone.
        bfloat16: it computes in bfloat16, trained or frozen.
        fault: the first line of what happened where it could not be tried, or is of no use.
    """

    decoder: bool
    hides_left: bool = True
    hides_right: bool = True
    bfloat16: bool = True
    fault: str = ""


_KNOWN: dict[str, Behaviour] = {}
_ALONE: dict[str, bool] = {}


def behaviour(config: Any, trust_remote_code: bool = False) -> Behaviour:
    """What a model of a configuration does; tried once a process.

    Args:
        config: of Transformers.
        trust_remote_code: whether code that came with the model may run.
    """
    key = config.to_json_string(use_diff=False)
    if key not in _KNOWN:
        _KNOWN[key] = _tried(config, trust_remote_code)
    return _KNOWN[key]


def writes_alone(config: Any) -> bool:
    """Whether what a model writes depends on padding before a text, so that each is written alone.

    Its mask may not hide padding (RWKV), or its positions may count it (Kosmos-2.5).

    Args:
        config: of a model that is loaded, so that code that came with it has run before.
    """
    trust = bool(getattr(config, "auto_map", None))
    key = config.to_json_string(use_diff=False)
    if key not in _ALONE:
        with _quietly():
            _ALONE[key] = not behaviour(config, trust).hides_left or _counts_padding(config, trust)
    return _ALONE[key]


def _counts_padding(config: Any, trust_remote_code: bool) -> bool:
    """Whether a miniature writes something else of a text with padding before it."""
    plain = copy.deepcopy(config)
    if hasattr(plain, "quantization_config"):
        del plain.quantization_config
    text = torch.arange(5, 5 + LENGTH)[None]
    mask = torch.ones_like(text)
    padded = torch.cat([torch.full((1, HIDDEN), 9), text], 1)
    hiding = torch.cat([torch.zeros(1, HIDDEN, dtype=mask.dtype), mask], 1)
    options = {"max_new_tokens": 2, "do_sample": False, "pad_token_id": 9, "eos_token_id": None}
    options |= {"return_dict_in_generate": True, "output_logits": True}
    small: Any
    try:
        for small in miniatures(_maker(trust_remote_code, writer_class(config)), plain):
            _widen(small)
            with torch.inference_mode():
                alone = small.generate(text, attention_mask=mask, **options)
                after = small.generate(padded, attention_mask=hiding, **options)
            # The second token also depends on what is kept of the text.
            first, second = (torch.stack(written.logits) for written in (alone, after))
            return bool((first - second).abs().max() > 100 * LEAST * first.abs().mean())
    # What cannot write of text alone says so where it is asked to.
    except Exception:
        return False
    return False


def _tried(config: Any, trust_remote_code: bool) -> Behaviour:
    with _quietly():
        fault = "no miniature of it can be made"
        for small in miniatures(_maker(trust_remote_code), _for_text(config)):
            try:
                return _of(text_part(small))
            # Numbers that do not fit together can fail in any way.
            except Exception as e:
                fault = f"{type(e).__name__}: {e}".splitlines()[0]
        return Behaviour(decoder=_said_to_decode(config, trust_remote_code), fault=fault)


@contextmanager
def _quietly() -> Iterator[None]:
    """A context in which Transformers says nothing of miniatures."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before)


def _maker(trust_remote_code: bool, loader: Any = None) -> Any:
    """Makes models of a configuration, by AutoModel if no other class is given."""
    from transformers import AutoModel

    options = {"trust_remote_code": True} if trust_remote_code else {}
    return lambda config: (loader or AutoModel).from_config(config, **options)


def _for_text(config: Any) -> Any:
    """The configuration of what reads text, without what is said of quantised weights."""
    from transformers import AutoModel

    plain = copy.deepcopy(config)
    if not getattr(plain, "is_encoder_decoder", False):
        inner = text_config(plain)
        plain = inner if type(inner) in AutoModel._model_mapping else plain
    if hasattr(plain, "quantization_config"):
        del plain.quantization_config
    return plain


def _of(part: nn.Module) -> Behaviour:
    _widen(part)
    tokens = torch.arange(5, 5 + LENGTH)[None].repeat(2, 1)
    mask = torch.ones_like(tokens)
    with torch.inference_mode():
        states = states_of(part, tokens, mask)
        if states.shape[:2] != tokens.shape or states.ndim != 3:
            return Behaviour(
                decoder=False,
                fault=f"its states have the shape {tuple(states.shape)} for "
                f"{tokens.shape[0]} texts of {tokens.shape[1]} tokens",
            )
        if not states.isfinite().all():
            raise ValueError("its states are not finite")
        other = tokens.clone()
        other[:, -1] = 77
        changed = states_of(part, other, mask)
        least = LEAST * float(states.abs().mean())
        decoder = bool((states - changed)[:, :-1].abs().max() <= least)
        left, right = slice(0, HIDDEN), slice(LENGTH - HIDDEN, LENGTH)
        hides_left = _hides(part, tokens, left, slice(HIDDEN, LENGTH), least)
        seen = slice(0, LENGTH - HIDDEN)
        hides_right = _hides(part, tokens, right, seen, least)
        if hides_right:
            # Where nothing is hidden, some attend in another way than where something is.
            mask_right = mask.clone()
            mask_right[:, right] = 0
            short = states_of(part, tokens[:, seen], mask[:, seen])
            padded = states_of(part, tokens, mask_right)[:, seen]
            hides_right = bool((short - padded).abs().max() <= 100 * least)
    return Behaviour(decoder, hides_left, hides_right, _bfloat16(part, tokens, mask))


def states_of(part: Any, tokens: Tensor, mask: Tensor) -> Tensor:
    """The states that a text part gives for token ids, as `Network` asks for them."""
    return part(input_ids=tokens, attention_mask=mask, **without_cache(part))[0]


def without_cache(part: Any) -> dict[str, bool]:
    """How a text part is asked not to keep what it read: a text that is scored is read once."""
    takes = inspect.signature(part.forward).parameters
    known = "use_cache" in takes or any(p.kind is p.VAR_KEYWORD for p in takes.values())
    return {"use_cache": False} if known and hasattr(part.config, "use_cache") else {}


def _hides(part: Any, tokens: Tensor, hidden: slice, seen: slice, least: float) -> bool:
    """Whether states of seen tokens are the same whatever stands where the mask is 0.

    Both passes have the same shape, so that what is hidden changes nothing at all."""
    mask = torch.ones_like(tokens)
    mask[:, hidden] = 0
    states = []
    for filler in (9, 50):
        filled = tokens.clone()
        filled[:, hidden] = filler
        states.append(states_of(part, filled, mask)[:, seen])
    return bool((states[0] - states[1]).abs().max() <= least)


def _bfloat16(part: Any, tokens: Tensor, mask: Tensor) -> bool:
    """Whether it computes in bfloat16, with trained weights and with frozen ones."""
    try:
        with torch.autocast("cpu", torch.bfloat16), torch.enable_grad():
            states_of(part, tokens, mask).float().sum().backward()
        with torch.inference_mode():
            frozen = part.to(torch.bfloat16)
            return bool(states_of(frozen, tokens, mask).isfinite().all())
    # What an operation that does not know bfloat16 raises is not one kind of error.
    except Exception:
        return False


def _widen(part: nn.Module) -> None:
    """Larger random weights, with which states depend on all that they can depend on."""
    draws = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in part.parameters():
            if weight.ndim > 1 and weight.numel() and float(weight.std()) < 0.1:
                weight.copy_(0.1 * torch.randn(weight.shape, generator=draws))


def _said_to_decode(config: Any, trust_remote_code: bool) -> bool:
    """What its layers say, or else the saved architecture, where nothing can be tried."""
    try:
        with torch.device("meta"):
            part = text_part(_maker(trust_remote_code)(_for_text(config)))
        said = [
            m.is_causal for m in part.modules() if isinstance(getattr(m, "is_causal", None), bool)
        ]
    # A configuration that does not fit together can fail in any way.
    except Exception:
        said = []
    if said:
        return all(said)
    return str((config.architectures or [""])[0]).endswith(("ForCausalLM", "LMHeadModel"))
