"""The table of what students had reached at three points of their training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weak2strong.analysis.overfitting import CHOSEN, Reached
from weak2strong.ground.metrics import metric_title
from weak2strong.report.table import TextTable, pgr_text, print_text_table, seeds_text

if TYPE_CHECKING:
    from rich.console import Console

    from weak2strong.config.study import StudyConfig

NOTE = (
    f"Points are chosen {'; '.join(f'{point}: {by}' for point, by in CHOSEN.items())}. The best "
    "one is chosen by the very test that scores it, so it is an upper bound and no result."
)


def overfitting_table(config: StudyConfig, found: Sequence[Reached]) -> TextTable:
    """A row a task, method and point."""
    rows = []
    for line in found:
        r, wrong = line.recovered, line.agreement_wrong
        rows.append(
            [
                line.task,
                line.method,
                line.point,
                f"{line.fraction:.0%}",
                *(f"{x:.3f}" for x in (r.floor, r.student, r.ceiling)),
                pgr_text(r),
                "-" if wrong is None else f"{wrong:.3f}",
            ]
        )
    titles = ("task", "method", "point", "training", "floor", "student", "ceiling", "PGR [95%]")
    return TextTable(
        f"{config.weak_name} to {config.strong.name}: "
        f"{metric_title(config.metric)}, {seeds_text(config.seeds)}",
        (*titles, "agrees when wrong"),
        "lllrrrrrr",
        rows,
    )


def print_overfitting(config: StudyConfig, found: Sequence[Reached], console: Console) -> None:
    """Print the table and how the points are chosen."""
    print_text_table(overfitting_table(config, found), console)
    console.print(NOTE, markup=False, highlight=False, soft_wrap=True)
