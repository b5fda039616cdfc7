"""Naive finetuning: learn the weak labels as they are."""

from weak2strong.methods.finetuning import finetuning
from weak2strong.methods.method import EVERY_KIND

NAIVE = finetuning(
    name="naive",
    summary="cross-entropy with the supervisor's soft labels",
    source="Burns et al. 2023, section 3",
    loss="cross-entropy",
    kinds=EVERY_KIND,
)
