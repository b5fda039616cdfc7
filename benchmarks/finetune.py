"""How fast models are finetuned and asked, beside a literal loop in the style of public code.

*literal* takes one example at a time, padded to the longest, adds up gradients, and
computes in float32; *unpadded* is the same without the padding; *by 8* takes eight at a
time, padded to the longest of them; *Trainer* is the one of Transformers with its usual
settings, eight at a time. *float32* and *auto* are this package in that precision and in
the one that it takes by itself. Model, data, order, updates and loss are the same, and so
is the mean loss, but for the Trainer's order. Every job is a process of its own; that of
the others waits for threads as PyTorch does by itself.

    python benchmarks/finetune.py
    python benchmarks/finetune.py --jobs full lora --busy 1
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from process import parser_of, peak_bytes
from trainer import train
from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.losses import loss
from weak2strong.models.guess import FORWARD
from weak2strong.models.guess import TRAINING as OPERATIONS
from weak2strong.models.load import load_model
from weak2strong.models.loaded import LoadedModel, best_device
from weak2strong.models.needs import count
from weak2strong.models.precision import fast_precision
from weak2strong.tasks.task import Item
from weak2strong.training.fit import fit
from weak2strong.training.loop import _batches
from weak2strong.training.predict import pooled_activations, predict
from weak2strong.training.schedule import rate_factor
from weak2strong.training.training_set import TrainingSet

VOCABULARY = 50_257
"""As GPT-2's: more than half of a small model's weights."""

WIDTH, LAYERS = 256, 12

TRAINING = Training(
    epochs=1, stopping="none", evaluations=1, learning_rate=1e-4, head_rate=1e-4, clip=1.0
)


JOBS = ("full", "lora", "head", "inference", "activations")
ASKING = ("inference", "activations")
LITERAL = {"literal": (1, True), "unpadded": (1, False), "by 8": (8, False)}
"""How many examples pass at a time, and whether they are padded to the longest of all."""

TRAINER = "Trainer"


WAITING = ("GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""What this package says of how threads wait; PyTorch has to be loaded after it."""

PRODUCT_WIDTH = {"cpu": 1024, "other": 4096}
"""Of the square matrices: large enough that launching a product takes no part of its time."""


def matrix_rate(device: torch.device, precision: torch.dtype, times: int = 5) -> float:
    """Floating-point operations a second of a product of two large matrices, the best of several.

    Args:
        device: where.
        precision: of both matrices.
        times: how many products are timed, after one to warm up.
    """
    width = PRODUCT_WIDTH["cpu" if device.type == "cpu" else "other"]
    one = torch.randn(width, width, device=device).to(precision)
    best = float("inf")
    for _ in range(times + 1):
        _finish(device)
        begun = time.perf_counter()
        torch.mm(one, one)
        _finish(device)
        best = min(best, time.perf_counter() - begun)
    return 2 * width**3 / best


def _finish(device: torch.device) -> None:
    """Wait until a device that works by itself has done what it was given."""
    if device.type != "cpu":
        getattr(torch, device.type).synchronize()


@dataclass(frozen=True)
class Measured:
    """One job: seconds, real tokens, their operations, share of padding, memory, mean loss."""

    seconds: float
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
    shape = {"n_embd": WIDTH, "n_layer": LAYERS, "n_head": 4, "n_positions": 256}
    config = GPT2Config(vocab_size=VOCABULARY, **shape)
    GPT2LMHeadModel(config).save_pretrained(folder)


def sentences(count: int, longest: int = 60) -> TrainingSet:
    """Short sentences of mixed length; words as frequent as words are (Zipf), labels by them."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(2.8, 0.5, count), 4, longest).astype(int)
    ranks = 1 / np.arange(1, VOCABULARY)
    words = [rng.choice(VOCABULARY - 1, n, p=ranks / ranks.sum()) + 1 for n in lengths]
    items = [
        Item(str(i), str(i), " ".join(f"w{w}" for w in sentence))
        for i, sentence in enumerate(words)
    ]
    return TrainingSet(items, np.eye(2)[[int(w.mean() > 5000) for w in words]])


class Literal:
    """One example at a time, or a few, by their token ids."""

    def __init__(self, model: LoadedModel, texts: TrainingSet, each: int, padded: bool):
        self.model, self.each = model, each
        self.rows = [model.tokenizer(item.text)["input_ids"] for item in texts.items]
        self.targets = torch.tensor(texts.targets, dtype=torch.float32, device=model.device)
        self.longest = max(map(len, self.rows)) if padded else 0

    def inputs(self, some: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and mask of some examples, each (b, t)."""
        rows = [self.rows[i] for i in some]
        longest = self.longest or max(map(len, rows))
        pad_id = self.model.tokenizer.pad_token_id
        tokens = torch.tensor([row + [pad_id] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        return tokens.to(self.model.device), mask.to(self.model.device)

    def fit(self) -> float:
        """Finetune, gradients added up over a batch; returns the mean loss."""
        network = self.model.network
        weights = [p for p in network.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(weights, betas=(0.9, TRAINING.beta2), weight_decay=0.0)
        steps = math.ceil(len(self.rows) / TRAINING.batch)
        batches, losses = _batches(len(self.rows), TRAINING.batch, seed=0), []
        for step, batch in enumerate(islice(batches, steps)):
            for group in optimizer.param_groups:
                group["lr"] = TRAINING.learning_rate * rate_factor(step, steps, "cosine", 0.1)
            total = 0.0
            for begin in range(0, len(batch), self.each):
                some = batch[begin : begin + self.each]
                logits = network(*self.inputs(some))
                value = cross_entropy(logits, self.targets[some], reduction="sum") / len(batch)
                value.backward()
                total += value.item()
            torch.nn.utils.clip_grad_norm_(weights, TRAINING.clip)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(total)
        return float(np.mean(losses))

    def ask(self, run: Callable) -> list[np.ndarray]:
        """Answers or activations."""
        with torch.no_grad():
            begins = range(0, len(self.rows), self.each)
            some = [range(begin, min(begin + self.each, len(self.rows))) for begin in begins]
            return [run(*self.inputs(these)).cpu().numpy() for these in some]


def job(name: str, by: str, folder: str, examples: int, threads: int) -> Measured:
    """Do one job; in a process of its own, so that its peak of memory is its own."""
    torch.set_num_threads(threads)
    precision = "auto" if by == "auto" else "float32"
    adaptation = "full" if name in ASKING else name
    spec = ModelSpec(folder, adaptation=adaptation, precision=precision)
    model = load_model(spec, "classification", 2, seed=0)
    if by in LITERAL or by == TRAINER:
        for part in model.network.modules():
            # Adapters as PEFT computes them.
            vars(part).pop("forward", None)
    texts = sentences(examples)
    # A few examples first, so that no library is loaded within the time.
    before = {k: v.clone() for k, v in model.network.state_dict().items()}
    work(name, by, model, TrainingSet(texts.items[:8], texts.targets[:8]))
    model.network.load_state_dict(before)
    begun = time.perf_counter()
    mean_loss, padding = work(name, by, model, texts)
    seconds = time.perf_counter() - begun
    trunk = model.network.trunk
    dense = count(trunk) - trunk.get_input_embeddings().weight.numel()
    tokens = sum(map(len, model.tokenizer([item.text for item in texts.items])["input_ids"]))
    operations = OPERATIONS.get(name, FORWARD) * dense * tokens
    return Measured(seconds, tokens, operations, padding, peak(), mean_loss)


def work(name: str, by: str, model: LoadedModel, texts: TrainingSet) -> tuple:
    """Do it; returns mean loss and share of padding, as far as there are such."""
    if by in LITERAL:
        literal = Literal(model, texts, *LITERAL[by])
        if name in ASKING:
            literal.ask(model.network.pooled if name == "activations" else model.network)
            return None, None
        return literal.fit(), None
    if by == TRAINER:
        return train(model, texts, TRAINING), None
    if name == "inference":
        model.freeze()
        predict(model, texts.items)
    elif name == "activations":
        model.freeze()
        pooled_activations(model, texts.items)
    else:
        done = fit(model, texts, loss("cross-entropy"), TRAINING, seed=0)
        return done.trace[-1].loss, done.padding
    return None, None


@contextmanager
def beside(processes: int) -> Iterator[None]:
    """A context in which so many other processes are always at work."""
    code = "while True: pass"
    others = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@contextmanager
def waiting_as_usual(by: str) -> Iterator[None]:
    """A context whose new processes get no say in how threads wait, where others than we work."""
    before = {name: os.environ[name] for name in WAITING if name in os.environ}
    if by in LITERAL or by == TRAINER:
        for name in before:
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)


def peak() -> int:
    """The most memory that this process has taken, of the GPU where there is one."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return peak_bytes()


def row(name: str, by: str, examples: int, m: Measured, base: Measured, rate: float) -> str:
    """A line of the table."""
    cells = (
        name,
        by,
        f"{m.seconds:.2f}",
        f"{examples / m.seconds:,.0f}",
        f"{m.tokens / m.seconds:,.0f}",
        "" if m.padding is None else f"{m.padding:.1%}",
        f"{m.peak_bytes / 2**20:,.0f}",
        f"{m.operations / m.seconds / rate:.0%}",
        "" if m.loss is None else f"{m.loss:.4f}",
        f"{base.seconds / m.seconds:.1f}",
    )
    return f"| {' | '.join(cells)} |"


TITLES = (
    "job | by | s | examples/s | tokens/s | padding | peak MiB | of peak | loss | times literal"
)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=3, help="the quickest counts")
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=JOBS)
    parser.add_argument("--busy", type=int, default=0, help="other processes that are at work")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rates = {by: matrix_rate(best_device(), getattr(torch, by)) for by in ("float32", "bfloat16")}
    auto = fast_precision(best_device())
    print(
        f"{options.examples} sentences, {best_device().type}, {options.threads} threads, "
        f"{options.busy} busy processes beside, PyTorch {torch.__version__}; "
        f"auto is {str(auto).removeprefix('torch.')}; "
        + ", ".join(f"{by} products {rate / 1e9:,.0f} GFLOP/s" for by, rate in rates.items())
        + "\n"
    )
    print(f"| {TITLES} |\n| --- | --- |{' ---: |' * (TITLES.count('|') - 1)}")
    with tempfile.TemporaryDirectory() as folder, beside(options.busy):
        write_model(Path(folder))
        for name in options.jobs:
            base = None
            for by in everybody(name):
                about = (name, by, folder, options.examples, options.threads)
                best = quickest(about, options.repeats)
                base = base or best
                rate = rates["bfloat16" if by == "auto" and auto == torch.bfloat16 else "float32"]
                print(row(name, by, options.examples, best, base, rate), flush=True)


def everybody(name: str) -> tuple[str, ...]:
    """By whom a job is done; the Trainer is for trainings of the trunk."""
    trainer = (TRAINER,) if name in ("full", "lora") else ()
    return (*LITERAL, *trainer, "float32", "auto")


def quickest(about: tuple, repeats: int) -> Measured:
    """The quickest of several runs of a job, each in a process of its own."""
    runs = []
    for _ in range(repeats):
        with waiting_as_usual(about[1]), get_context("spawn").Pool(1) as pool:
            runs.append(pool.apply(job, about))
    return min(runs, key=lambda m: m.seconds)


if __name__ == "__main__":
    main()
