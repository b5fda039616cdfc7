"""Texts of test examples that show what students do with errors of their supervisor.

A run's predictions hold only ids. ``examples.parquet`` adds the texts, or small pictures of the
images, of a bounded number of test examples: where students corrected their supervisor, where they
imitated its error, where they lost a right label, and, with more than two answers, where they made
an error of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

from weak2strong.ground.folder import FolderFiles
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.answers import with_correctness
from weak2strong.tasks.task import Item

if TYPE_CHECKING:
    import polars as pl

FILE = "examples.parquet"

CORRECTED, IMITATED, LOST, ERRED = "corrected", "imitated", "lost", "erred"
OUTCOMES = (CORRECTED, IMITATED, LOST, ERRED)
"""The supervisor was wrong and the student right; both gave the same wrong answer (texts are the
same if the study's metric takes them for the same); the supervisor was right and the student
wrong; both were wrong in different ways."""

KEPT = 20
"""Examples a task and outcome whose texts are kept."""

LONGEST = 500
"""Characters of a text that are kept."""


def outcomes(predictions: pl.DataFrame, on: str | None = None) -> pl.DataFrame:
    """What students did with the supervisor's answers of the first seed, a row for each outcome.

    Args:
        predictions: of a run (see `weak2strong.engine.record`).
        on: name of the study's metric; the usual one if None.

    Returns:
        Columns task, id, outcome, methods (whose students did so), label, supervisor (its
        answer: a class index or a text) and student (the answer of the first of the methods).
        Rows of one task and outcome are sorted by the number of methods, the largest first, then
        by id.
    """
    import polars as pl

    first = with_correctness(predictions.filter(pl.col("seed") == 0), on)
    written = "answer" in first.columns
    first = first.with_columns(answer=pl.col("answer" if written else "said"))
    floor = first.filter(role="floor").select(
        "task", "id", supervisor="answer", weak_said="said", weak_right="right"
    )
    right, weak_right = pl.col("right"), pl.col("weak_right")
    return (
        first.filter(role="student")
        .join(floor, on=["task", "id"], maintain_order="left")
        .with_columns(
            outcome=pl.when(~weak_right & right)
            .then(pl.lit(CORRECTED))
            .when(~weak_right & (pl.col("said") == pl.col("weak_said")))
            .then(pl.lit(IMITATED))
            .when(weak_right & ~right)
            .then(pl.lit(LOST))
            .when(~weak_right & ~right)
            .then(pl.lit(ERRED))
        )
        .drop_nulls("outcome")
        .group_by("task", "outcome", "id", maintain_order=True)
        .agg("method", pl.col("label", "supervisor").first(), student=pl.col("answer").first())
        .rename({"method": "methods"})
        .sort(
            "task",
            "outcome",
            pl.col("methods").list.len(),
            "id",
            descending=[False, False, True, False],
        )
    )


def examples_table(
    task_runs: Mapping[str, TaskRun], predictions: pl.DataFrame, on: str | None
) -> pl.DataFrame:
    """The table of ``examples.parquet``: task, id, texts, picture.

    Of an image, the text is the name of its file, and the picture is a URI that holds a small one;
    of all else there is no picture.

    Args:
        task_runs: of the tasks of a run, by name.
        predictions: of the run.
        on: name of the study's metric; the usual one if None.
    """
    import polars as pl

    found = outcomes(predictions, on).group_by("task", "outcome", maintain_order=True).head(KEPT)
    kept = set(found.select("task", "id").iter_rows())
    rows = [
        (name, e.item.id, *_shown(e.item))
        for name, task_run in task_runs.items()
        for e in task_run.splits.test
        if (name, e.item.id) in kept
    ]
    schema = {
        "task": pl.String,
        "id": pl.String,
        "texts": pl.List(pl.String),
        "picture": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _shown(item: Item) -> tuple[list[str], str | None]:
    """The texts of an item, and the picture of an image."""
    if not item.file:
        return [text[:LONGEST] for text in item.texts], None
    # Pillow is for tasks of images alone.
    from weak2strong.tasks.image_files import IN_URI, thumbnail

    named = [] if item.file.startswith(IN_URI) else [PurePath(item.file).name[-LONGEST:]]
    return named, thumbnail(item.file)


def read_examples(files: FolderFiles) -> pl.DataFrame | None:
    """A run's ``examples.parquet``, or None for a run that was made before there was one.

    Raises:
        UserError: where the file is damaged.
    """
    columns = {"task": "text", "id": "text", "texts": "texts"}
    return files.table(FILE, columns, optional={"picture": "text"})
