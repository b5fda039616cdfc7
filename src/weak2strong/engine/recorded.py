"""Reading what a run has left in its folder (see `weak2strong.engine.record`), old folders too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.schema import columns
from weak2strong.protocol.learned import FILE as LEARNED
from weak2strong.protocol.learned import FORM, Learned, learned_of

if TYPE_CHECKING:
    import polars as pl

STUDY, ENVIRONMENT = "study.yaml", "environment.json"
RESULTS, PREDICTIONS, AGREEMENT = "results.parquet", "predictions.parquet", "agreement.parquet"

OLD_NAMES = {"names": "ngrams", "name_baseline": "ngrams"}
"""Role and column of the n-gram baseline in older run folders, and their names today."""

RESULTS_HAVE = columns(text="task method metric", whole="seed", number="floor student ceiling")
RESULTS_MAY_HAVE = columns(
    text="weak strong",
    number="pgr_of_cell probe_ceiling ngrams name_baseline weak_label_temperature",
)
PREDICTIONS_HAVE = columns(text="task kind role method id group", whole="seed", any="label")
PREDICTIONS_MAY_HAVE = columns(
    flag="oracle", number="difficulty", numbers="probabilities", text="answer subset question pair"
)
RIGHT = ("weak_right", "student_right", "ceiling_right")
"""Columns of the shares of right answers: of weak labels, students and ceilings."""

LEFT_OUT = "left_out"
"""What the table calls the part of ``strong_train`` that a method left out."""

AGREEMENT_HAS = columns(text="task method split", whole="seed examples", number="agreement")


def read_environment(files: FolderFiles) -> Mapping[str, Any]:
    """Versions, device and commit of a run; nothing for a folder that is older than the file.

    Raises:
        UserError: where the file is damaged.
    """
    return files.json(ENVIRONMENT, {}) or {}


def read_learned(files: FolderFiles) -> list[Learned]:
    """What each finetuning of a run took up of its labels; nothing for older runs.

    Raises:
        UserError: where the file is damaged.
    """
    return learned_of(files.json(LEARNED, FORM) or [])


def read_config(files: FolderFiles) -> StudyConfig:
    """The study of a folder.

    Raises:
        UserError: where the file is missing, damaged, or no study.
    """
    content = files.read(STUDY)
    if content is None:
        raise files.fault(STUDY, f"{STUDY} is missing")
    if not content.endswith(b"\n"):
        # Half a study may be a study, too: what is missing would take its usual value.
        raise files.fault(STUDY, f"{STUDY} was cut off")
    try:
        return StudyConfig.from_yaml(content)
    except UserError as e:
        said = str(e).rstrip(".")
        raise files.fault(STUDY, f"{STUDY} is no study: {said[0].lower()}{said[1:]}") from e


def read_results(files: FolderFiles) -> pl.DataFrame:
    """A run's table of scores, a row a cell and metric.

    Raises:
        UserError: where the file is missing or damaged.
    """
    table = files.table(RESULTS, RESULTS_HAVE, RESULTS_MAY_HAVE)
    if table is None:
        raise unfinished(files.folder)
    return table.rename(OLD_NAMES, strict=False)


def read_predictions(files: FolderFiles) -> pl.DataFrame:
    """A run's test predictions of every role.

    Raises:
        UserError: where the file is missing or damaged.
    """
    import polars as pl

    table = files.table(PREDICTIONS, PREDICTIONS_HAVE, PREDICTIONS_MAY_HAVE)
    if table is None:
        raise unfinished(files.folder)
    return table.with_columns(pl.col("role").replace(OLD_NAMES))


def unfinished(folder: Path) -> UserError:
    """The refusal of a folder without results."""
    return UserError(
        f"{folder} holds no finished run: run its study with `w2s run --out {folder}`."
    )


def open_run(folder: Path) -> FolderFiles:
    """The files of a finished run; its study, results and predictions are there as written.

    Raises:
        UserError: where the folder holds no finished run, or a damaged one.
    """
    files = FolderFiles(folder, "run")
    if not files.has(RESULTS):
        raise unfinished(folder)
    files.read(STUDY)
    for name in (RESULTS, PREDICTIONS):
        # Without an index, that it can be read is all that is known of a file.
        found = files.read(name) if files.index else files.table(name, {})
        if found is None:
            raise unfinished(folder)
    return files


def read_run(folder: Path) -> tuple[StudyConfig, pl.DataFrame, pl.DataFrame]:
    """A run's study, results and predictions.

    Raises:
        UserError: where the folder holds no finished run, or a damaged one.
    """
    files = open_run(folder)
    return read_config(files), read_results(files), read_predictions(files)


def read_agreement(files: FolderFiles) -> pl.DataFrame | None:
    """A run's `agreement.parquet`, or None for a run that was made before there was one.

    Raises:
        UserError: where the file is damaged.
    """
    return files.table(AGREEMENT, AGREEMENT_HAS, columns(number=" ".join(RIGHT)))
