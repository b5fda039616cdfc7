"""Adaptive confidence loss: let the student trust itself by example.

Two methods, since the published weight has the sign opposite to the idea: see
the loss.
"""

from weak2strong.methods.finetuning import finetuning

ADAPTIVE_CONFIDENCE = finetuning(
    name="adaptive-confidence",
    summary="confidence weighted by example: a sure student is trusted",
    source="after Guo et al. 2024, section 3.2",
    loss="adaptive-confidence",
)

ADAPTIVE_CONFIDENCE_GUO_CODE = finetuning(
    name="adaptive-confidence-guo-code",
    summary="adaptive-confidence as published: with the opposite sign",
    source="Guo et al. 2024, section 3.2, and its code",
    loss="adaptive-confidence",
    settings={"published": True, "temperature": 0.5, "warmup": 0.0},
)
