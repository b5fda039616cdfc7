"""The language of `w2s examples --where`: which test examples are looked at.

A condition is made of terms with ``and``, ``or``, ``not`` and brackets. A comma joins conditions
that all have to hold, and binds less than these words::

    weak wrong, student right
    student disagrees and not ceiling right
    (label 1 or label 2), change > 0.5
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.analysis.looked import Looked, Voice
from weak2strong.ground.errors import UserError

ALLOWED = (
    "weak|student|ceiling right|wrong, weak|student|ceiling says ANSWER, "
    "student|ceiling disagrees, seeds disagree, label CLASS, "
    "change|confidence|difficulty <|> NUMBER, "
    "joined by commas, and, or, not and brackets"
)
"""What a condition may say, for help texts and errors."""

Condition = Callable[[Looked, str], np.ndarray]
"""From examples and the method whose students are meant to whether it holds, booleans ``(n,)``."""

WHO = ("weak", "student", "ceiling")
NUMBERS = ("change", "confidence", "difficulty")
COMPARED = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
JOINING = ("and", "or", "not")

NESTED = 50
"""So many brackets and nots at most has a condition."""

_WORD = re.compile(r"\s*(?:([(),])|([<>]=?)|\"([^\"]*)\"|'([^']*)'|([^\s(),<>\"']+))")


@dataclass(frozen=True)
class Word:
    """A word or sign of a condition; one in quotes is never a sign or a word of the language."""

    text: str
    quoted: bool = False


def read_where(text: str) -> Condition:
    """The condition that a text says.

    Raises:
        UserError: where it says none.
    """
    return _Reader(text).read()


class _Reader:
    """Reads the words of one condition from left to right, a method a rule of the grammar."""

    def __init__(self, text: str):
        self._text, self._words, at = text, list[Word](), 0
        while text[at:].strip():
            found = _WORD.match(text, at)
            if found is None:
                raise self._fault(f"a quote is open at {text[at:].strip()!r}")
            plain = found[1] or found[2] or found[5]
            quoted = found[3] if found[3] is not None else found[4]
            self._words.append(Word(quoted, True) if plain is None else Word(plain))
            at = found.end()
        self._at = 0
        # The reader calls itself for each of these.
        if sum(word in (Word("("), Word("not")) for word in self._words) > NESTED:
            raise self._fault(f"it has more than {NESTED} brackets and nots")

    def read(self) -> Condition:
        """where: any of ("," any)*"""
        if not self._words:
            raise self._fault("it is empty")
        found = self._joined(",", self._either, np.logical_and)
        if self._at < len(self._words):
            raise self._fault(f"{self._words[self._at].text!r} does not go on what stands before")
        return found

    def _either(self) -> Condition:
        """any: all ("or" all)*"""
        return self._joined("or", self._both, np.logical_or)

    def _both(self) -> Condition:
        """all: one ("and" one)*"""
        return self._joined("and", self._one, np.logical_and)

    def _joined(self, sign: str, part: Callable[[], Condition], join: np.ufunc) -> Condition:
        parts = [part()]
        while self._next(sign):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        return lambda examples, method: join.reduce([one(examples, method) for one in parts])

    def _one(self) -> Condition:
        """one: "not" one | "(" where ")" | term"""
        if self._next("not"):
            inner = self._one()
            return lambda examples, method: ~inner(examples, method)
        if self._next("("):
            inner = self._joined(",", self._either, np.logical_and)
            if not self._next(")"):
                raise self._fault("a bracket is open")
            return inner
        return self._term()

    def _term(self) -> Condition:
        first = self._word("a condition is missing at the end")
        if not first.quoted and first.text in WHO:
            return self._of(first.text)
        if not first.quoted and first.text in NUMBERS:
            return self._compared(first.text)
        if first == Word("label"):
            label = self._answer("label", "CLASS")
            return lambda examples, method: _means(label, examples, examples.labels)
        if first == Word("seeds"):
            if not self._next("disagree"):
                raise self._fault("behind seeds stands disagree")
            return lambda examples, method: _differ(examples.students[method])
        raise self._fault(f"{first.text!r} begins no condition")

    def _of(self, who: str) -> Condition:
        """What supervisors, students or ceilings answered."""
        verb = self._word(f"behind {who} stands right, wrong, says or disagrees")
        if verb == Word("right"):
            return lambda examples, method: _voice(examples, method, who).is_right
        if verb == Word("wrong"):
            return lambda examples, method: ~_voice(examples, method, who).is_right
        if verb == Word("says"):
            answer = self._answer(f"{who} says", "ANSWER")
            return lambda examples, method: _means(
                answer, examples, [(name,) for name in _voice(examples, method, who).name]
            )
        if verb == Word("disagrees") and who != "weak":
            return lambda examples, method: _voice(examples, method, who).says != examples.weak.says
        raise self._fault(f"{verb.text!r} stands behind {who}")

    def _compared(self, what: str) -> Condition:
        """A number of each example, and another one."""
        sign = self._word(f"behind {what} stands < or >")
        limit = self._word(f"behind {what} {sign.text} stands a number")
        if sign.quoted or sign.text not in COMPARED:
            raise self._fault(f"{sign.text!r} stands behind {what}")
        try:
            number = float(limit.text)
        except ValueError:
            raise self._fault(f"{limit.text!r} is no number") from None
        compare = COMPARED[sign.text]
        return lambda examples, method: compare(_number(examples, method, what), number)

    def _answer(self, before: str, what: str) -> str:
        return self._word(f"behind {before} stands {what}").text

    def _word(self, missing: str) -> Word:
        """The next word, which is none that joins conditions."""
        if self._at == len(self._words):
            raise self._fault(missing)
        word = self._words[self._at]
        if not word.quoted and word.text in (*JOINING, ",", "(", ")"):
            raise self._fault(f"{word.text!r} stands where a condition does")
        self._at += 1
        return word

    def _next(self, text: str) -> bool:
        """Whether the next word is this one, which is then read."""
        found = self._at < len(self._words) and self._words[self._at] == Word(text)
        self._at += found
        return found

    def _fault(self, what: str) -> UserError:
        return UserError(f"--where {self._text!r}: {what}; a condition may say {ALLOWED}.")


def _voice(examples: Looked, method: str, who: str) -> Voice:
    voices = {"weak": examples.weak, "ceiling": examples.ceiling}
    return voices.get(who) or examples.students[method]


def _differ(voice: Voice) -> np.ndarray:
    """Whether seeds gave different answers."""
    return (voice.said != voice.said[:1]).any(axis=0)


def _means(answer: str, examples: Looked, names: Sequence[Sequence[str]]) -> np.ndarray:
    """Whether one of the names of each example is an answer, in which case does not matter.

    Raises:
        UserError: for a class that the task does not have.
    """
    asked = answer.strip().casefold()
    classes = [name.strip().casefold() for name in examples.classes]
    if classes and asked not in classes:
        if not asked.isdecimal() or int(asked) >= len(classes):
            known = ", ".join(f"{i} {name}" for i, name in enumerate(examples.classes))
            raise UserError(
                f"Task {examples.task} has no class {answer!r}: its classes are {known}."
            )
        asked = classes[int(asked)]
    return np.array([any(asked == x.strip().casefold() for x in of) for of in names], dtype=bool)


def _number(examples: Looked, method: str, what: str) -> np.ndarray:
    """A number of each example; what is not known is neither above nor below another one."""
    if what == "difficulty":
        known = examples.difficulty
        return np.full(len(examples.ids), np.nan) if known is None else known
    student = examples.students[method]
    return student.moved if what == "change" else student.sure
