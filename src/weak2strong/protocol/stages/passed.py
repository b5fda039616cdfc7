"""What the frozen trunk of a model of images gave before: the stages of its activations, by which a
head alone is trained and answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from weak2strong.config.model import ModelSpec
from weak2strong.models.image_types import is_weights_file
from weak2strong.models.layers import layers_of
from weak2strong.protocol.stages.finetuning import items_of
from weak2strong.protocol.stages.frozen import activations, all_activations
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.task import Item

if TYPE_CHECKING:
    from weak2strong.models.stored_states import StoredStates

TRUTH = "weak_train"
"""The split that a supervisor learns: its activations are a stage of their own."""


class Adapted(Protocol):
    """A model whose adaptation is known: what the user set, or what is guessed of it."""

    @property
    def name(self) -> str:
        """A hub id, a folder or a file."""
        ...

    @property
    def adaptation(self) -> str | None:
        """What of the model is trained."""
        ...


def passes_once(model: Adapted) -> bool:
    """Whether images pass the trunk of a model in a stage that all its trainings read.

    It is so where a head alone is trained; not for AlexNet, whose file does not say which layers it
    has.
    """
    return model.adaptation == "head" and not is_weights_file(ModelSpec(model.name))


def passed_before(
    task_run: TaskRun, model: ModelSpec, items: Iterable[Item]
) -> StoredStates | None:
    """What a head alone reads of items, from the stages that probes read, too.

    Each image passes the trunk once, whatever the seeds, methods and losses. The splits of
    `PREDICTED` are a stage, and `TRUTH` is another one, which only supervisors and searches for
    rates need. None where they are no stages (see `passes_once`).
    """
    if not passes_once(model):
        return None
    from weak2strong.models.stored_states import StoredStates

    asked, found = {item.id for item in items}, {}
    own = {item.id for item in task_run.splits.items(TRUTH)}
    if asked & own:
        last = layers_of(model)
        found |= all_activations(task_run, model, [last], (TRUTH,))[last]
    if asked - own:
        found |= activations(task_run, model, "last")
    contents = {i.id: i.text for of in items_of(task_run, tuple(found)).values() for i in of}
    places = {
        contents[id]: (part, row)
        for part, split in enumerate(found)
        for row, id in enumerate(found[split].ids)
    }
    return StoredStates(tuple(of.values for of in found.values()), places)
