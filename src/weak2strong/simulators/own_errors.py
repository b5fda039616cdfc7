"""The real supervisor's own errors: as they are, for comparison, or told at the end of texts."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.simulators.simulator import Order, Seen, Simulator, by_confidence


def own_errors(seen: Seen) -> Mapping[str, Order]:
    """What the supervisor has wrong; at another accuracy its surest errors, or its doubts too."""
    return {
        split: by_confidence(seen.supervisor[split].at(seen.ids(split)), seen.labels(split))
        for split in seen.examples
    }


OWN_ERRORS = Simulator(
    name="own-errors",
    summary="labels are wrong where the real supervisor is: the control, hard as the others are",
    source="weak2strong",
    order=own_errors,
    needs=("supervisor",),
)

TRIVIAL_IMITATION = Simulator(
    name="trivial-imitation",
    summary="the real supervisor's answers, which the student's texts end in",
    source="Burns et al. 2023, appendix E",
    order=own_errors,
    needs=("supervisor",),
    tells=True,
)
