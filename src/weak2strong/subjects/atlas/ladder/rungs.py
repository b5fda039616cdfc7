"""The rungs of the ladder: one recipe, growing width and depth, equal tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rung:
    """Size and learning rate of one model of the ladder (Llama layout, tied embeddings)."""

    name: str
    width: int
    layers: int
    heads: int
    learning_rate: float


RUNGS = (
    Rung("atlas-xs", width=32, layers=2, heads=2, learning_rate=5e-3),
    Rung("atlas-s", width=64, layers=2, heads=4, learning_rate=5e-3),
    Rung("atlas-m", width=80, layers=2, heads=4, learning_rate=4e-3),
    Rung("atlas-l", width=128, layers=3, heads=4, learning_rate=2.5e-3),
)


@dataclass(frozen=True)
class Recipe:
    """All settings that decide the pretrained weights.

    ``tokens`` is the same for every rung: a larger rung knows more because it is larger, and not
    because it has read more.
    """

    tokens: int = 20_000_000
    vocabulary: int = 2048
    context: int = 128
    batch: int = 10
    warmup: float = 0.02
    final_rate: float = 0.02
    weight_decay: float = 0.01
    minimum_population: int = 0
    seed: int = 0

    @property
    def steps(self) -> int:
        """Optimiser steps; a last part that does not fill a batch is left out."""
        return self.tokens // (self.context * self.batch)
