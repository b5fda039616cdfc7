"""Activations of the layers of a model, one vector for each item and layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from torch import Tensor

from weak2strong.config.model import ModelSpec, Pooling
from weak2strong.models.heads import probed
from weak2strong.models.layers import layer_count
from weak2strong.models.load import load_model
from weak2strong.models.loaded import LoadedModel
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.models.reader import Batch
from weak2strong.tasks.task import Item, Kind
from weak2strong.training.predict import each_batch, once_each


def pretrained_activations(
    spec: ModelSpec,
    kind: Kind,
    items: Mapping[str, Sequence[Item]],
    layers: Sequence[int],
    *,
    on_step: Callable[[int, int], None],
    ranks: Ranks = ALONE,
    token_budget: int | None = None,
) -> Mapping[str, Mapping[int, np.ndarray]]:
    """The activations of a pretrained model by split, by one process or several together.

    Args:
        spec: of which nothing is trained.
        kind: of the task.
        items: by split.
        layers: as in `layer_activations`.
        on_step: not called: nothing is trained.
        ranks: the processes that hold the model together.
        token_budget: not used, likewise.
    """
    # The head is not read, whatever the number of classes.
    model = load_model(spec, kind, 2, 0, ranks)
    return {split: layer_activations(model, of_split, layers) for split, of_split in items.items()}


def layer_activations(
    model: LoadedModel, items: Sequence[Item], layers: Sequence[int], pooling: Pooling = "auto"
) -> dict[int, np.ndarray]:
    """Pooled states ``(n, width)`` in float32 of the items at each layer, in one pass.

    The batches are those of `predict`, and for the last layer (after the final norm) the result
    equals `pooled_activations` to the bit. Memory holds the states of all tokens for one batch
    at a time, and the pooled states for all items.

    Args:
        model: of any adaptation.
        items: that the model reads.
        layers: numbers from 0, the embeddings, to the number of layers (see `layer_number`).
        pooling: ``auto`` is the network's own.

    Raises:
        ValueError: for a layer that is not there.
    """
    count = layer_count(model)
    for layer in layers:
        if not 0 <= layer <= count:
            raise ValueError(f"layer {layer} is none of 0 to {count}")
    rows, indices = once_each(model.kind, model.reader.rows(items))
    pooled = dict[int, np.ndarray]()

    def keep(group: list[int], of_batch: Sequence[Tensor]) -> None:
        for layer, states_bd in zip(layers, of_batch, strict=True):
            # Some models make their last states narrower than those of the layers before.
            if layer not in pooled:
                pooled[layer] = np.zeros((len(rows), states_bd.shape[1]), dtype=np.float32)
            pooled[layer][group] = states_bd[: len(group)].float().cpu().numpy()

    def passed(group: list[int], batch: Batch) -> Callable[[], None]:
        return partial(keep, group, model.network.pooled_layers(batch, layers, pooling))

    each_batch(model, rows, passed)
    joined = {layer: model.ranks.joined(values, model.device) for layer, values in pooled.items()}
    return {layer: probed(model.kind, values[indices]) for layer, values in joined.items()}
