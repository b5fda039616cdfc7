"""What a finetuning took up of its labels, in a few numbers: of its curve and of its answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

FILE = "learned.json"

NUMBER = (int, float, type(None))

FORM = [
    {
        "task": str,
        "role": str,
        "method": (str, type(None)),
        "model": str,
        "seed": int,
        "loss": str,
        "rates": [NUMBER],
        "steps": int,
        "first": (int, float),
        "last": (int, float),
        "guessing": NUMBER,
        "least": NUMBER,
        "labels": dict.fromkeys(("confidence", "likeliest", "margin", "same"), NUMBER),
        "answers": dict.fromkeys(("confidence", "likeliest", "margin", "same"), NUMBER),
    }
]
"""The form of the file in JSON."""

WINDOW = 0.1
"""Share of the steps over which the losses of a beginning or an end are averaged."""


@dataclass(frozen=True)
class Spread:
    """How labels, or answers, spread over the classes.

    Attributes:
        confidence: the mean probability of the likeliest class of each example.
        likeliest: the largest mean probability of a class, which a guess by the shares has.
        margin: the median difference between the two likeliest classes of an example.
        same: the largest share of examples with the same likeliest class.
    """

    confidence: float
    likeliest: float
    margin: float
    same: float

    @staticmethod
    def of(probabilities: np.ndarray) -> Spread:
        """The spread of rows ``(n, k)`` of probabilities."""
        second, first = np.sort(probabilities, axis=1)[:, -2:].T
        counts = np.bincount(probabilities.argmax(axis=1))
        return Spread(
            confidence=float(first.mean()),
            likeliest=float(probabilities.mean(axis=0).max()),
            margin=float(np.median(first - second)),
            same=float(counts.max() / len(probabilities)),
        )

    @property
    def sureness(self) -> float:
        """The confidence between that of a guess by the shares of the classes (0) and 1 (1)."""
        room = 1 - self.likeliest
        return (self.confidence - self.likeliest) / room if room > 0 else 1.0


@dataclass(frozen=True)
class Learned:
    """What one finetuning took up of its labels.

    Attributes:
        task: its name.
        role: of the finetuning, such as "supervisor", "ceiling" or "student".
        method: of the student that it is part of; None for supervisors and ceilings.
        model: that was finetuned.
        seed: of the cell.
        loss: the class of the loss.
        rates: peak learning rates of trunk and head.
        steps: of the optimiser.
        first: mean loss over the first tenth of the steps.
        last: mean loss over a tenth of the steps, up to those whose weights were kept.
        guessing: cross-entropy of a guess by the shares of the classes; None for texts.
        least: the smallest cross-entropy that is possible with these labels, which is above 0 where
            they are soft; None for texts.
        labels: the spread of the labels; None for texts.
        answers: the spread of the model's answers to ``strong_train``; None for texts.
    """

    task: str
    role: str
    method: str | None
    model: str
    seed: int
    loss: str
    rates: tuple[float | None, ...]
    steps: int
    first: float
    last: float
    guessing: float | None
    least: float | None
    labels: Spread | None
    answers: Spread | None

    @property
    def taken_up(self) -> float | None:
        """The share of what the labels tell that the loss has taken up; None where unknown.

        A guess by the shares of the classes has 0, and the labels themselves have 1. It is unknown
        for texts, for losses other than cross-entropy, and for labels that all say about the same.
        """
        if self.guessing is None or self.least is None or self.loss != "CrossEntropy":
            return None
        told = self.guessing - self.least
        return (self.guessing - self.last) / told if told > 0.02 * self.guessing else None


def ends(losses: Sequence[float], kept: float) -> tuple[float, float]:
    """Mean loss at the beginning, and at the end of the kept share of training."""
    last, width = max(1, round(kept * len(losses))), max(1, round(WINDOW * len(losses)))
    return float(np.mean(losses[:width])), float(np.mean(losses[max(0, last - width) : last]))


def entropies(targets: np.ndarray) -> tuple[float, float]:
    """Of rows ``(n, k)``: the entropy of their mean, and the mean of their entropies."""
    shares = targets.mean(axis=0, keepdims=True)
    return float(_entropy(shares)[0]), float(_entropy(targets).mean())


def _entropy(rows: np.ndarray) -> np.ndarray:
    return -(rows * np.log(np.where(rows > 0, rows, 1.0))).sum(axis=1)


def write_learned(folder: Path, learned: Sequence[Learned]) -> None:
    """Write them beside the result that they belong to."""
    (folder / FILE).write_bytes(learned_file(learned))


def learned_file(learned: Sequence[Learned]) -> bytes:
    """The content of the file, a row a finetuning; the numbers of a spread that is None are."""
    rows = []
    for one in learned:
        spreads = {"labels": one.labels or _NONE, "answers": one.answers or _NONE}
        rows.append(asdict(replace(one, **spreads)))
    return (json.dumps(rows, indent=1) + "\n").encode()


def learned_of(rows: Sequence[dict], method: str | None = None) -> list[Learned]:
    """From the rows of the file; with a method, as part of its students."""
    found = []
    for row in rows:
        spreads = {key: Spread(**row[key]) for key in ("labels", "answers")}
        spreads = {key: None if x == _NONE else x for key, x in spreads.items()}
        one = Learned(**{**row, **spreads, "rates": tuple(row["rates"])})
        found.append(replace(one, method=method) if method else one)
    return found


_NONE: Any = Spread(*[None] * 4)  # pyright: ignore


def read_learned(folder: Path, method: str | None = None) -> list[Learned]:
    """What `write_learned` wrote."""
    return learned_of(json.loads((folder / FILE).read_text()), method)
