"""Entropy loss: let the student be sure of whatever it answers."""

from weak2strong.methods.finetuning import finetuning

ENTROPY = finetuning(
    name="entropy",
    summary="cross-entropy plus the entropy of the student's answers",
    source="EleutherAI 2024, modified loss functions",
    loss="entropy",
)
