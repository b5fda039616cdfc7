"""Texts of test examples, so that a run can be looked at without its data.

A run's predictions hold only ids. ``examples.parquet`` adds the texts, or small pictures of the
images, of all test examples, as far as there is `ROOM`: first of some where students corrected
their supervisor, imitated its error, lost a right label, or, with more than two answers, made an
error of their own. Of the others it has the digest of the content, by which a text that is read
again is known to be the one that was answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from weak2strong.config.study import StudyConfig
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.plugins import load_plugins
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.answers import with_correctness
from weak2strong.tasks.find import find_task
from weak2strong.tasks.task import Item, stable_id

if TYPE_CHECKING:
    import polars as pl

FILE = "examples.parquet"

CORRECTED, IMITATED, LOST, ERRED = "corrected", "imitated", "lost", "erred"
OUTCOMES = (CORRECTED, IMITATED, LOST, ERRED)
"""The supervisor was wrong and the student right; both gave the same wrong answer (texts are the
same if the study's metric takes them for the same); the supervisor was right and the student
wrong; both were wrong in different ways."""

KEPT = 20
"""Examples a task and outcome whose texts are kept before those of others."""

LONGEST = 2000
"""Characters of a text that are kept."""

CUT = " […] "
"""Stands in the middle of a text that was longer."""

ROOM = 4_000_000
"""Characters of texts and pictures that a run keeps, of each of its tasks an equal share."""


@dataclass(frozen=True)
class Shown:
    """What there is to see of an example.

    Attributes:
        texts: those that a model reads, each shortened to `LONGEST` characters; of an image, the
            name of its file.
        picture: a URI that holds a small picture of an image; None of all else.
        digest: of the content of the item.
    """

    texts: tuple[str, ...]
    picture: str | None
    digest: str | None

    @property
    def characters(self) -> int:
        """How much room it takes."""
        return sum(map(len, self.texts)) + len(self.picture or "")


def shown(item: Item) -> Shown:
    """What there is to see of an item."""
    digest = stable_id(item.content)
    if not item.file:
        return Shown(tuple(map(shortened, item.texts)), None, digest)
    # Pillow is for tasks of images alone.
    from weak2strong.tasks.image_files import IN_URI, thumbnail

    named = () if item.file.startswith(IN_URI) else (PurePath(item.file).name[-LONGEST:],)
    return Shown(named, thumbnail(item.file), digest)


def shortened(text: str) -> str:
    """A text without its middle where it is long: what is asked often stands at the end."""
    if len(text) <= LONGEST:
        return text
    half = (LONGEST - len(CUT)) // 2
    return text[:half] + CUT + text[-half:]


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
    """The table of ``examples.parquet``: task, id, texts, picture (see `Shown`), digest.

    It has all test examples. Texts are null of those for which there was no room, and pictures of
    all that are no images.

    Args:
        task_runs: of the tasks of a run, by name.
        predictions: of the run.
        on: name of the study's metric; the usual one if None.
    """
    import polars as pl

    found = outcomes(predictions, on).group_by("task", "outcome", maintain_order=True).head(KEPT)
    first = {name: set(found.filter(task=name)["id"]) for name in task_runs}
    rows = []
    for name, task_run in task_runs.items():
        room = ROOM / len(task_runs)
        test = [example.item for example in task_run.splits.test]
        for item in sorted(test, key=lambda item: (item.id not in first[name], item.id)):
            # Pictures take time to make.
            one = shown(item) if room > 0 else None
            room -= one.characters if one else 0
            if one and room >= 0:
                rows.append((name, item.id, list(one.texts), one.picture, one.digest))
            else:
                rows.append((name, item.id, None, None, stable_id(item.content)))
    schema = {
        "task": pl.String,
        "id": pl.String,
        "texts": pl.List(pl.String),
        "picture": pl.String,
        "digest": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def read_again(
    config: StudyConfig, task: str, wanted: Mapping[str, str | None]
) -> dict[str, Shown]:
    """Examples of a task as the study's data have them today, by id, as far as they are the same.

    Args:
        config: the study, resolved.
        task: the name of the task.
        wanted: the ids, each with the digest of what was answered, or None where it is not known.

    Raises:
        UserError: where the data are no longer there.
    """
    load_plugins(config.plugins)
    found = {}
    for reference in config.tasks:
        read = find_task(reference, config.data)
        if read.name != task:
            continue
        for example in read.about(config.entities).load():
            item = example.item
            if item.id in wanted and wanted[item.id] in (None, stable_id(item.content)):
                found[item.id] = shown(item)
    return found


def read_examples(files: FolderFiles) -> pl.DataFrame | None:
    """A run's ``examples.parquet``, or None for a run that was made before there was one.

    Older ones have fewer rows, and no digests.

    Raises:
        UserError: where the file is damaged.
    """
    columns = {"task": "text", "id": "text", "texts": "texts"}
    return files.table(FILE, columns, optional={"picture": "text", "digest": "text"})
