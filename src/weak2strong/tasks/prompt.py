"""How a language model is asked: the words around a text, and the answers to choose from.

A prompt is one template for all examples, so that the classes differ in nothing but the answer.
Solved examples (shots) are written in the same way, each with the answer of its class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from weak2strong.ground.errors import UserError

PLACE = "{text}"
"""What stands for the text in a template."""

CONTENT_FREE = ("N/A", "", "[MASK]")
"""Texts that say nothing, so that after them no answer should be likelier than another (Zhao et
al. 2021, "Calibrate Before Use", arXiv 2102.09690, section 5)."""


@dataclass(frozen=True)
class Prompt:
    """How a language model is asked about the texts of a task.

    Raises:
        UserError: for a template or answers that cannot be right.
    """

    answers: tuple[tuple[str, ...], ...]
    """The answers of every class, in the order of the classes, each with the space or line break
    before it. The probability of a class is the sum over its answers. A shot has the first answer
    of its class."""
    template: str = PLACE
    """What the model reads before the answer, with {text} in it."""
    separator: str = "\n\n"
    """What stands between an answer and the example after it."""
    rest: int | None = None
    """The class of every answer that no other class has; its own answer is for shots alone. None
    where the model chooses between the answers of the classes."""
    content_free: tuple[str, ...] = CONTENT_FREE
    """Texts that say nothing, to calibrate with; they stand in place of {text}."""

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
        for first, second in pairwise(spoken):
            if second.startswith(first):
                raise UserError(
                    f"The answer {second!r} begins with the answer {first!r}, which is always "
                    "likelier then: end both with a full stop or a line break."
                )

    @property
    def scored(self) -> tuple[tuple[str, ...], ...]:
        """The answers of every class whose probabilities decide; none for the class `rest`."""
        return tuple(() if c == self.rest else given for c, given in enumerate(self.answers))

    def asked(self, text: str) -> str:
        """A text as the model reads it, up to the answer."""
        return self.template.replace(PLACE, text)


def default_prompt(classes: Sequence[str]) -> Prompt:
    """The prompt for a task without one: the text, then "Answer:" and the name of a class.

    Where one name begins with another ("star", "starfish"), every answer ends with a line break.
    """
    names = sorted(classes)
    begun = any(b.startswith(a) for a, b in pairwise(names))
    end, separator = ("\n", "\n") if begun else ("", "\n\n")
    answers = tuple((f" {name}{end}",) for name in classes)
    return Prompt(answers, f"{PLACE}\nAnswer:", separator)


def few_shot_prompt(prompt: Prompt, shots: Sequence[tuple[str, int]], text: str) -> str:
    """Solved examples, and after them a text that the model is asked about, up to its answer.

    Args:
        prompt: how all of them are written.
        shots: texts with the index of their class, in this order; none for zero-shot.
        text: what the model is asked about.
    """
    solved = [prompt.asked(shot) + prompt.answers[label][0] for shot, label in shots]
    return prompt.separator.join([*solved, prompt.asked(text)])
