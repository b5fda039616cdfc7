"""KL divergence: naive finetuning under another name, since the gradient is the same."""

from weak2strong.methods.finetuning import finetuning

KL = finetuning(
    name="kl",
    summary="KL divergence from the soft labels: the gradient of naive",
    source="code of EleutherAI 2024 (EleutherAI/w2s)",
    loss="kl",
)
