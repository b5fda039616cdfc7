"""Answers of a model to items, in batches of similar length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from weak2strong.ground.predictions import Predictions
from weak2strong.models.batches import micro_batches, on_device
from weak2strong.models.heads import outputs_of_items, probed, read_outputs
from weak2strong.models.loaded import LoadedModel, Trainable
from weak2strong.models.reader import Batch, Given, Row
from weak2strong.tasks.task import TEXTS, Item, Kind
from weak2strong.training.pace import pace_of

INFERENCE_BUDGET = 512
"""Padded tokens of a batch without gradients on a CPU, which is three times as fast where
activations stay in its cache. Another device is fast where it is full, which is measured."""


def predict(model: LoadedModel, items: Sequence[Item]) -> Predictions:
    """The model's probabilities for every item."""
    ids = tuple(item.id for item in items)
    return Predictions(ids, predict_rows(model, model.reader.rows(items)), model.kind)


def predict_rows(model: LoadedModel, rows: Sequence[Row]) -> np.ndarray:
    """Probabilities (n, classes) for rows of the model's reader; an item has as many of them as its
    kind has texts."""
    outputs = _in_batches(model, rows, model.network.read, lambda x: x.cpu().numpy())
    return read_outputs(outputs_of_items(model.kind, torch.from_numpy(outputs)))


def rewards(model: LoadedModel, items: Sequence[Item]) -> np.ndarray:
    """The reward of the one text of each item, (n,) float64, by a model of preferences."""
    rows = model.reader.rows(items)
    outputs = _in_batches(model, rows, model.network.read, lambda x: x.cpu().numpy())
    return outputs[:, 0].astype(np.float64)


def pooled_activations(model: LoadedModel, items: Sequence[Item]) -> np.ndarray:
    """A probe's features of each item, (n, width) float32: the trunk's pooled last layer.

    For a preference they are those of the second text minus those of the first.
    """
    return probed(model.kind, pooled_rows(model, model.reader.rows(items)))


def pooled_rows(model: LoadedModel, rows: Sequence[Row]) -> np.ndarray:
    """The head's input for each row, (rows, width) float32."""
    return _in_batches(model, rows, lambda pooled: pooled, lambda x: x.float().cpu().numpy())


def each_batch(
    model: Trainable,
    rows: Sequence[Row],
    use: Callable[[list[int], Batch], Callable[[], None]],
    given: Given | None = None,
) -> None:
    """Call ``use`` for every batch with the positions of its rows, and what the network is called
    with.

    What it returns reads what the model gave, and is called when the next batch is on its way, so
    that a device that works by itself does not wait for who reads. Where what the trunk gives of
    the rows is ``given``, a batch is that alone, and no row is made into what the network reads.

    There are no gradients. Each of several ranks has its own batches, and as many as every other:
    one that only others need has no positions, and some row.
    """
    if model.device.type == "cpu" or given is not None:
        budget = INFERENCE_BUDGET
    else:
        budget = pace_of(model, gradients=False).enough
    costs = [len(r) for r in rows] if given is None else [1] * len(given)
    groups = micro_batches(costs, budget, model.packing)
    read = _nothing
    with model.ranks.without_gradients(), model.autocast():
        for group in model.ranks.deal(groups):
            places = group or groups[0][:1]
            if given is None:
                batch = model.batch([rows[i] for i in places])
            else:
                inputs = torch.from_numpy(given.at(np.array(places)))
                batch = (on_device(inputs, model.device),)
            read_before, read = read, use(group or [], batch)
            read_before()
        read()


def _nothing() -> None:
    """There is nothing to read yet."""


def once_each(kind: Kind, rows: Sequence[Row]) -> tuple[Sequence[Row], list[int] | slice]:
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
    rows: Sequence[Row],
    run: Callable[[Tensor], Tensor],
    read: Callable[[Tensor], np.ndarray],
) -> np.ndarray:
    """Let rows pass the trunk, if what it gives is not there already, run what is pooled, and put
    the outputs back in order."""
    distinct, indices = once_each(model.kind, rows)
    given = model.reader.given(distinct)
    outputs: np.ndarray | None = None

    def keep(group: list[int], given: Tensor) -> None:
        nonlocal outputs
        of_batch = read(given)
        if outputs is None:
            outputs = np.zeros((len(distinct), *of_batch.shape[1:]), dtype=of_batch.dtype)
        outputs[group] = of_batch[: len(group)]

    def passed(group: list[int], batch: Batch) -> Callable[[], None]:
        if given is not None:
            return partial(keep, group, run(batch[0]))
        return partial(keep, group, run(model.pooled([distinct[i] for i in group], batch)))

    each_batch(model, distinct, passed, given)
    assert outputs is not None, "there is something to answer"
    return model.ranks.joined(outputs, model.device)[indices]
