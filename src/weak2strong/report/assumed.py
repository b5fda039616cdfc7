"""What a GPU that is not here would hold of a study, as a table."""

from __future__ import annotations

from dataclasses import asdict

from weak2strong.engine.assumed import Assumed, Held
from weak2strong.ground.table import DASH, Column, Row, Table, count, words
from weak2strong.report.units import size, size_column

ANSWERS = {True: "yes", False: "no", None: DASH}


def assumed_table(assumed: Assumed) -> Table:
    """A row a model of the study, and what would fit in place of what does not."""
    rows = [
        asdict(held) | {"instead": dict(held.instead), "left": _left(held)}
        for held in assumed.models
    ]
    columns = [
        words("model", wraps=True),
        Column("adaptation", "training", _training, "left"),
        size_column("resting", "at rest"),
        size_column("left", "for activations"),
        count("tokens", "tokens at a time"),
        Column("fits", "fits", lambda row: ANSWERS[row["fits"]], "left"),
    ]
    of = max((held.usable for held in assumed.models), default=0.0)
    notes = [
        f"{assumed.name}: {size(assumed.memory)} as its maker states, of which a training fills "
        f"{size(of)}. at rest: weights, gradients and optimiser. tokens at a time: of a "
        "micro-batch, estimated from the linear layers; a run measures it, and how a batch is cut "
        "changes no result.",
        *(_twice(held) for held in assumed.models if held.twice and held.fits),
        *(_instead(held) for held in assumed.models if held.fits is False),
    ]
    return Table("assumed", f"On {assumed.name}", columns, rows, notes)


def _left(held: Held) -> float | None:
    return None if held.resting is None else max(0.0, held.usable - held.resting)


def _training(row: Row) -> str:
    bits = f", {row['bits']} bits" if row["bits"] else ""
    return f"{row['adaptation']}{bits}" if row["adaptation"] else DASH


def _twice(held: Held) -> str:
    return (
        f"{held.model}: activations are computed twice, which takes about a third more time, or "
        "not even one text would fit."
    )


def _instead(held: Held) -> str:
    if not held.instead:
        return (
            f"{held.model} does not fit, however it is adapted: take several GPUs, or a smaller "
            "model."
        )
    said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in held.instead)
    return f"{held.model} does not fit so, and would with {said}."
