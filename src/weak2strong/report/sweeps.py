"""A sweep of probes in the terminal: three grids a task and probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weak2strong.report.table import TITLES, column_table

if TYPE_CHECKING:
    import numpy as np
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
        metric = TITLES.get(one.metric, one.metric)
        seeds = f"mean of {one.seeds} seed{'s' if one.seeds > 1 else ''}"
        say(f"\n{one.task}, {one.probe} on layers of {strong}, labels of {weak}: {metric}, {seeds}")
        for name, title in GRIDS.items():
            say(f"\n{title}")
            _print_grid(one, getattr(one, name), console)
        say("")
        say(f"{CHOSEN} best agreement, the fair choice: {_at(one, one.chosen)}.")
        say(
            f"{ORACLE} best on test, chosen with its ground truth (oracle): {_at(one, one.oracle)}."
        )
        ceiling = "" if one.ceiling is None else f", ceiling {one.ceiling:.3f}"
        say(f"finetuned, on the same test examples: floor {one.floor:.3f}{ceiling}.")
    say("Layer 0 is the embeddings. Scores without intervals: close ones may not differ.")


def _print_grid(one: Swept, values: np.ndarray, console: Console) -> None:
    titles = [f"layer \\ {SETTINGS[one.probe]}", *(f"{setting:g}" for setting in one.settings)]
    table = column_table(titles, "r" * len(titles))
    marks = {one.chosen: CHOSEN, one.oracle: ORACLE}
    if one.chosen == one.oracle:
        marks = {one.chosen: CHOSEN + ORACLE}
    width = max(map(len, marks.values()))
    for i, layer in enumerate(one.layers):
        cells = [f"{x:.3f}{marks.get((i, j), ''):<{width}}" for j, x in enumerate(values[i])]
        table.add_row(str(layer), *cells)
    console.print(table)


def _at(one: Swept, place: tuple[int, int]) -> str:
    row, column = place
    setting = f"{SETTINGS[one.probe]} {one.settings[column]:g}"
    return (
        f"layer {one.layers[row]}, {setting}: {one.score[place]:.3f} "
        f"({one.truth[place]:.3f} with ground truth)"
    )
