"""The auxiliary confidence loss of published code, whose weight jumps."""

from weak2strong.methods.finetuning import finetuning

CONFIDENCE_OPENAI_CODE = finetuning(
    name="confidence-openai-code",
    summary="confidence as in public code: its weight jumps (two classes)",
    source="code of Burns et al. 2023 (openai/weak-to-strong)",
    loss="confidence-openai-code",
    classes=2,
)
