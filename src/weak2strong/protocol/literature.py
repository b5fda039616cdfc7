"""What papers and posts report of the studies that recipes repeat, as far as they give a number.

A result stands here only as its source states it; figures that were read off a plot do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from weak2strong.ground.errors import unknown_name

Quantity = Literal["pgr", "median", "positive", "wins", "t-one-sided", "wilcoxon-one-sided"]
"""Of a method: PGR on the one task of a study. Or over tasks: median PGR, tasks with a student
above its supervisor, tasks on which it beats another method, and the p-value of a one-sided test
that it does."""


@dataclass(frozen=True)
class Reported:
    """A number that was published.

    Attributes:
        what: it is of, in words.
        value: as the source writes it.
        quantity: what of a run stands beside it.
        method: the name of the method, without settings.
        setting: the models and tasks that it was found with.
        source: where it stands.
        against: the method that it is compared with, if it is.
    """

    what: str
    value: str
    quantity: Quantity
    method: str
    setting: str
    source: str
    against: str | None = None


_BURNS = (
    "GPT-4 family, smallest supervisor to largest student, 22 NLP tasks",
    "Burns et al. 2023, section 4.3.2",
)
_SECTION = "Burns et al. 2023, section 4.2"
_ELEUTHER = (
    "Qwen1.5-0.5B to Llama-3-8B, 21 tasks that are not saturated",
    "EleutherAI 2024, its post",
)

REPORTED: Mapping[str, tuple[Reported, ...]] = {
    "burns-2023": (
        Reported("median PGR of naive finetuning", "about 25%", "median", "naive", *_BURNS),
        Reported(
            "median PGR with the confidence loss", "nearly 80%", "median", "confidence", *_BURNS
        ),
    ),
    "burns-2023-chess": (
        Reported(
            "PGR of naive finetuning",
            "near 0",
            "pgr",
            "naive",
            "GPT-4 family, weakest supervisors, chess puzzles",
            _SECTION,
        ),
        Reported(
            "PGR of naive finetuning",
            "above 40%",
            "pgr",
            "naive",
            "GPT-4 family, supervisors little smaller than their students, chess puzzles",
            _SECTION,
        ),
    ),
    "burns-2023-reward-modelling": (
        Reported(
            "PGR of naive finetuning",
            "about 10%, almost never above 20%",
            "pgr",
            "naive",
            "GPT-4 family, comparisons of ChatGPT's reward model",
            _SECTION,
        ),
    ),
    "eleuther-2024": (
        Reported(
            "tasks on which students of naive finetuning are better than their supervisor",
            "21 of 21",
            "positive",
            "naive",
            *_ELEUTHER,
        ),
        Reported(
            "tasks on which the confidence loss is better than naive",
            "16 of 21",
            "wins",
            "confidence",
            *_ELEUTHER,
            "naive",
        ),
        Reported(
            "that it is better, paired t-test, one-sided p",
            ".135",
            "t-one-sided",
            "confidence",
            *_ELEUTHER,
            "naive",
        ),
        Reported(
            "that it is better, signed ranks, one-sided p",
            ".079",
            "wilcoxon-one-sided",
            "confidence",
            *_ELEUTHER,
            "naive",
        ),
    ),
}
"""Published results by the name of the study, as in ``--literature``."""


def reported(name: str) -> tuple[Reported, ...]:
    """What was published of a study.

    Raises:
        UserError: where nothing is known under that name.
    """
    if name not in REPORTED:
        raise unknown_name("study of the literature", name, REPORTED)
    return REPORTED[name]
