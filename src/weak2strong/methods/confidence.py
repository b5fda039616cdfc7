"""Auxiliary confidence loss: let the student trust itself where it is sure."""

from weak2strong.methods.finetuning import finetuning

CONFIDENCE = finetuning(
    name="confidence",
    summary="cross-entropy plus a reward for confidence in the student's own answers",
    source="Burns et al. 2023, section 4.3",
    loss="confidence",
)
