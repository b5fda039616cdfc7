"""Two networks that read small grey pictures, pretrained on characters that nobody uses.

They learn to tell apart the characters of an invented alphabet (`drawings`), and never see a digit,
nor a label of one: what they know of writing is what strokes have in common. One thread trains one,
so that its numbers are the same on every run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.ground.whole import write_whole
from weak2strong.subjects.digits.drawings import DARKEST, SIDE, alphabet, written
from weak2strong.training.schedule import rate_factor

if TYPE_CHECKING:
    import torch

CARD_FILE = "card.json"

PATCH = 2
"""Pixels of a side of a patch."""

AT_ONCE = 2000
"""Pictures that are drawn together."""

TESTED = 4000
"""Pictures by other hands, by which a trained network is examined."""


@dataclass(frozen=True)
class NetworkPlan:
    """Size and schooling of one network (ViT layout, without a pooler)."""

    name: str
    width: int
    layers: int
    heads: int
    characters: int
    """How many characters its alphabet has."""
    pictures: int
    """How many pictures it sees in an epoch, the same in each."""
    epochs: int
    learning_rate: float
    seed: int
    strokes: int = 3
    batch: int = 128
    warmup: float = 0.1
    weight_decay: float = 0.01

    @property
    def steps(self) -> int:
        """Optimiser steps; a last part that does not fill a batch is left out."""
        return self.epochs * (self.pictures // self.batch)


PLANS = (
    NetworkPlan("digits-s", 16, 2, 2, 60, 20_000, 4, 3e-3, seed=0),
    NetworkPlan("digits-l", 48, 4, 4, 400, 60_000, 6, 2e-3, seed=1),
)
"""The weak one and the strong one."""


def new_model(plan: NetworkPlan) -> Any:
    """The network with fresh weights, the same at every call."""
    import torch
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(plan.seed)
    config = ViTConfig(
        image_size=SIDE,
        patch_size=PATCH,
        num_channels=1,
        hidden_size=plan.width,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        intermediate_size=2 * plan.width,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return ViTModel(config, add_pooling_layer=False)


def lesson(plan: NetworkPlan) -> tuple[np.ndarray, ...]:
    """Pictures to learn from (n, 8, 8) with the number of their character (n,), and to be examined
    by, by other hands."""
    draws = np.random.default_rng(plan.seed)
    characters = alphabet(plan.characters, plan.strokes, draws)

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        which = draws.integers(0, plan.characters, count)
        parts = [which[i : i + AT_ONCE] for i in range(0, count, AT_ONCE)]
        return np.concatenate([written(characters[part], draws) for part in parts]), which

    return *drawn(plan.pictures), *drawn(TESTED)


def train_network(
    plan: NetworkPlan,
    folder: Path,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> dict[str, Any]:
    """Train a network, save it in half precision with its image processor, and return its record.

    Args:
        plan: which network.
        folder: receives ``config.json``, ``model.safetensors`` and ``preprocessor_config.json``.
        report: called with the step and the loss now and then.

    Returns:
        The plan, parameters, seconds, the last loss, and the share of new pictures whose character
        it tells.
    """
    import torch
    import torch.nn.functional as F

    begun = time.monotonic()
    pictures, which, others, theirs = lesson(plan)
    seen, truth = _pixels(pictures), torch.from_numpy(which)
    model = new_model(plan).train()
    head = torch.nn.Linear(plan.width, plan.characters)
    parameters = [*model.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, lr=plan.learning_rate, betas=(0.9, 0.95), weight_decay=plan.weight_decay
    )
    order, step, loss = np.random.default_rng(plan.seed + 1), 0, torch.zeros(())
    while step < plan.steps:
        at = order.permutation(plan.pictures)
        for batch in at[: plan.pictures // plan.batch * plan.batch].reshape(-1, plan.batch):
            for group in optimizer.param_groups:
                factor = rate_factor(step, plan.steps, "cosine", plan.warmup)
                group["lr"] = plan.learning_rate * factor
            chosen = torch.from_numpy(batch)
            loss = F.cross_entropy(head(model(pixel_values=seen[chosen])[0][:, 0]), truth[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
            if step % 50 == 0:
                report(step, loss.item())
    model.eval()
    with torch.no_grad():
        said = head(model(pixel_values=_pixels(others))[0][:, 0]).argmax(1).numpy()
    save(model, folder)
    return {
        **asdict(plan),
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": plan.steps,
        "seconds": round(time.monotonic() - begun, 1),
        "loss": round(loss.item(), 4),
        "told": round(float((said == theirs).mean()), 4),
    }


def _pixels(pictures: np.ndarray) -> torch.Tensor:
    """Pictures, dark on white, as the image processor writes them: from -1 to 1, (n, 1, 8, 8)."""
    import torch

    # By way of whole numbers up to 255, as an image has them.
    eight_bits = ((DARKEST - pictures.astype(np.float32)) * 255 / DARKEST).round()
    return torch.from_numpy(eight_bits[:, None] / 127.5 - 1)


def save(model: Any, folder: Path) -> None:
    """Write a network in half precision, with the processor of its images."""
    from transformers import ViTImageProcessorPil

    from weak2strong.models.border import hide_progress_bars, quiet

    hide_progress_bars()
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        model.half().save_pretrained(folder)
        ViTImageProcessorPil(
            size={"height": SIDE, "width": SIDE}, image_mean=[0.5], image_std=[0.5]
        ).save_pretrained(folder)
    # Half precision is for the file only: whoever loads it computes in float32.
    config = json.loads((folder / "config.json").read_text())
    config["dtype"] = "float32"
    write_whole(folder / "config.json", json.dumps(config, indent=2, sort_keys=True) + "\n")


def build(
    folder: Path, report: Callable[[str, int, int, float], None] = lambda *said: None
) -> dict[str, Any]:
    """Train all networks below a folder, one after another, and write their card.

    Args:
        folder: receives a folder each, and ``card.json``.
        report: called with a network's name, step, number of steps and loss.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        records = [
            train_network(
                plan,
                folder / plan.name,
                lambda step, loss, plan=plan: report(plan.name, step, plan.steps, loss),
            )
            for plan in PLANS
        ]
    finally:
        torch.set_num_threads(before)
    card = {"networks": records}
    write_whole(folder / CARD_FILE, json.dumps(card, indent=2) + "\n")
    return card
