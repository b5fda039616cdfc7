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

PLAIN, HEADED = "plain", "headed"
FORMS = (PLAIN, HEADED)
"""How a language model is asked for an answer in words: the prompt alone, behind the solved ones;
or every prompt and answer beneath a heading, after a text that says what is asked."""

SYSTEM = (
    "Each query below is followed by its answer. The answers are correct, and no longer than they "
    "have to be."
)
"""What stands before headed prompts, if nothing else is given."""

QUERY, ANSWER = "# Query:\n", "# Answer:\n"

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


def comparison_prompt() -> Prompt:
    """The prompt for a preference: which of two answers to it is better (see `compared`)."""
    return Prompt(((" A",), (" B",)), f"{PLACE}\nThe better answer is")


def compared(prompt: str, first: str, second: str) -> str:
    """A preference as one text that a language model is asked about.

    Args:
        prompt: what both are answers to; may be empty.
        first: the one that is called A.
        second: the one that is called B.
    """
    parts = (prompt, f"Answer A: {first.strip()}", f"Answer B: {second.strip()}")
    return "\n\n".join(part.strip() for part in parts if part.strip())


def written_prompt(
    form: str, system: str | None, shots: Sequence[tuple[str, str]], prompt: str
) -> str:
    """A prompt that is answered in words, after solved ones.

    Args:
        form: one of `FORMS`.
        system: what stands first; in the headed form `SYSTEM` if None, in the plain one nothing.
        shots: prompts with their answers, in this order; none for zero-shot.
        prompt: what the model is asked.
    """
    if form == HEADED:
        solved = [f"{QUERY}{shot}\n\n{ANSWER}{answer}" for shot, answer in shots]
        return "\n\n".join([system or SYSTEM, *solved, f"{QUERY}{prompt}\n\n{ANSWER}"])
    solved = [f"{shot.rstrip(' ')}{_space(shot)}{answer}" for shot, answer in shots]
    return "\n\n".join([*([system] if system else []), *solved, prompt])


def answer_in(form: str, written: str, one_line: bool) -> str:
    """The answer in what a language model wrote: what is before it goes on with another prompt.

    Args:
        form: of the prompt.
        written: behind it.
        one_line: whether the answers that it was shown have one line each.
    """
    end = "\n" if one_line else QUERY.strip() if form == HEADED else "\n\n"
    return written.strip().partition(end)[0].strip()


def _space(prompt: str) -> str:
    """What stands between a prompt and its answer."""
    stripped = prompt.rstrip(" ")
    return "" if not stripped or stripped[-1].isspace() else " "


def few_shot_prompt(prompt: Prompt, shots: Sequence[tuple[str, int]], text: str) -> str:
    """Solved examples, and after them a text that the model is asked about, up to its answer.

    Args:
        prompt: how all of them are written.
        shots: texts with the index of their class, in this order; none for zero-shot.
        text: what the model is asked about.
    """
    solved = [prompt.asked(shot) + prompt.answers[label][0] for shot, label in shots]
    return prompt.separator.join([*solved, prompt.asked(text)])
