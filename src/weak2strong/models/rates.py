"""Peak learning rates of models: those fitted for shipped ones, and a rule for all others.

The rule needs a model's configuration and no weights. It is a first guess; a search around it
(`weak2strong.protocol.stages.rates`) looks at labels, too.

- The trunk's rate falls with the square root of its parameters, embeddings left out: large models
  diverge at rates that small ones need. It goes through what is usual for finetuning: 1e-4 for 10
  million parameters, 3e-5 for BERT-base (Devlin et al. 2019, appendix A.3: 2e-5 to 5e-5), 1e-5 for
  a billion (the public code of Burns et al. 2023: 5e-5 for GPT-2, 1e-5 for GPT-2 XL), 4e-6 for 7
  billion. Below a million the ladder's own rates are near it.
- LoRA takes ten times as much, as Schulman et al. 2025 ("LoRA Without Regret") find for models of
  many sizes, but not less than 1e-4 (Dettmers et al. 2023, appendix B: 1e-4 to 2e-4 for 7 to 65
  billion parameters).
- A fresh head has a rate of its own. AdamW moves every weight by about the rate, so that a step
  moves a logit by rate * width * mean |state|. States are divided by their size before the head
  reads them, so that the mean is near 1 for every model, and the rate falls with the width, as that
  of output layers does in Yang et al. 2022 ("Tensor Programs V", table 3). The scale is about half
  that of the ladder's heads, which were fitted (0.6 to 1.3 in units of 1 / width) and are narrow.
  A head on a frozen trunk has to do everything alone, and takes twice as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from weak2strong.config.model import ModelSpec
from weak2strong.models.folders import folder_of, stack_of
from weak2strong.models.given import is_given
from weak2strong.models.quantisation import quantised
from weak2strong.models.reads import reads_words
from weak2strong.models.resolve import usual_adaptation

Rates = tuple[float, float]
"""Peak rates of trunk and head."""

LADDER_RATES: Mapping[str, Rates] = MappingProxyType(
    {
        "atlas-xs": (1e-3, 3e-2),
        "atlas-s": (1e-3, 1e-2),
        "atlas-m": (3e-4, 1e-2),
        "atlas-l": (1e-4, 1e-2),
    }
)
"""Peak rates of the shipped rungs, finetuned as a whole (`benchmarks/finetuning_rates.py`)."""

FULL = (2e-6, 1e-3)
"""The least and the largest rate of a trunk by the rule."""

LORA = (1e-4, 1e-3)
"""The same of adapters."""

DIGITS_RATES: Mapping[str, Rates] = MappingProxyType(
    {"digits-s": (3e-3, 0.1), "digits-l": (3e-4, 0.1)}
)
"""The same of the shipped networks that read digits, chosen likewise on ground truth of
validation."""

LOGIT = 0.5
"""How far a step at the peak rate may move a logit whose states have a mean size of 1."""

ADAPTERS = 10
"""Rate of adapters in units of the whole trunk's."""

ALONE = 2
"""Rate of a head alone in units of one that is trained with its trunk."""


@dataclass(frozen=True)
class Shape:
    """What the rule knows of a model.

    Attributes:
        parameters: of the trunk.
        inner: parameters of the trunk without token embeddings.
        width: numbers of a state.
        multiplied: parameters of the trunk that stand in products; rates do not depend on them.
    """

    parameters: int
    inner: int
    width: int
    multiplied: int = 0


def fitted_rates(spec: ModelSpec) -> Rates | None:
    """The rates that were fitted for a shipped model, if the model is one.

    One that the user built has a folder of the same name, and the same rates.
    """
    if spec.adaptation not in ("auto", "full") or quantised(spec):
        return None
    return {**LADDER_RATES, **DIGITS_RATES}.get(Path(spec.name).name)


def usual_rates(spec: ModelSpec) -> Rates:
    """Peak learning rates of trunk and head where the user gives none: fitted, or by the rule.

    Raises:
        UserError: where the configuration of the model cannot be had.
    """
    return fitted_rates(spec) or ruled_rates(spec)


def ruled_rates(spec: ModelSpec) -> Rates:
    """The rates of the rule.

    Raises:
        UserError: where the configuration of the model cannot be had.
    """
    shape = shape_of(spec)
    adaptation = spec.adaptation
    if adaptation == "auto":
        adaptation = usual_adaptation(spec, shape.parameters)
    assert adaptation != "knn", "what is not trained has no rates"
    return rule(shape, adaptation)


def rule(shape: Shape, adaptation: Literal["full", "lora", "head"]) -> Rates:
    """The rates of trunk and head for a model of a shape.

    The trunk's rate is 1e-3 * (1e5 / inner parameters) ** 0.5 within bounds, the head's
    0.5 / width, both rounded to two digits.
    """
    trunk = 1e-3 * (1e5 / max(shape.inner, 1)) ** 0.5
    trunk = _within(ADAPTERS * trunk, LORA) if adaptation == "lora" else _within(trunk, FULL)
    head = LOGIT / shape.width * (ALONE if adaptation == "head" else 1)
    return float(f"{trunk:.1e}"), float(f"{head:.1e}")


def shown_rates(rates: Rates, adaptation: str) -> str:
    """Peak rates for people; where a head alone is trained, its rate."""
    trunk, head = rates
    return (
        f"{head:g} (head alone)" if adaptation == "head" else f"{trunk:g} (trunk), {head:g} (head)"
    )


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])


def shape_of(spec: ModelSpec) -> Shape:
    """The shape of a model, from its configuration.

    Raises:
        UserError: where that cannot be had.
    """
    if is_given(spec):
        from weak2strong.models.vectors import vectors_of

        return Shape(0, 0, vectors_of(spec).width)
    folder = folder_of(stack_of(spec)[0])
    stamp = (folder / "config.json").stat().st_mtime_ns if folder else None
    return _shape(replace(spec, adaptation="auto"), stamp)


@cache
def _shape(spec: ModelSpec, stamp: int | None) -> Shape:
    """Built anew only where the time (the stamp) says that the configuration may have changed."""
    # Counting takes PyTorch, which a command that only names a model does not need.
    from weak2strong.models.needs import count, multiplied, skeleton
    from weak2strong.models.text_part import embedding_of
    from weak2strong.models.width import vector_width

    trunk = skeleton(spec)
    parameters, embedding = count(trunk), embedding_of(trunk) if reads_words(spec) else None
    inner = parameters - (count(embedding) if embedding is not None else 0)
    return Shape(parameters, inner, vector_width(spec), multiplied(trunk))
