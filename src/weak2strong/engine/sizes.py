"""How much data a task of a study holds, as far as that is known without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UnknownNameError, UserError
from weak2strong.ground.hub import offline
from weak2strong.ground.weak_labels import check_weak_labels
from weak2strong.models.given import is_given
from weak2strong.models.reads import reads_words
from weak2strong.protocol.resolve import check_metrics, check_task, common_metric, splits_of
from weak2strong.protocol.stages.labels import labels_in_file
from weak2strong.tasks import TASKS
from weak2strong.tasks.files import sizes_of
from weak2strong.tasks.find import find_task, find_tasks, path_of, source_of
from weak2strong.tasks.kinds import learnt_item
from weak2strong.tasks.reading import names_data
from weak2strong.tasks.sizes import DEFAULT, shrunk
from weak2strong.tasks.splits import SPLITS, Splits
from weak2strong.tasks.task import TEXTS, Inputs, Item, Kind, Task

TOKENS = 128
"""The assumed length of a text where the text or the tokenizer is not on this machine."""

SAMPLE = 1000
"""Texts of a task whose tokens are counted."""


@dataclass(frozen=True)
class TaskSize:
    """What a task holds.

    Attributes:
        name: of the task, or the user's name of it where it is not here.
        here: whether its examples are on this machine.
        examples: by split; where the task is not here the largest possible number, and
            None where that is not known.
        tokens: mean tokens of an example as a model learns it, all its texts, by the model's name.
        counted: names of the models whose tokens were counted, not assumed.
        classes: how many; two where the task is not here.
        kind: of the task; a classification where it is not here.
        inputs: what its items are; texts where it is not here.
    """

    name: str
    here: bool
    examples: Mapping[str, int | None]
    tokens: Mapping[str, float]
    counted: tuple[str, ...]
    classes: int
    kind: Kind = "classification"
    inputs: Inputs = "text"

    @property
    def is_known(self) -> bool:
        """Whether the sizes of all splits are known."""
        return None not in self.examples.values()

    def together(self, *splits: str) -> int | None:
        """Examples of some splits together; None where one of them is not known."""
        known = [n for split in splits if (n := self.examples[split]) is not None]
        return sum(known) if len(known) == len(splits) else None


def tasks_here(config: StudyConfig, references: Sequence[str]) -> list[Task]:
    """The tasks of a study that are on this machine; what is wrong with others is said later."""
    found = list[Task]()
    for reference in references:
        with offline(), suppress(UserError):
            found.append(find_task(reference, config.data))
    return found


def has_own_elsewhere(references: Sequence[str], here: Sequence[Task]) -> bool:
    """Whether all tasks are the user's own, none of them registered by a room or a plugin, and some
    of them not on this machine, but perhaps on the hub.

    Args:
        references: of all tasks.
        here: those of the tasks that are on this machine.
    """
    if len(here) == len(references) or any(name in TASKS for name in references):
        return False
    return not any(name.startswith((".", "/", "~")) for name in references)


def task_sizes(config: StudyConfig, references: Sequence[str]) -> list[TaskSize]:
    """The sizes of the tasks of a study, in order.

    Raises:
        UserError: for an unknown name, or where something is wrong with data that are here.
    """
    local = {reference: _local_task(config, reference) for reference in references}
    for reference, found in local.items():
        _check(config, reference, found)
    if None not in local.values():
        # Checks that no two tasks have one name, and that every option is used by a task.
        with offline():
            common_metric(find_tasks(references, config.data))
    return [
        _local_size(config, *task) if task else _remote_size(config, reference)
        for reference, task in ((reference, local[reference]) for reference in references)
    ]


def _local_task(config: StudyConfig, reference: str) -> tuple[Task, Splits] | None:
    """A task and its splits; None where that takes a network."""
    try:
        with offline():
            task = find_task(reference, config.data).about(config.entities)
            return task, splits_of(config, task)
    except UnknownNameError:
        raise
    except UserError:
        # Faults of data that are here are errors; other data may only be elsewhere.
        if _is_local(reference):
            raise
        return None


def _check(config: StudyConfig, reference: str, found: tuple[Task, Splits] | None) -> None:
    """Check a task as a run does; of one that is not here, what its source says of it."""
    if found is not None:
        check_task(config, found[0])
        if config.weak_labels:
            labels_in_file(config.weak_labels, reference, *found)
        return
    source = source_of(reference)
    if config.weak_labels:
        check_weak_labels(config.weak_labels, (source.kind,) if source else get_args(Kind))
    if source:
        check_metrics(config, source.kind)


def _is_local(reference: str) -> bool:
    if source := source_of(reference):
        return source.is_local(path_of(source, reference))
    # The hub has no dataset of the name of a file.
    named = Path(reference).expanduser()
    return reference in TASKS or named.exists() or names_data(reference)


def _remote_size(config: StudyConfig, reference: str) -> TaskSize:
    """The size of a task that is not here."""
    source = source_of(reference)
    each = TOKENS * (TEXTS[source.kind] if source else 1)
    tokens = dict.fromkeys((config.weak.name, config.strong.name), float(each))
    return TaskSize(reference, False, _expected_sizes(config.data, reference), tokens, (), 2)


def _local_size(config: StudyConfig, task: Task, splits: Splits) -> TaskSize:
    """The size of a task that is here."""
    examples = {split: len(splits.examples(split)) for split in SPLITS}
    items = [learnt_item(task.kind, e) for split in SPLITS for e in splits.examples(split)]
    sample = items[:: -(-len(items) // SAMPLE)]
    counts = {m.name: _mean_tokens(m, sample) for m in (config.weak, config.strong)}
    counted = tuple(name for name, n in counts.items() if n is not None)
    each = TOKENS * TEXTS[task.kind]
    tokens = {name: each if n is None else n for name, n in counts.items()}
    return TaskSize(
        task.name, True, examples, tokens, counted, len(task.classes), task.kind, task.inputs
    )


def _expected_sizes(data: DataOptions, reference: str) -> dict[str, int | None]:
    """The sizes of splits that are not here: the user's, or those that published rows allow."""
    source, sizes = source_of(reference), sizes_of(data)
    if source is None or source.rows is None:
        return {split: sizes.get(split) for split in SPLITS}
    total = min(source.rows, source.most or source.rows)
    if data.shrink:
        sizes = shrunk(sizes, total, len(source.classes))
    others = {split: DEFAULT[split] for split in SPLITS if split not in sizes}
    rest = max(0, total - sum(sizes.values())) / (sum(others.values()) or 1)
    return {s: sizes[s] if s in sizes else round(rest * others[s]) for s in SPLITS}


def _mean_cost(model: ModelSpec, items: Sequence[Item]) -> float | None:
    """What an image costs a model; None where the model's processor is not here."""
    from weak2strong.models.image_reader import reader_of_images

    try:
        with offline():
            return float(reader_of_images(model).longest)
    except UserError:
        return None


def _mean_tokens(model: ModelSpec, items: Sequence[Item]) -> float | None:
    """Mean tokens that a model reads of some items; None where its tokenizer is not here."""
    if is_given(model):
        return 1.0
    if not reads_words(model):
        return _mean_cost(model, items)
    from weak2strong.models.batches import encode_items
    from weak2strong.models.configuration import load_tokenizer

    try:
        with offline():
            tokenizer = load_tokenizer(model)
    except UserError:
        return None
    return sum(map(len, encode_items(tokenizer, items))) / len(items)
