"""How a language model that is not trained is asked for answers in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LONGEST = 8
"""So many of the longest answers are counted in tokens."""


@dataclass(frozen=True)
class Asked:
    """Prompts that are answered in words.

    Attributes:
        form: one of `weak2strong.tasks.prompt.FORMS`.
        system: what stands first, or None.
        draws: for each draw the solved prompts with their answers; one without any is zero-shot.
        longest: the longest answers that are known; one that is written has at most as many
            tokens.
    """

    form: str
    system: str | None
    draws: Sequence[Sequence[tuple[str, str]]]
    longest: tuple[str, ...]

    @property
    def one_line(self) -> bool:
        """Whether no answer that is known has several lines."""
        shown = [answer for draw in self.draws for _, answer in draw]
        return not any("\n" in answer.strip() for answer in (*shown, *self.longest))


def longest_of(answers: Iterable[str]) -> tuple[str, ...]:
    """The longest of some answers, by characters."""
    return tuple(sorted({*answers}, key=lambda answer: (-len(answer), answer))[:LONGEST])
