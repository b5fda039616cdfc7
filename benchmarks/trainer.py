"""Transformers' own Trainer with its usual settings, on the networks of this package."""

import tempfile
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from weak2strong.config.training import Training
from weak2strong.models.loaded import LoadedModel
from weak2strong.training.training_set import TrainingSet

EACH = 8
"""Examples at a time, as the Trainer has by default."""


class WithLoss(nn.Module):
    """A network that gives the loss of its batch, as the Trainer asks of it."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Loss and logits."""
        logits = self.network(input_ids, attention_mask)
        return {"loss": cross_entropy(logits, labels), "logits": logits}


def train(model: LoadedModel, texts: TrainingSet, training: Training) -> float:
    """Finetune a model in place; returns the mean loss.

    Args:
        model: float32.
        texts: with hard labels.
        training: of which size of batches, rate, schedule and clipping are taken.
    """
    from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainingArguments
    from transformers.utils import logging

    logging.set_verbosity_error()
    rows = model.tokenizer([item.text for item in texts.items])["input_ids"]
    labels = np.asarray(texts.targets).argmax(1)
    data: Any = [
        {"input_ids": row, "labels": int(label)} for row, label in zip(rows, labels, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=EACH,
            gradient_accumulation_steps=training.batch // EACH,
            num_train_epochs=1,
            learning_rate=training.learning_rate or 0.0,
            lr_scheduler_type="cosine",
            adam_beta2=training.beta2,
            max_grad_norm=training.clip,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=model.device.type == "cpu",
        )
        collate = DataCollatorWithPadding(model.tokenizer)
        trainer = Trainer(WithLoss(model.network), arguments, collate, data)
        trainer.remove_callback(PrinterCallback)
        return trainer.train().training_loss
