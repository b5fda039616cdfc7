"""Product loss: learn what student and supervisor say together."""

from weak2strong.methods.finetuning import finetuning

PRODUCT = finetuning(
    name="product",
    summary="cross-entropy with the product of student and weak label",
    source="code of Burns et al. 2023 (openai/weak-to-strong)",
    loss="product",
)
