"""Pretrains one rung on the packed stream, restartable from its last checkpoint.

The stream is read in order and nothing is drawn at random after the weights
are initialised, so a restarted rung ends with the weights of an undisturbed one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.subjects.atlas.ladder.rungs import Recipe, Rung
from weak2strong.training.schedule import rate_factor

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

CHECKPOINT_STEPS = 500

_BEGINNING = {"step": 0, "seconds": 0.0, "loss": float("nan")}


def new_model(rung: Rung, recipe: Recipe) -> LlamaForCausalLM:
    """The rung with fresh weights, the same at every call."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=recipe.vocabulary,
        hidden_size=rung.width,
        intermediate_size=3 * rung.width,
        num_hidden_layers=rung.layers,
        num_attention_heads=rung.heads,
        num_key_value_heads=rung.heads,
        max_position_embeddings=recipe.context,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
        initializer_range=rung.width**-0.5 / 2,
    )
    return LlamaForCausalLM(config)


def pretrain(
    rung: Rung,
    recipe: Recipe,
    stream: np.ndarray,
    folder: Path,
    report: Callable[[int, float], None] = lambda step, loss: None,
    checkpoint_steps: int = CHECKPOINT_STEPS,
) -> dict:
    """Train a rung to the end, save it in half precision, and return its record.

    Args:
        rung: which model.
        recipe: the shared settings.
        stream: token ids, at least ``recipe.tokens`` of them.
        folder: receives ``config.json`` and ``model.safetensors``; while
            training it holds ``checkpoint.safetensors``.
        report: called with the step and the loss now and then.
        checkpoint_steps: steps between two checkpoints.

    Returns:
        Parameters, steps, tokens, seconds (over all restarts) and final loss.
    """
    import torch
    import torch.nn.functional as F

    from weak2strong.models.border import hide_progress_bars
    from weak2strong.training.checkpoint import load_checkpoint, save_checkpoint

    hide_progress_bars()
    folder.mkdir(parents=True, exist_ok=True)
    model = new_model(rung, recipe).train()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=rung.learning_rate,
        betas=(0.9, 0.95),
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    kept = folder / "checkpoint.safetensors"
    notes, _ = load_checkpoint(kept, model, optimizer) or (_BEGINNING, {})
    step, spent, loss = notes["step"], notes["seconds"], notes["loss"]
    block = recipe.context * recipe.batch
    begun = time.monotonic()
    while step < recipe.steps:
        batch = stream[step * block : (step + 1) * block].astype(np.int64)
        tokens = torch.from_numpy(batch).view(recipe.batch, recipe.context)
        # bfloat16 products are 1.6 times as fast at width 128; weights and their sums are float32.
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=tokens, use_cache=False).logits
        value = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), tokens[:, 1:].flatten())
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rung.learning_rate * rate_factor(
                step, recipe.steps, "cosine", recipe.warmup, recipe.final_rate
            )
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step % 50 == 0 or step == recipe.steps:
            loss = value.item()
            report(step, loss)
        if step % checkpoint_steps == 0:
            seconds = spent + time.monotonic() - begun
            notes = {"step": step, "seconds": seconds, "loss": value.item()}
            save_checkpoint(kept, model, optimizer, notes)
    seconds = spent + time.monotonic() - begun
    parameters = sum(p.numel() for p in model.parameters())
    model.half().save_pretrained(folder)
    # Half precision is for the file only: whoever loads it computes in float32.
    config = json.loads((folder / "config.json").read_text())
    config["dtype"] = "float32"
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    kept.unlink(missing_ok=True)
    return {
        **asdict(rung),
        "parameters": parameters,
        "steps": recipe.steps,
        "tokens": recipe.steps * block,
        "seconds": round(seconds, 1),
        "loss": round(loss, 4),
    }
