"""Where a pair of models stands on the compute axis of Burns et al. 2023, and what is known there.

The axis is pretraining compute as a fraction of GPT-4's, over 7 orders of magnitude.
Where training tokens grow with parameters, compute grows with parameters squared, as
EleutherAI (*Experiments in Weak-to-Strong Generalization*, 2024, "Auxiliary log-confidence
loss") estimates to find its own models on that axis. The post takes GPT-4 to have in the
vicinity of 2 trillion parameters; the number is not public, so positions are as good as that
guess, while the gap between two models does not depend on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LARGEST = 2e12
"""Parameters at the upper end of the axis, GPT-4, as EleutherAI's post assumes."""

SPAN = 7.0
"""Orders of magnitude of pretraining compute that the models of Burns et al. 2023 span."""

SLACK = 2 * math.log10(2)
"""By how much all positions move if GPT-4 is half or twice as large, in orders of magnitude."""

THIRD = SPAN / 3
"""The paper calls gaps and models small and large; here, each of these is a third of the axis."""

Range = tuple[float, float]

ANY: Range = (-math.inf, math.inf)
SMALLEST: Range = (-math.inf, -2 * THIRD)
NOT_SMALLEST: Range = (-2 * THIRD, math.inf)
LARGEST_ONES: Range = (-THIRD, math.inf)
SMALL_GAP: Range = (0, THIRD)
LARGE_GAP: Range = (2 * THIRD, math.inf)


@dataclass(frozen=True)
class Pair:
    """Two models by their numbers of parameters, the strong one the larger."""

    weak: float
    strong: float

    @property
    def positions(self) -> tuple[float, float]:
        """Orders of magnitude of compute above GPT-4, so mostly below 0: weak, strong."""
        return position(self.weak), position(self.strong)

    @property
    def gap(self) -> float:
        """Orders of magnitude of compute between the two; does not depend on GPT-4's size."""
        return 2 * math.log10(self.strong / self.weak)

    @property
    def on_axis(self) -> tuple[bool, bool]:
        """Whether the paper has models about as small, or as large, as weak and strong."""
        weak, strong = (-SPAN - SLACK <= p <= SLACK for p in self.positions)
        return weak, strong


@dataclass(frozen=True)
class Finding:
    """A published finding on a part of the axis.

    Attributes:
        setting: the experiment, such as naive finetuning on NLP tasks.
        text: the result.
        source: the section or figure of Burns et al. 2023, or another source.
        weak: where on the axis the supervisor stood, in orders of magnitude above GPT-4.
        strong: where the student stood.
        gap: between the two, in orders of magnitude.
    """

    setting: str
    text: str
    source: str
    weak: Range = ANY
    strong: Range = ANY
    gap: Range = ANY

    def holds_for(self, pair: Pair) -> bool:
        """Whether it was made where the pair stands."""
        values = (*pair.positions, pair.gap)
        ranges = (self.weak, self.strong, self.gap)
        return all(low <= v <= high for v, (low, high) in zip(values, ranges, strict=True))


def position(parameters: float) -> float:
    """Log10 of a model's pretraining compute as a fraction of GPT-4's."""
    return 2 * math.log10(parameters / LARGEST)


def findings(pair: Pair) -> list[Finding]:
    """The findings that were made where the pair stands; none off the axis."""
    return [f for f in FINDINGS if f.holds_for(pair)] if all(pair.on_axis) else []


def _near(parameters: float) -> Range:
    return position(parameters) - SLACK, position(parameters) + SLACK


FINDINGS = (
    Finding(
        "NLP, naive",
        "more than 20% of the gap is recovered, even by students of many orders of magnitude "
        "more compute than their supervisor; PGR grows with the size of either",
        "section 4.2, figure 3",
    ),
    Finding(
        "NLP, naive",
        "PGR is often above 50% for the largest students",
        "section 4.2, figure 3",
        strong=LARGEST_ONES,
    ),
    Finding(
        "NLP, confidence loss",
        "slightly worse than naive for the smaller students",
        "section 4.3.2, figure 5",
        strong=SMALLEST,
    ),
    Finding(
        "NLP, confidence loss",
        "much better than naive at large gaps; between the smallest supervisor and the largest "
        "student it raises the median PGR from about 25% to nearly 80%",
        "section 4.3.2, figure 5",
        gap=LARGE_GAP,
    ),
    Finding(
        "NLP, naive and confidence loss",
        "from Qwen1.5-0.5B to Llama-3-8B, PGR is above 0 on all 21 tasks that are not "
        "saturated; the confidence loss is better on 16 (p = .135, one-sided paired t-test)",
        "EleutherAI 2024",
        weak=_near(0.5e9),
        strong=_near(8e9),
    ),
    Finding(
        "NLP, agreement",
        "larger students agree less with their supervisor's errors",
        "section 5.1.3, figure 8",
    ),
    Finding(
        "chess, naive",
        "PGR is near 0 for the smallest supervisors",
        "section 4.2, figure 3",
        weak=SMALLEST,
    ),
    Finding(
        "chess, naive",
        "PGR can be above 40% at small gaps, where the supervisor is not among the smallest",
        "section 4.2, figure 3",
        weak=NOT_SMALLEST,
        gap=SMALL_GAP,
    ),
    Finding(
        "chess, naive",
        "for a given supervisor, PGR falls as the student grows",
        "section 4.2, figure 3",
    ),
    Finding(
        "reward modelling, naive",
        "PGR is about 10%, and almost never above 20%, even at small gaps",
        "section 4.2, figure 3",
    ),
    Finding(
        "reward modelling, overfitting",
        "at large gaps, students overfit to the weak labels within one epoch",
        "section 5.1.1, figure 7",
        gap=LARGE_GAP,
    ),
)
"""The paper's findings by size of model, and one on a pair of open models of known size."""
