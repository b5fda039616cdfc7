"""What others do: a literal loop as in public code, and Transformers' own Trainer.

Both train the same model on the same texts as the package: cross-entropy of two classes, batches of
32, AdamW, clipping at 1. On a GPU both compute in bfloat16 by autocast, as users of either would.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from gpu_models import drawn

BATCH, RATE = 32, 1e-4


def literal(model: Any, rows: Sequence[Sequence[int]], targets: torch.Tensor, size: int) -> None:
    """Finetune for one epoch, so many examples at a time, each padded to the longest among them.

    The loss is read after every pass, as in public code.
    """
    network, device = model.network, model.device
    weights = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=0.0)
    mixed = torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
    for begin in range(0, len(rows), BATCH):
        batch, total = range(begin, min(begin + BATCH, len(rows))), 0.0
        for first in range(batch.start, batch.stop, size):
            some = rows[first : min(first + size, batch.stop)]
            longest = max(map(len, some))
            tokens = torch.tensor([[*row, *[0] * (longest - len(row))] for row in some])
            mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in some])
            with mixed:
                logits = network(tokens.to(device), mask.to(device))
                wanted = targets[first : first + len(some)]
                value = cross_entropy(logits, wanted, reduction="sum") / len(batch)
            value.backward()
            total += value.item()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()


def by_trainer(folder: Path, adaptation: str, device: torch.device) -> Any:
    """A function that finetunes by Transformers' Trainer with its usual settings for one epoch.

    It takes token rows and classes.
    """
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        PrinterCallback,
        Trainer,
        TrainingArguments,
    )
    from transformers.utils import logging

    logging.set_verbosity_error()
    half = device.type == "cuda" and adaptation == "lora"
    dtype = torch.bfloat16 if half else torch.float32
    model = drawn(AutoModelForSequenceClassification, str(folder), device, dtype)
    if adaptation == "lora":
        from peft import LoraConfig, TaskType, get_peft_model

        config = LoraConfig(
            task_type=TaskType.SEQ_CLS, r=16, lora_alpha=32, target_modules="all-linear"
        )
        model = get_peft_model(model, config)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.eos_token

    def run(rows: Sequence[Sequence[int]], classes: Sequence[int]) -> None:
        data = [
            {"input_ids": row, "attention_mask": [1] * len(row), "labels": label}
            for row, label in zip(rows, classes, strict=True)
        ]
        with tempfile.TemporaryDirectory() as out:
            settings = TrainingArguments(
                out,
                per_device_train_batch_size=8,
                gradient_accumulation_steps=BATCH // 8,
                num_train_epochs=1,
                learning_rate=RATE,
                bf16=device.type == "cuda",
                use_cpu=device.type == "cpu",
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                dataloader_pin_memory=device.type == "cuda",
            )
            trainer = Trainer(
                model, settings, DataCollatorWithPadding(tokenizer), train_dataset=data
            )
            trainer.remove_callback(PrinterCallback)
            trainer.train()

    return run
