"""What is asked of a trained model that is to be kept: its answers, and the writing of its
weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from weak2strong.config.model import ModelSpec
from weak2strong.ground.predictions import Predictions
from weak2strong.models.loaded import LoadedModel
from weak2strong.models.saved import save_kept
from weak2strong.tasks.task import Item
from weak2strong.training.lesson import answers

TRIED = 4
"""Items by which it is tried whether a class of Transformers gives the same outputs."""


def answers_of_kept(
    items: Mapping[str, Sequence[Item]], spec: ModelSpec, folder: Path, model: LoadedModel
) -> Mapping[str, Predictions]:
    """To ask a model with a head: its answers by split; the model as it gives them is written.

    Args:
        items: by split.
        spec: of which the model was made.
        folder: that the model is written to; there is none yet.
        model: whose training is over.
    """
    found = answers(items, model)
    tried = next(iter(items.values()))[:TRIED]
    save_kept(model, spec, model.reader.rows(tried), folder)
    return found
