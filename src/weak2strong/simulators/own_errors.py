"""The real supervisor's own errors: as they are, for comparison, or as hints in the texts."""

from __future__ import annotations

from collections.abc import Mapping

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
    needs=("supervisor", "words"),
    hints=True,
)
def own_errors(evidence: Evidence) -> Mapping[str, Order]:
    """The supervisor's errors; at another accuracy its surest errors, or its doubts too."""
    orders = {}
    for split in evidence.examples:
        probabilities = evidence.supervisor[split].at(evidence.ids(split))
        orders[split] = by_confidence(probabilities, evidence.labels(split))
    return orders
