"""How a language model is asked: what stands around a text, and the answers that it chooses from.

A prompt is one template for all examples, so that nothing but the answer differs
between the classes. Solved examples (shots) are written in the same way, each
with the answer of its class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from weak2strong.ground.errors import UserError

PLACE = "{text}"
"""Where a template has the text."""

CONTENT_FREE = ("N/A", "", "[MASK]")
"""Texts that say nothing, after which no answer should be likelier than another (Zhao et
al. 2021, "Calibrate Before Use", arXiv 2102.09690, section 5)."""


@dataclass(frozen=True)
class Prompt:
    """The words of a task for a language model.

    Raises:
        UserError: for a template or answers that cannot be right.
    """

    answers: tuple[tuple[str, ...], ...]
    """The answers of every class, in the order of the classes, each with the space or line
    break before it. A class with several is as likely as all of them together; a shot
    has its first one."""
    template: str = PLACE
    """What the model reads before the answer, with {text} in it."""
    separator: str = "\n\n"
    """What parts an answer from the example after it."""
    rest: int | None = None
    """A class that every other answer counts for, whatever it is; its own answer is for
    shots alone. None where the model chooses between the answers that are given."""
    content_free: tuple[str, ...] = CONTENT_FREE
    """Texts that say nothing, to calibrate with; they take the place of {text}."""

    def __post_init__(self) -> None:
        if self.template.count(PLACE) != 1:
            raise UserError(
                f"The prompt template {self.template!r} must have {PLACE} in it, once: "
                "put it where the text belongs."
            )
        if self.template.endswith(" "):
            raise UserError(
                f"The prompt template {self.template!r} ends in a space, which tokenizers join to "
                "the word after it: put the space before every answer."
            )
        if len(self.answers) < 2 or not all(all(c) and c for c in self.answers):
            raise UserError("A prompt needs two classes or more, and an answer for each.")
        if self.rest is not None and self.rest not in range(len(self.answers)):
            raise UserError(f"The prompt has no class {self.rest}: count them from 0.")
        spoken = sorted(answer for answers in self.scored for answer in answers)
        # In this order a text stands right before what begins with it.
        for one, other in pairwise(spoken):
            if other.startswith(one):
                raise UserError(
                    f"The answer {other!r} begins with the answer {one!r}, which is always "
                    "likelier then: end both with a full stop or a line break."
                )

    @property
    def scored(self) -> tuple[tuple[str, ...], ...]:
        """The answers whose probabilities decide; none for the class that gets the rest."""
        return tuple(() if c == self.rest else given for c, given in enumerate(self.answers))

    def asked(self, text: str) -> str:
        """A text as the model reads it, up to the answer."""
        return self.template.replace(PLACE, text)


def default_prompt(classes: Sequence[str]) -> Prompt:
    """For a task that brings none: the text, "Answer:" on a line of its own, a class by its name.

    Where one name begins with another ("star", "starfish"), answers end with the line.
    """
    names = sorted(classes)
    begun = any(b.startswith(a) for a, b in pairwise(names))
    end, separator = ("\n", "\n") if begun else ("", "\n\n")
    answers = tuple((f" {name}{end}",) for name in classes)
    return Prompt(answers, f"{PLACE}\nAnswer:", separator)


def few_shot_prompt(prompt: Prompt, shots: Sequence[tuple[str, int]], text: str) -> str:
    """Solved examples, and after them the one that is asked about, up to its answer.

    Args:
        prompt: how they are written.
        shots: texts with the index of their class, in this order; none is zero-shot.
        text: what is asked about.
    """
    solved = [prompt.asked(shot) + prompt.answers[label][0] for shot, label in shots]
    return prompt.separator.join([*solved, prompt.asked(text)])
