"""A sweep of probes as texts: three grids a task and probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weak2strong.ground.metrics import metric_title
from weak2strong.report.table import TextTable, print_text_table, seeds_text

if TYPE_CHECKING:
    from rich.console import Console

    from weak2strong.analysis.swept import Swept

GRIDS = {
    "score": "test, weak labels learned",
    "agreement": "agreement with the weak labels of validation",
    "truth": "test, ground truth learned: what the layer holds",
}
"""What is shown of a sweep, and its title."""

SETTINGS = {"knn": "k", "logistic": "penalty"}

CHOSEN, ORACLE = "*", "+"

NOTE = "Layer 0 is the embeddings. Scores without intervals: close ones may not differ."


def sweep_tables(one: Swept) -> list[TextTable]:
    """The grids of one probe on one task, layers by settings, with the two places marked."""
    marks = {one.chosen: CHOSEN, one.oracle: ORACLE}
    if one.chosen == one.oracle:
        marks = {one.chosen: CHOSEN + ORACLE}
    width = max(map(len, marks.values()))
    titles = (f"layer \\ {SETTINGS[one.probe]}", *(f"{setting:g}" for setting in one.settings))
    tables = []
    for name, title in GRIDS.items():
        rows = [
            [str(layer), *(f"{x:.3f}{marks.get((i, j), ''):<{width}}" for j, x in enumerate(row))]
            for i, (layer, row) in enumerate(zip(one.layers, getattr(one, name), strict=True))
        ]
        tables.append(TextTable(title, titles, "r" * len(titles), rows))
    return tables


def sweep_notes(one: Swept) -> list[str]:
    """What would be chosen in the grids of one probe, and what they are to be held against."""
    ceiling = "" if one.ceiling is None else f", ceiling {one.ceiling:.3f}"
    return [
        f"{CHOSEN} best agreement, the fair choice: {_at(one, one.chosen)}.",
        f"{ORACLE} best on test, chosen with its ground truth (oracle): {_at(one, one.oracle)}.",
        f"finetuned, on the same test examples: floor {one.floor:.3f}{ceiling}.",
    ]


def print_sweep(grids: Sequence[Swept], weak: str, strong: str, console: Console) -> None:
    """Print the grids, what would be chosen in each, and what they are to be held against.

    Args:
        grids: of a sweep, not empty.
        weak: the supervisor, or the file of weak labels.
        strong: the model whose layers were probed.
        console: where to.
    """

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    for one in grids:
        metric = metric_title(one.metric)
        say(
            f"\n{one.task}, {one.probe} on layers of {strong}, labels of {weak}: {metric}, "
            f"{seeds_text(one.seeds)}"
        )
        for table in sweep_tables(one):
            print_text_table(table, console)
        say("")
        for note in sweep_notes(one):
            say(note)
    say(NOTE)


def _at(one: Swept, place: tuple[int, int]) -> str:
    row, column = place
    setting = f"{SETTINGS[one.probe]} {one.settings[column]:g}"
    return (
        f"layer {one.layers[row]}, {setting}: {one.score[place]:.3f} "
        f"({one.truth[place]:.3f} with ground truth)"
    )
