"""Weak-to-strong generalization in one flat file, on plain Transformers and PyTorch.

    w2s export atlas-asia --out task.jsonl
    python recipes/minimal_loop.py task.jsonl --weak path/to/atlas-s --strong path/to/atlas-l

The protocol of Burns et al. 2023, section 3, for decoders, with the default rates of the
package for these two rungs, and its stopping rule: all learn all of their texts, and the weights
of the last step are kept (`--stopping none`). One thing is left out: there are no intervals.
"""

import argparse
import json
import math

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot
from transformers import AutoModel, AutoTokenizer, logging

logging.disable_progress_bar()
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Classifier(nn.Module):
    """A pretrained decoder with a fresh linear head on the state of the last token."""

    def __init__(self, folder, classes):
        super().__init__()
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="right")
        self.tokenizer.pad_token = self.tokenizer.pad_token or self.tokenizer.eos_token
        self.length = min(self.tokenizer.model_max_length, 1024)
        self.trunk = AutoModel.from_pretrained(folder, dtype=torch.float32)
        self.head = nn.Linear(self.trunk.config.hidden_size, classes, bias=False)
        self.head.weight.data *= 0.01  # so that training starts near chance
        self.size = 1.0  # of the states, which differs between families of models
        self.to(DEVICE).eval()  # no dropout, in training neither

    def states(self, texts):
        """States (n, width) of the last tokens of n texts."""
        cut = {"truncation": True, "max_length": self.length}
        x = self.tokenizer(texts, padding=True, return_tensors="pt", **cut).to(DEVICE)
        states = self.trunk(x["input_ids"], attention_mask=x["attention_mask"], use_cache=False)[0]
        last = x["attention_mask"].sum(dim=1) - 1
        return states[torch.arange(len(texts), device=DEVICE), last]

    def forward(self, texts):
        """Logits (n, classes) of n texts."""
        return self.head(self.states(texts) / self.size)


def finetune(folder, texts, targets, rates, epochs, seed):
    """A model that has learnt targets (n, classes): ground truth as 0 and 1, or weak labels.

    The rates are of the trunk and of the head.
    """
    torch.manual_seed(seed)  # of the head and of the order
    model = Classifier(folder, targets.shape[1])
    with torch.no_grad():  # the root mean square, so that one rate suits states of any size
        model.size = model.states(texts[:64]).square().mean().sqrt()
    parts = zip((model.trunk, model.head), rates, strict=True)
    groups = [{"params": part.parameters(), "lr": rate} for part, rate in parts]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.0)
    steps = epochs * math.ceil(len(texts) / 32)
    warm = max(1, round(0.1 * steps))

    def factor(step):  # a linear rise, then half a cosine
        fall = math.pi * max(0, step - warm) / max(1, steps - warm)
        return min((step + 1) / warm, (1 + math.cos(fall)) / 2)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    for _ in range(epochs):
        for batch in torch.randperm(len(texts)).split(32):
            loss = cross_entropy(model([texts[i] for i in batch]), targets[batch].to(DEVICE))
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    return model


@torch.inference_mode()
def answers(model, texts):
    """Probabilities (n, classes) for n texts."""
    parts = [model(texts[i : i + 64]).softmax(dim=1).cpu() for i in range(0, len(texts), 64)]
    return torch.cat(parts)


def accuracy(probabilities, truth):
    """The share of rows whose most probable class is that of the truth, itself (n, classes)."""
    return (probabilities.argmax(dim=1) == truth.argmax(dim=1)).float().mean().item()


def protocol(texts, truth, weak, strong, weak_rates, strong_rates, epochs, seed):
    """Test accuracies of supervisor (the floor), student and ceiling, of data by split."""
    # The supervisor: the weak model, finetuned on ground truth of one half of the data.
    supervisor = finetune(weak, texts["weak_train"], truth["weak_train"], weak_rates, epochs, seed)
    # What it says of the other half are the weak labels, probabilities as they are.
    labels = {split: answers(supervisor, texts[split]) for split in ("strong_train", "validation")}
    # The student: the strong model, finetuned on these alone.
    rest = texts["strong_train"]
    student = finetune(strong, rest, labels["strong_train"], strong_rates, epochs, seed)
    # The ceiling: the strong model, finetuned on ground truth of the same texts.
    ceiling = finetune(strong, rest, truth["strong_train"], strong_rates, epochs, seed)
    # All that a student could be judged by if nobody had ground truth.
    agreement = accuracy(answers(student, texts["validation"]), labels["validation"])
    models = (supervisor, student, ceiling)
    scores = [accuracy(answers(model, texts["test"]), truth["test"]) for model in models]
    print(f"seed {seed}:", told(*scores), f"(agreement with the supervisor: {agreement:.3f})")
    return scores


def told(floor, student, ceiling):
    """Three scores as text."""
    return f"floor {floor:.3f}, student {student:.3f}, ceiling {ceiling:.3f}"


def read(file):
    """Texts and truth (n, classes) of every split of an exported task."""
    with open(file) as lines:
        rows = [json.loads(line) for line in lines]
    classes = 1 + max(row["label"] for row in rows)
    texts, truth = {}, {}
    for split in ("weak_train", "strong_train", "validation", "test"):
        part = [row for row in rows if row["split"] == split]
        texts[split] = [row["text"] for row in part]
        truth[split] = one_hot(torch.tensor([row["label"] for row in part]), classes).float()
    return texts, truth


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", help="what `w2s export` wrote")
    parser.add_argument("--weak", required=True, help="folder or hub id of the weak model")
    parser.add_argument("--strong", required=True, help="of the strong one")
    rates = {"nargs": 2, "type": float, "metavar": ("TRUNK", "HEAD")}
    parser.add_argument("--weak-rates", **rates, default=(1e-3, 1e-2))
    parser.add_argument("--strong-rates", **rates, default=(1e-4, 1e-2))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    a = parser.parse_args()
    given = (*read(a.task), a.weak, a.strong, a.weak_rates, a.strong_rates, a.epochs)
    means = torch.tensor([protocol(*given, seed) for seed in range(a.seeds)]).mean(dim=0).tolist()
    floor, student, ceiling = means
    pgr = f"{(student - floor) / (ceiling - floor):.2f}" if ceiling > floor else "undefined"
    print(f"mean of {a.seeds}:", told(*means) + f", PGR {pgr}")
