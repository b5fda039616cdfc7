"""What a kept model answers to texts or images of a file or a task: a table by id, and scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.ground.file_names import real_path
from weak2strong.ground.metrics import metric_title, metrics_of
from weak2strong.models.reads import reads
from weak2strong.models.saved import kind_of, load_kept, read_about, spec_of
from weak2strong.tasks import TASKS
from weak2strong.tasks.answered_images import read_images
from weak2strong.tasks.files import columns_of, reading_of
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.readers import listed
from weak2strong.tasks.task import Inputs, Kind
from weak2strong.tasks.texts import Texts, read_texts
from weak2strong.training.predict import predict, rewards

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Answered:
    """The answers of a kept model.

    Attributes:
        table: a row a text or image: ``id``, of an image its ``path``, and ``probabilities`` of the
            classes or a ``reward``.
        scores: by metric, of the rows that have labels; empty where none has. A metric that needs
            labels of every class is left out where some class has none.
        labelled: how many these are.
        classes: of the model, in the order of the probabilities.
        what: what the rows are called: texts or images.
        said: how the file was read, and which rows and scores were left out.
    """

    table: pl.DataFrame
    scores: Mapping[str, float]
    labelled: int
    classes: Sequence[str]
    said: tuple[str, ...] = ()
    what: str = "texts"

    def csv(self) -> bytes:
        """The table as CSV: the most probable class, and a column a class with its probability."""
        if "probabilities" not in self.table.columns:
            return self.table.write_csv().encode()
        import polars as pl

        values = np.array(self.table["probabilities"].to_list()).reshape(-1, len(self.classes))
        answers = [self.classes[i] for i in values.argmax(1)]
        named = [pl.Series(f"p:{name}", values[:, i]) for i, name in enumerate(self.classes)]
        table = self.table.drop("probabilities")
        return table.with_columns(pl.Series("answer", answers), *named).write_csv().encode()


def answer(model: Path, task: str, options: DataOptions) -> Answered:
    """Let a kept model answer texts or images.

    Args:
        model: the folder of the model.
        task: a file, a folder of images, or the name of a registered task, all of whose examples
            are answered.
        options: columns of the file, and how it is read.

    Raises:
        UserError: where the folder holds no kept model, or the texts are not for it.
    """
    import polars as pl

    about = read_about(model)
    inputs = reads(spec_of(model, about))
    texts = _texts(task, kind_of(about), inputs, about["classes"], options)
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
    if texts.paths:
        table = table.insert_column(1, pl.Series("path", texts.paths))
    known = [i for i, label in enumerate(texts.labels) if label is not None]
    labels = np.array([texts.labels[i] for i in known], dtype=int)
    metrics = metrics_of(kind_of(about)) if known else {}
    scores = {name: float(score(values[known], labels)) for name, score in metrics.items()}
    missing = [name for i, name in enumerate(about["classes"]) if i not in labels]
    said = (*texts.said, *_left_out(scores, missing))
    scores = {name: score for name, score in scores.items() if not math.isnan(score)}
    title = SORTS[inputs].title
    return Answered(table, scores, len(known), tuple(about["classes"]), said, title)


def _left_out(scores: Mapping[str, float], missing: Sequence[str]) -> list[str]:
    """A sentence on the metrics that have no value."""
    names = [metric_title(name) for name, score in scores.items() if math.isnan(score)]
    if not names:
        return []
    return [
        f"Left out of the scores: {listed(names)}, which need labels of every class, and no label "
        f"is {' or '.join(map(repr, missing))}."
    ]


def _texts(
    task: str, kind: Kind, inputs: Inputs, classes: Sequence[str], options: DataOptions
) -> Texts:
    """The texts of a file, the images of a folder or list, or all examples of a registered task."""
    if inputs == "images" and (task not in TASKS or Path(task).exists()):
        return read_images(real_path(task), classes, options)
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
    if (found.kind, found.inputs) != (kind, inputs) or list(found.classes) != list(classes):
        raise UserError(
            f"Task {task} has other answers than the model was trained to give: name a file of "
            f"{SORTS[inputs].title}, or the task that it was trained on."
        )
    examples = found.load()
    labels = tuple(int(e.label) for e in examples)
    return Texts(tuple(e.item for e in examples), labels, paired=kind == "preference")
