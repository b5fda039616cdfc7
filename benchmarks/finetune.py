"""How fast models are finetuned and asked, beside a literal loop in the style of public code.

The loop takes one example at a time and adds up gradients, in float32, as the public
weak-to-strong codes do by default; model, data, order, updates and loss are the same,
and so is the loss at the end. Run with `make bench`; the table is kept in
docs/performance.md.
"""

from __future__ import annotations

import argparse
import math
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from weak2strong.losses import loss
from weak2strong.models.load import LoadedModel, best_device, load_model
from weak2strong.models.needs import count
from weak2strong.models.spec import ModelSpec
from weak2strong.tasks.task import Item
from weak2strong.training.fit import Labelled, _batches, fit
from weak2strong.training.predict import pooled_activations, predict
from weak2strong.training.schedule import rate_factor
from weak2strong.training.settings import Training

VOCABULARY = 50_257
"""As GPT-2's: more than half of a small model's weights."""

TRAINING = Training(
    epochs=1, stopping="none", evaluations=1, learning_rate=1e-4, head_rate=1e-4, clip=1.0
)


@dataclass(frozen=True)
class Measured:
    """One job: seconds, tokens that were real, their operations, padding, memory, last loss."""

    seconds: float
    examples: int
    tokens: int
    operations: float
    padding: float | None
    peak_bytes: int
    loss: float | None


def write_model(folder: Path) -> None:
    """A GPT-2 of 22 million random weights, and a tokenizer with a token a word."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    words = {f"w{i}": i for i in range(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="w0", eos_token="w0", model_max_length=256
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=VOCABULARY, n_embd=256, n_layer=12, n_head=4, n_positions=256)
    GPT2LMHeadModel(config).save_pretrained(folder)


def sentences(count: int, longest: int = 60) -> Labelled:
    """Short sentences of mixed length; words as frequent as words are (Zipf), labels by them."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(2.8, 0.5, count), 4, longest).astype(int)
    ranks = 1 / np.arange(1, VOCABULARY)
    words = [rng.choice(VOCABULARY - 1, n, p=ranks / ranks.sum()) + 1 for n in lengths]
    items = [
        Item(str(i), str(i), " ".join(f"w{w}" for w in sentence)) for i, sentence in enumerate(words)
    ]
    return Labelled(items, np.eye(2)[[int(w.mean() > 5000) for w in words]])


def literal_fit(model: LoadedModel, train: Labelled, training: Training) -> float:
    """One example at a time, gradients added up; the loss of the last tenth of the steps."""
    network, rows = model.network, [model.tokenizer(i.text)["input_ids"] for i in train.items]
    targets = torch.tensor(train.targets, dtype=torch.float32, device=model.device)
    weights = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, betas=(0.9, training.beta2), weight_decay=0.0)
    steps = math.ceil(len(rows) / training.batch_size)
    losses = []
    for step, batch in zip(range(steps), _batches(len(rows), training.batch_size, seed=0)):
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate * rate_factor(step, steps, "cosine", 0.1)
        total = 0.0
        for i in batch:
            tokens = torch.tensor([rows[i]], device=model.device)
            logits = network(tokens, torch.ones_like(tokens))
            value = torch.nn.functional.cross_entropy(logits, targets[i : i + 1]) / len(batch)
            value.backward()
            total += value.item()
        torch.nn.utils.clip_grad_norm_(weights, training.clip)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(total)
    return float(np.mean(losses))


def literal_answers(model: LoadedModel, train: Labelled, pooled: bool) -> np.ndarray:
    """Answers or activations, one example at a time."""
    found = []
    run = model.network.pooled if pooled else model.network
    with torch.no_grad():
        for item in train.items:
            tokens = torch.tensor([model.tokenizer(item.text)["input_ids"]], device=model.device)
            found.append(run(tokens, torch.ones_like(tokens)).float().cpu().numpy())
    return np.concatenate(found)


def job(name: str, who: str, folder: str, examples: int, threads: int) -> Measured:
    """Do one job in a process of its own, so that its peak of memory is its own."""
    torch.set_num_threads(threads)
    adaptation = name if name in ("full", "lora", "head") else "full"
    precision = "float32" if who != "auto" else "auto"
    spec = ModelSpec(folder, adaptation=adaptation, precision=precision)
    model = load_model(spec, "classification", 2, seed=0)
    train = sentences(examples)
    tokens = sum(len(model.tokenizer(i.text)["input_ids"]) for i in train.items)
    # A few examples first, so that no library is loaded within the time.
    few = Labelled(train.items[:8], train.targets[:8])
    work = _work(model, name, who)
    before = {k: v.clone() for k, v in model.network.state_dict().items()}
    work(few)
    model.network.load_state_dict(before)
    begun = time.perf_counter()
    last, padding = work(train)
    seconds = time.perf_counter() - begun
    trunk = model.network.trunk
    dense = count(trunk) - trunk.get_input_embeddings().weight.numel()
    # Forward takes two operations a weight and token, gradients of states as many, and
    # gradients of weights as many again.
    passes = {"full": 6, "lora": 4}.get(name, 2)
    peak = (
        torch.cuda.max_memory_allocated()
        if model.device.type == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        * (1 if platform.system() == "Darwin" else 1024)
    )
    return Measured(seconds, examples, tokens, passes * dense * tokens, padding, peak, last)


def _work(model: LoadedModel, name: str, who: str) -> Callable:
    def finetune(train: Labelled) -> tuple[float | None, float | None]:
        if who == "literal":
            return literal_fit(model, train, TRAINING), None
        done = fit(model, train, loss("cross-entropy"), TRAINING, seed=0)
        return done.trace[-1].loss, done.padding

    def ask(train: Labelled) -> tuple[float | None, float | None]:
        if who == "literal":
            literal_answers(model, train, name == "activations")
        elif name == "activations":
            pooled_activations(model, train.items)
        else:
            predict(model, train.items)
        return None, None

    return finetune if name in ("full", "lora", "head") else ask


def matmul_peak(dtype: torch.dtype, threads: int) -> float:
    """Operations a second of a large product of matrices here, the best of several."""
    torch.set_num_threads(threads)
    device, n = best_device(), 2048
    one = torch.randn(n, n, device=device, dtype=dtype)
    best = math.inf
    for _ in range(6):
        begun = time.perf_counter()
        (one @ one)[0, 0].item()
        best = min(best, time.perf_counter() - begun)
    return 2 * n**3 / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--jobs", nargs="*", default=["full", "lora", "head", "inference", "activations"])
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    peaks = {d: matmul_peak(d, options.threads) for d in (torch.float32, torch.bfloat16)}
    table = Table(title=f"{options.examples} sentences, {options.threads} threads")
    for title in ("job", "by", "s", "examples/s", "tokens/s", "padding", "peak MiB", "of peak", "loss", "times"):
        table.add_column(title, justify="left" if title in ("job", "by") else "right")
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder))
        for name in options.jobs:
            base = None
            for who in ("literal", "float32", "auto"):
                found = []
                for _ in range(options.repeats):
                    with get_context("spawn").Pool(1) as pool:
                        found.append(pool.apply(job, (name, who, folder, options.examples, options.threads)))
                m = min(found, key=lambda m: m.seconds)
                base = base or m.seconds
                peak = peaks[torch.float32]
                table.add_row(
                    name, who, f"{m.seconds:.2f}", f"{m.examples / m.seconds:,.0f}",
                    f"{m.tokens / m.seconds:,.0f}",
                    "" if m.padding is None else f"{m.padding:.1%}",
                    f"{m.peak_bytes / 2**20:,.0f}", f"{m.operations / m.seconds / peak:.0%}",
                    "" if m.loss is None else f"{m.loss:.4f}", f"{base / m.seconds:.1f}",
                )
                print(name, who, m, file=sys.stderr)
    print({str(k): f"{v/1e9:.0f} GFLOP/s" for k, v in peaks.items()})
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
