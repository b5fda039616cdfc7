"""The real supervisor's own errors: as they are, for comparison, or as hints in the texts."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.ground.predictions import WRITTEN
from weak2strong.simulators.simulator import Evidence, Order, by_confidence, simulator


@simulator(
    "own-errors",
    "labels are wrong where the real supervisor is: the control, hard as the others are",
    "weak2strong",
    needs=("supervisor",),
)
@simulator(
    "trivial-imitation",
    "the real supervisor's answers, which the student's texts end in",
    "Burns et al. 2023, appendix E",
    needs=("supervisor", "words", "classes"),
    hints=True,
)
def own_errors(evidence: Evidence) -> Mapping[str, Order]:
    """The supervisor's errors; at another accuracy its surest errors, or its doubts too."""
    orders = {}
    for split in evidence.examples:
        answers = evidence.supervisor[split].at(evidence.ids(split))
        if evidence.kind in WRITTEN:
            # Texts have no confidence: its errors in random order, then any others.
            orders[split] = Order(evidence.right(split, answers).astype(float), answers)
        else:
            orders[split] = by_confidence(answers, evidence.labels(split))
    return orders
