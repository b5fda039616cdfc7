"""From a row to a text with a label: forms that several datasets share.

Nothing but the answer itself may tell whether it is right. So both classes have the same template,
in which answers stand as the dataset has them. What is drawn at random is drawn by the content of
the row, and not by its position in the file, nor by which answer is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import Formatter

from weak2strong.subjects.literature.fields import (
    Fields,
    Form,
    Formatted,
    MisfitError,
    text,
    texts,
    whole,
)
from weak2strong.tasks.task import stable_id

ANSWER, OPTIONS = "answer", "options"
"""The names that a template of `choice` has for the answer in question, and for all answers."""


@dataclass(frozen=True)
class Offer:
    """The answers to a question; ``right`` is the index of the right one, None if none is right."""

    answers: tuple[str, ...]
    right: int | None


def judgement(template: str, true: Callable[[Fields], bool], keys: Sequence[str] = ()) -> Form:
    """Items with a statement that is true or false.

    Args:
        template: with the names of fields in braces.
        true: says whether the row is of the second class.
        keys: fields that hold what the item is about.
    """
    named = _named(template)

    def form(row: Fields) -> Formatted:
        values = {name: text(row, name) for name in named}
        about = tuple(text(row, key) for key in keys)
        return Formatted(template.format(**values), int(true(row)), about)

    return form


def choice(template: str, offer: Callable[[Fields], Offer], keys: Sequence[str] = ()) -> Form:
    """One item for each question: is this the right answer? It is as often as it is not.

    Args:
        template: with the names of fields in braces, ``{answer}``, and ``{options}`` where all
            answers are listed, in the order of the dataset.
        offer: the answers of a row.
        keys: fields that hold what the item is about.
    """
    named = [name for name in _named(template) if name not in (ANSWER, OPTIONS)]

    def form(row: Fields) -> Formatted:
        values = {name: text(row, name) for name in named}
        offered = offer(row)
        number = draw("answer", *values.values(), *sorted(offered.answers))
        answer, label = _pick(offered, number)
        listed = "\n".join(f"- {option}" for option in offered.answers)
        about = tuple(text(row, key) for key in keys)
        prompt = template.format(**values, **{ANSWER: answer, OPTIONS: listed})
        return Formatted(prompt, label, about)

    return form


def draw(*content: str) -> int:
    """A number that depends on these texts alone."""
    return int(stable_id(*content), 16)


def among_fields(*fields: str, label: str, first: int = 0) -> Callable[[Fields], Offer]:
    """Each answer has a field of its own; ``label`` counts the answers from ``first``."""

    def offer(row: Fields) -> Offer:
        right = whole(row, label, first, first + len(fields) - 1) - first
        return Offer(tuple(text(row, field) for field in fields), right)

    return offer


def in_list(field: str, label: str) -> Callable[[Fields], Offer]:
    """The answers are a list; ``label`` counts them from 0."""

    def offer(row: Fields) -> Offer:
        answers = texts(row, field)
        return Offer(tuple(answers), whole(row, label, 0, len(answers) - 1))

    return offer


def lettered(field: str, label: str) -> Callable[[Fields], Offer]:
    """The answers are a list ``field.text`` with letters ``field.label``; ``label`` is a letter."""

    def offer(row: Fields) -> Offer:
        answers, letters = texts(row, f"{field}.text"), texts(row, f"{field}.label")
        letter = text(row, label)
        if letter not in letters or len(letters) != len(answers):
            raise MisfitError(label, letter, f"the letter of one of {len(answers)} answers")
        return Offer(tuple(answers), letters.index(letter))

    return offer


def spelled_out(field: str, label: str) -> Callable[[Fields], Offer]:
    """The answers are a list; ``label`` is the right answer itself."""

    def offer(row: Fields) -> Offer:
        answers, right = texts(row, field), text(row, label)
        if right not in answers:
            raise MisfitError(label, right, f"one of the {len(answers)} answers")
        return Offer(tuple(answers), answers.index(right))

    return offer


def right_first(*fields: str) -> Callable[[Fields], Offer]:
    """Each answer has a field of its own, and the first answer is right."""
    return lambda row: Offer(tuple(text(row, field) for field in fields), 0)


def without(answer: str, offer: Callable[[Fields], Offer]) -> Callable[[Fields], Offer]:
    """The offer without answers that contain a text; no other answer is right if such a one is."""

    def kept(row: Fields) -> Offer:
        offered = offer(row)
        right = None if offered.right is None else offered.answers[offered.right]
        answers = tuple(a for a in offered.answers if answer not in a)
        return Offer(answers, answers.index(right) if right in answers else None)

    return kept


def _pick(offered: Offer, number: int) -> tuple[str, int]:
    """The answer in question, and 1 if it is right, else 0."""
    right = None if offered.right is None else offered.answers[offered.right]
    wrong = [answer for answer in offered.answers if answer != right]
    if right is not None and (number % 2 or not wrong):
        return right, 1
    return wrong[number // 2 % len(wrong)], 0


def _named(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name]
