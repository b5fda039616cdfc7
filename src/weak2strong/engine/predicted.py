"""What a kept model answers to the texts of a file or a task: a table by id, and its scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric_title, metrics_of
from weak2strong.models.saved import kind_of, load_kept, read_about
from weak2strong.tasks import TASKS
from weak2strong.tasks.files import columns_of, reading_of
from weak2strong.tasks.readers import listed
from weak2strong.tasks.task import Kind
from weak2strong.tasks.texts import Texts, read_texts
from weak2strong.training.predict import predict, rewards

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Answered:
    """The answers of a kept model.

    Attributes:
        table: a row a text: ``id``, and ``probabilities`` of the classes or a ``reward``.
        scores: by metric, of the rows that have labels; empty where none has. A metric that needs
            labels of every class is left out where some class has none.
        labelled: how many these are.
        classes: of the model, in the order of the probabilities.
        said: how the file was read, and which rows and scores were left out.
    """

    table: pl.DataFrame
    scores: Mapping[str, float]
    labelled: int
    classes: Sequence[str]
    said: tuple[str, ...] = ()


def answer(model: Path, task: str, options: DataOptions) -> Answered:
    """Let a kept model answer texts.

    Args:
        model: the folder of the model.
        task: a file, or the name of a registered task, all of whose examples are answered.
        options: columns of the file, and how it is read.

    Raises:
        UserError: where the folder holds no kept model, or the texts are not for it.
    """
    import polars as pl

    about = read_about(model)
    texts = _texts(task, kind_of(about), about["classes"], options)
    loaded = load_kept(model)
    once = list({item.id: item for item in texts.items}.values())
    ids = [item.id for item in texts.items]
    if loaded.kind == "preference" and not texts.paired:
        of = dict(zip((item.id for item in once), rewards(loaded, once).tolist(), strict=True))
        table = pl.DataFrame({"id": ids, "reward": [of[id] for id in ids]})
        return Answered(table, {}, 0, (), texts.said)
    values = predict(loaded, once).at(ids)
    schema = {"id": pl.String, "probabilities": pl.List(pl.Float64)}
    table = pl.DataFrame({"id": ids, "probabilities": values.tolist()}, schema=schema)
    known = [i for i, label in enumerate(texts.labels) if label is not None]
    labels = np.array([texts.labels[i] for i in known], dtype=int)
    metrics = metrics_of(kind_of(about)) if known else {}
    scores = {name: float(score(values[known], labels)) for name, score in metrics.items()}
    missing = [name for i, name in enumerate(about["classes"]) if i not in labels]
    said = (*texts.said, *_left_out(scores, missing))
    scores = {name: score for name, score in scores.items() if not math.isnan(score)}
    return Answered(table, scores, len(known), tuple(about["classes"]), said)


def _left_out(scores: Mapping[str, float], missing: Sequence[str]) -> list[str]:
    """A sentence on the metrics that have no value."""
    names = [metric_title(name) for name, score in scores.items() if math.isnan(score)]
    if not names:
        return []
    return [
        f"Left out of the scores: {listed(names)}, which need labels of every class, and no label "
        f"is {' or '.join(map(repr, missing))}."
    ]


def _texts(task: str, kind: Kind, classes: Sequence[str], options: DataOptions) -> Texts:
    """The texts of a file, or all examples of a registered task."""
    if task not in TASKS or Path(task).is_file():
        reading = reading_of(options)
        columns = columns_of(options)
        return read_texts(Path(task), kind, classes, columns, reading, options.strict_rows)
    if options != DataOptions():
        raise UserError(
            f"Task {task} is not read from a file, so that columns, --template, --encoding and the "
            "like mean nothing: leave them out, or name a file with --task."
        )
    found = TASKS.get(task)
    if found.kind != kind or list(found.classes) != list(classes):
        raise UserError(
            f"Task {task} has other answers than the model was trained to give: name a file of "
            "texts, or the task that it was trained on."
        )
    examples = found.load()
    labels = tuple(int(e.label) for e in examples)
    return Texts(tuple(e.item for e in examples), labels, paired=kind == "preference")
