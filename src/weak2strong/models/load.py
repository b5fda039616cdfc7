"""Loading a model with a fresh head, whatever it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from weak2strong.config.model import ModelSpec
from weak2strong.models.reads import reads
from weak2strong.tasks.task import Inputs, Kind

if TYPE_CHECKING:
    from weak2strong.models.loaded import LoadedModel
    from weak2strong.models.ranks import Ranks


Loader = Callable[[ModelSpec, Kind, int, int, "Ranks"], "LoadedModel"]
"""Loads a model, as `load_model` does."""


def _of_texts(spec: ModelSpec, kind: Kind, classes: int, seed: int, ranks: Ranks) -> LoadedModel:
    from weak2strong.models.text_model import load_text_model

    return load_text_model(spec, kind, classes, seed, ranks)


def _of_features(spec: ModelSpec, kind: Kind, classes: int, seed: int, ranks: Ranks) -> LoadedModel:
    from weak2strong.models.features import load_features

    return load_features(spec, kind, classes, seed, ranks)


def _of_images(spec: ModelSpec, kind: Kind, classes: int, seed: int, ranks: Ranks) -> LoadedModel:
    from weak2strong.models.image_model import load_image_model

    return load_image_model(spec, kind, classes, seed, ranks)


LOADERS: Mapping[Inputs, Loader] = {
    "text": _of_texts,
    "features": _of_features,
    "images": _of_images,
}
"""How models are loaded, by what they read."""


def loader_of(spec: ModelSpec) -> Loader:
    """What loads a model: for keys of stages that `load_model` takes part in."""
    return LOADERS[reads(spec)]


def load_model(
    spec: ModelSpec, kind: Kind, classes: int, seed: int, ranks: Ranks | None = None
) -> LoadedModel:
    """Load a model, adapted as asked for, with a fresh head drawn from the seed.

    Dropout stays off (the network is in evaluation mode) but where a training
    asks for it.

    Args:
        spec: the model.
        kind: of the task that the head is for.
        classes: how many the task has.
        seed: of the first weights of head and adapters.
        ranks: that hold it together, if there are several; the trunk is cut over them, and each has
            the whole head and all adapters.

    Raises:
        UserError: where the model cannot be loaded, or does not go with the task.
    """
    from weak2strong.models.ranks import ALONE

    return loader_of(spec)(spec, kind, classes, seed, ranks or ALONE)
