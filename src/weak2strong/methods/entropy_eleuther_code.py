"""The entropy loss of published code, which learns like naive finetuning."""

from weak2strong.methods.finetuning import finetuning

ENTROPY_ELEUTHER_CODE = finetuning(
    name="entropy-eleuther-code",
    summary="entropy as in public code: without its gradient, so naive",
    source="code of EleutherAI 2024 (EleutherAI/w2s)",
    loss="entropy-eleuther-code",
)
