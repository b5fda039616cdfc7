"""The table of students at points of their training: scores, PGR and imitation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.recovered import recovered
from weak2strong.analysis.tested import Tested, read_tested
from weak2strong.analysis.warnings import few_seeds
from weak2strong.config.study import StudyConfig
from weak2strong.experiments.followed import CHOSEN
from weak2strong.ground.metrics import metric, metric_title
from weak2strong.ground.table import Column, Document, Row, Table, counted, number, pgr, words

if TYPE_CHECKING:
    import polars as pl


NOTE = (
    f"Points are chosen {'; '.join(f'{point}: {by}' for point, by in CHOSEN.items())}. The best "
    "one is chosen by the very test that scores it, so it is an upper bound and no result."
)


def points_document(
    name: str,
    config: StudyConfig,
    metric: str,
    rows: Sequence[Row],
    notes: Sequence[str],
    value: str | None = None,
) -> Document:
    """The table of students at points of their training, and on which tasks PGR is undefined.

    Args:
        name: of the table.
        config: of the study.
        metric: of the scores.
        rows: a row a task, method and point.
        notes: what stands beneath.
        value: the setting of which each row has a value, if there is one; then the agreement with
            all weak labels is shown as well.
    """
    reasons = dict.fromkeys((row["task"], row["undefined"]) for row in rows)
    table = Table(
        name,
        f"{config.weak_name} to {config.strong.name}: {metric_title(metric)}, "
        f"mean of {counted(config.seeds, 'seed')}",
        [
            words("task"),
            words("method"),
            *([words("value", value)] if value else []),
            words("point"),
            Column("fraction", "training", lambda row: f"{row['fraction']:.0%}"),
            number("floor", detail=True),
            number("student"),
            number("ceiling", detail=True),
            pgr(),
            *([number("agreement_all", "agrees")] if value else []),
            number("agreement_wrong", "agrees when wrong"),
        ],
        rows,
        notes=notes,
    )
    undefined = [f"{task}: PGR is undefined. {why}" for task, why in reasons if why]
    return Document([table], warnings=[*undefined, *few_seeds({config.seeds})])


def tested_at(config: StudyConfig, answers: pl.DataFrame, point: str) -> Tested:
    """The test answers of one task, with students as they were at a point."""
    import polars as pl

    rows = answers.filter((pl.col("role") != "student") | (pl.col("point") == point))
    return read_tested(config, rows, answers["task"][0])


def reached(
    config: StudyConfig, curves: pl.DataFrame, answers: pl.DataFrame, method: str, point: str
) -> dict[str, Any]:
    """What the students of one method had reached at a point, from the test answers of one task.

    ``fraction``, the share of training done, and ``agreement_wrong``, the share of wrong weak
    labels that the student gives too, are means over seeds; the latter is None where no label is
    wrong.
    """
    task, tested = answers["task"][0], tested_at(config, answers, point)
    at = curves.filter(task=task, method=method).filter(point)
    r = recovered(
        tested.floor,
        tested.students[method],
        tested.ceiling,
        tested.labels,
        tested.groups,
        metric(tested.kind, tested.metric),
    )
    return {
        "task": task,
        "method": method,
        "point": point,
        "fraction": float(at["fraction"].to_numpy().mean()),
        "floor": r.floor,
        "student": r.student,
        "ceiling": r.ceiling,
        **r.pgr,
        "agreement_wrong": at["agreement_wrong"].mean(),
    }
