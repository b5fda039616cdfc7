"""How many workers the memory of a GPU has room for, by what the first trainings took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from weak2strong.engine.done import Done
from weak2strong.engine.places import Plan, on_gpu, processors
from weak2strong.engine.schedule import Place
from weak2strong.protocol.steps import Step

FULL = 0.95
"""The share of a GPU's memory that all its workers together may have taken at their peaks."""


def model_of(step: Step) -> str | None:
    """Which model of the study a step loads, by its role; None where it loads none."""
    if step.kind == "ngrams":
        return None
    weak = step.kind == "supervisor" or (step.kind == "rates" and step.method == "weak")
    return "weak" if weak else "strong"


@dataclass
class Room:
    """What was measured, and the workers that it leaves room for.

    Attributes:
        plan: who does the steps.
        wanted: the models of the steps: none is added before all of these were measured.
        peaks: shares of a GPU's memory by model, each the largest so far.
        each: workers of each GPU.
    """

    plan: Plan
    wanted: frozenset[str]
    peaks: dict[str, float] = field(default_factory=dict)
    each: int = 1

    @staticmethod
    def of(plan: Plan, steps: Iterable[Step]) -> Room:
        """That of some steps, before anything was measured."""
        return Room(plan, frozenset(m for s in steps if (m := model_of(s)) is not None))

    def after(self, step: Step, place: Place, done: Done) -> list[Place]:
        """The workers that a finished step leaves room for, beside those there are."""
        model = model_of(step)
        if not self.plan.may_add or model is None or not done.memory:
            return []
        self.peaks[model] = max(done.memory, self.peaks.get(model, 0.0))
        if self.wanted - self.peaks.keys():
            return []
        most = max(1, processors() // len(self.plan.gpus))
        each = min(int(FULL / max(self.peaks.values())), most)
        added = each - self.each
        if added <= 0:
            return []
        first, self.each = self.each, each
        return [place for gpu in self.plan.gpus for place in on_gpu(gpu, first, added)]
