"""The table of what students had reached at three points of their training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weak2strong.analysis.overfitting import CHOSEN, Reached
from weak2strong.report.table import TITLES, column_table, pgr_text

if TYPE_CHECKING:
    from rich.console import Console

    from weak2strong.study.config import StudyConfig


def print_overfitting(config: StudyConfig, found: Sequence[Reached], console: Console) -> None:
    """Print a row a task, method and point."""
    console.print(
        f"\n{config.weak_name} to {config.strong.name}: "
        f"{TITLES.get(config.metric or '', config.metric)}, mean of {config.seeds} "
        f"seed{'s' if config.seeds > 1 else ''}",
        markup=False,
        highlight=False,
    )
    titles = ("task", "method", "point", "training", "floor", "student", "ceiling", "PGR [95%]")
    table = column_table((*titles, "agrees when wrong"), "lllrrrrrr")
    for line in found:
        r, wrong = line.recovered, line.agreement_wrong
        table.add_row(
            line.task,
            line.method,
            line.point,
            f"{line.fraction:.0%}",
            *(f"{x:.3f}" for x in (r.floor, r.student, r.ceiling)),
            pgr_text(r),
            "-" if wrong is None else f"{wrong:.3f}",
        )
    console.print(table)
    chosen = "; ".join(f"{point}: {by}" for point, by in CHOSEN.items())
    console.print(
        f"Points are chosen {chosen}. The best one is chosen by the very test that scores it, so "
        "it is an upper bound and no result.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
