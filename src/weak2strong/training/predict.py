"""Answers of a model for items, in batches of like length."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from weak2strong.models.batches import encode_items, micro_batches, pad
from weak2strong.models.heads import outputs_of_items, probed, read_outputs
from weak2strong.models.load import LoadedModel
from weak2strong.predictions import Predictions
from weak2strong.tasks.task import TEXTS, Item

INFERENCE_BUDGET = {"cpu": 512, "other": 32768}
"""Padded tokens of a batch without gradients. A CPU is three times as fast where
activations stay in its cache; an accelerator wants to be filled."""


def predict(model: LoadedModel, items: Sequence[Item]) -> Predictions:
    """The model's probabilities for every item."""
    rows = encode_items(model.tokenizer, items)
    ids = tuple(item.id for item in items)
    return Predictions(ids, predict_rows(model, rows), model.kind)


def predict_rows(model: LoadedModel, rows: Sequence[list[int]]) -> np.ndarray:
    """Probabilities (n, classes) for encoded texts, as many an item as its kind has."""
    outputs = _in_batches(model, rows, model.network, lambda x: x.cpu().numpy())
    return read_outputs(model.kind, outputs_of_items(model.kind, torch.from_numpy(outputs)))


def pooled_activations(model: LoadedModel, items: Sequence[Item]) -> np.ndarray:
    """What a probe sees of each item, (n, width) float32: the trunk's pooled last layer.

    Of a preference it is the second text's less the first's.
    """
    return probed(model.kind, pooled_rows(model, encode_items(model.tokenizer, items)))


def pooled_rows(model: LoadedModel, rows: Sequence[list[int]]) -> np.ndarray:
    """What the head sees of each encoded text, (texts, width) float32."""
    return _in_batches(model, rows, model.network.pooled, lambda x: x.float().cpu().numpy())


def _in_batches(
    model: LoadedModel,
    rows: Sequence[list[int]],
    run: Callable[[Tensor, Tensor], Tensor],
    read: Callable[[Tensor], np.ndarray],
) -> np.ndarray:
    """Run encoded texts through the network and put the answers back in order.

    Of items with several texts, every distinct one passes once, in an order that does not
    depend on whose it is: so its answer is the same to the bit wherever it stands.
    """
    if TEXTS[model.kind] > 1:
        place = {row: i for i, row in enumerate(sorted(set(map(tuple, rows))))}
        distinct = _once(model, [list(row) for row in place], run, read)
        return distinct[[place[tuple(row)] for row in rows]]
    return _once(model, rows, run, read)


def _once(
    model: LoadedModel,
    rows: Sequence[list[int]],
    run: Callable[[Tensor, Tensor], Tensor],
    read: Callable[[Tensor], np.ndarray],
) -> np.ndarray:
    answers: list[np.ndarray | None] = [None] * len(rows)
    budget = INFERENCE_BUDGET["cpu" if model.device.type == "cpu" else "other"]
    groups = micro_batches([len(r) for r in rows], budget)
    with torch.inference_mode(), model.autocast():
        for group in groups:
            batch = pad([rows[i] for i in group], model.tokenizer.pad_token_id, model.device)
            for i, answer in zip(group, read(run(*batch)), strict=True):
                answers[i] = answer
    return np.stack([a for a in answers if a is not None])
