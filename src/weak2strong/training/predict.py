"""Answers of a model to items, in batches of similar length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from weak2strong.ground.predictions import Predictions
from weak2strong.models.batches import encode_items, micro_batches
from weak2strong.models.heads import outputs_of_items, probed, read_outputs
from weak2strong.models.load import LoadedModel, Trainable
from weak2strong.models.packing import Packed
from weak2strong.tasks.task import TEXTS, Item, Kind
from weak2strong.training.pace import pace_of

INFERENCE_BUDGET = 512
"""Padded tokens of a batch without gradients on a CPU, which is three times as fast where
activations stay in its cache. Another device is fast where it is full, which is measured."""


def predict(model: LoadedModel, items: Sequence[Item]) -> Predictions:
    """The model's probabilities for every item."""
    ids = tuple(item.id for item in items)
    return Predictions(ids, predict_rows(model, encoded(model, items)), model.kind)


def encoded(model: LoadedModel, items: Sequence[Item]) -> list[list[int]]:
    """The token ids of the texts that the model reads, one item after another."""
    return encode_items(model.tokenizer, items)


def predict_rows(model: LoadedModel, rows: Sequence[list[int]]) -> np.ndarray:
    """Probabilities (n, classes) for encoded texts; an item has as many texts as its kind has."""
    outputs = _in_batches(model, rows, model.network.read, lambda x: x.cpu().numpy())
    return read_outputs(outputs_of_items(model.kind, torch.from_numpy(outputs)))


def rewards(model: LoadedModel, items: Sequence[Item]) -> np.ndarray:
    """The reward of the one text of each item, (n,) float64, by a model of preferences."""
    rows = encoded(model, items)
    outputs = _in_batches(model, rows, model.network.read, lambda x: x.cpu().numpy())
    return outputs[:, 0].astype(np.float64)


def pooled_activations(model: LoadedModel, items: Sequence[Item]) -> np.ndarray:
    """A probe's features of each item, (n, width) float32: the trunk's pooled last layer.

    For a preference they are those of the second text minus those of the first.
    """
    return probed(model.kind, pooled_rows(model, encoded(model, items)))


def pooled_rows(model: LoadedModel, rows: Sequence[list[int]]) -> np.ndarray:
    """The head's input for each encoded text, (texts, width) float32."""
    return _in_batches(model, rows, lambda pooled: pooled, lambda x: x.float().cpu().numpy())


def each_batch(
    model: Trainable,
    rows: Sequence[list[int]],
    use: Callable[[list[int], Tensor, Tensor | Packed], Callable[[], None]],
) -> None:
    """Call ``use`` for every batch with the positions of its texts, tokens and mask (b, t).

    What it returns reads what the model gave, and is called when the next batch is on its way, so
    that a device that works by itself does not wait for who reads.

    Where texts are packed, the tokens are one row, and a `Packed` stands for the mask.

    There are no gradients. Each of several ranks has its own batches, and as many as every other:
    one that only others need has no positions, and some text.
    """
    on_cpu = model.device.type == "cpu"
    budget = INFERENCE_BUDGET if on_cpu else pace_of(model, gradients=False).enough
    groups = micro_batches([len(r) for r in rows], budget, model.packing)
    read = _nothing
    with model.ranks.without_gradients(), model.autocast():
        for group in model.ranks.deal(groups):
            texts = [rows[i] for i in group or groups[0][:1]]
            read_before, read = read, use(group or [], *model.batch(texts))
            read_before()
        read()


def _nothing() -> None:
    """There is nothing to read yet."""


def once_each(
    kind: Kind, rows: Sequence[list[int]]
) -> tuple[Sequence[list[int]], list[int] | slice]:
    """The distinct rows, which the model reads, and for each given row its index among these.

    Where items have several texts, every distinct text is read once, in an order that does not
    depend on the items: so its answer is the same to the bit in whichever item it stands.
    """
    if TEXTS[kind] == 1:
        return rows, slice(None)
    index = {row: i for i, row in enumerate(sorted(set(map(tuple, rows))))}
    return [list(row) for row in index], [index[tuple(row)] for row in rows]


def _in_batches(
    model: LoadedModel,
    rows: Sequence[list[int]],
    run: Callable[[Tensor], Tensor],
    read: Callable[[Tensor], np.ndarray],
) -> np.ndarray:
    """Let encoded texts pass the trunk, run what is pooled, and put the outputs back in order."""
    distinct, indices = once_each(model.kind, rows)
    outputs: np.ndarray | None = None

    def keep(group: list[int], given: Tensor) -> None:
        nonlocal outputs
        of_batch = read(given)
        if outputs is None:
            outputs = np.zeros((len(distinct), *of_batch.shape[1:]), dtype=of_batch.dtype)
        outputs[group] = of_batch[: len(group)]

    def passed(group: list[int], tokens: Tensor, mask: Tensor | Packed) -> Callable[[], None]:
        texts = [distinct[i] for i in group]
        return partial(keep, group, run(model.pooled(texts, tokens, mask)))

    each_batch(model, distinct, passed)
    assert outputs is not None, "there is something to answer"
    return model.ranks.joined(outputs, model.device)[indices]
