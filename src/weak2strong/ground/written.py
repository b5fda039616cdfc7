"""Scorers of written answers: what an answer says, and whether that is what an accepted text says.

The whole text (exact match), its words, its last number, the letter of its choice, or what a
regular expression finds in it. The form of answers in which a scorer compares them is a text, too,
and is empty where an answer says nothing of the kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial

import numpy as np

from weak2strong.ground.errors import UserError
from weak2strong.ground.plugin_faults import fault_in
from weak2strong.ground.weighted import Score, weighted_mean


@dataclass(frozen=True)
class SaysTheSame:
    """The metric that is the share of written answers which say what an accepted text says.

    Attributes:
        says: the form of an answer that is compared; empty, or None, where it says nothing.
        finds: what ``says`` looks for in an answer, as a noun; empty where it takes the whole text.
            An answer in which it finds nothing is wrong, whatever is accepted.
        kinds: of the tasks that have such answers.
        of_target: the form of an accepted text, where that is not read as an answer is.
    """

    says: Callable[[str], str | None]
    finds: str = ""
    kinds: tuple[str, ...] = ("generation",)
    of_target: Callable[[str], str | None] | None = None

    def said(self, answer: str) -> str:
        """The form of an answer in which it is compared."""
        return _text(self.says, answer)

    def accepted(self, texts: Sequence[str]) -> set[str]:
        """What an answer may say to be right, where these texts count as right."""
        forms = {_text(self.of_target or self.says, text) for text in texts}
        return forms - {""} if self.finds else forms

    def each(self, answers: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Whether each answer is right, booleans ``(n,)``; arguments as in ``__call__``."""
        if np.ndim(answers) != 1 or np.shape(answers) != np.shape(labels):
            raise ValueError(
                "Answers and what counts as right must be one each an example, not of shapes "
                f"{np.shape(answers)} and {np.shape(labels)}."
            )
        right = [
            self.said(answer) in self.accepted(texts)
            for answer, texts in zip(answers, labels, strict=True)
        ]
        return np.array(right, dtype=bool)

    def __call__(
        self, answers: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
    ) -> Score:
        """The share of answers that are right, in [0, 1].

        Args:
            answers: texts, ``(n,)``.
            labels: for each the texts that count as right, ``(n,)`` of tuples.
            weights: how often each example counts, ``(n,)`` or ``(b, n)``, not negative.

        Returns:
            One float, or ``(b,)`` for weights of shape ``(b, n)``; nan where no example counts.
        """
        return weighted_mean(self.each(answers, labels), weights)


def _text(form: Callable[[str], str | None], text: str) -> str:
    """The form of a text, which a function of someone else may make, too."""
    found = form(text)
    if found is not None and not isinstance(found, str):
        raise fault_in(
            form,
            f"it gives {found!r} for {text!r}, and a scorer gives a text, or None where an answer "
            "says nothing",
        )
    return found or ""


# Texts are compared again for every seed, bucket and replicate.
_remembered = lru_cache(maxsize=2**16)


def normalised(text: str) -> str:
    """A written answer as `exact_match` compares it.

    Without spaces around, one space between words, letter case folded, and without one
    full stop at the end.
    """
    return _folded(text)


@_remembered
def _folded(text: str) -> str:
    return _spaced(text.casefold())


@_remembered
def _spaced(text: str) -> str:
    return " ".join(text.split()).removesuffix(".").rstrip()


def _cased(text: str) -> str:
    return _spaced(text)


_ARTICLES = re.compile(r"\b(a|an|the)\b")
_SIGNS = re.compile(r"[^\w\s]|_")


def words_of(text: str) -> str:
    """The words of a text alone: letter case folded, no punctuation, no English articles.

    As answers to SQuAD are compared (Rajpurkar et al. 2016, section 6.1).
    """
    return " ".join(_ARTICLES.sub(" ", _SIGNS.sub("", text.casefold())).split())


def _words(text: str) -> str:
    """The words of a text; of one without any (``A``, ``+``) all of it, so as to tell it apart."""
    return words_of(text) or normalised(text)


_NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:\d{1,3}(?:\.\d{3}){2,}(?![\d.]\d)|"
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.\d+|(?<=\d))(?!\d|\.\d))"
    r"(?:[eE][-+]?\d{1,3}(?!\d)|\s*/\s*\d+(?!\w|\.\d))?"
)

_WHOLE_BEFORE = re.compile(r"(?<![\w.,/])([-+]?)(\d+) $")
"""What stands before a fraction that is added to it, as in ``1 1/2``."""

_DEBT = re.compile(r"(?<![\w.])-[$\N{EURO SIGN}\N{POUND SIGN}\N{YEN SIGN}](?=[\d.])")
"""A minus sign before a sign of money: ``-$5`` is minus five."""

LONGEST = 300
"""Characters of a number; of a longer one its text is compared."""


def last_number(text: str) -> str:
    """The last number of a text as a decimal number, or as a fraction where that does not end.

    ``1,234.50``, ``1234.5``, ``2469/2`` and ``1234 1/2`` are one number, ``1.234.567`` has seven
    digits, and ``1.2.3`` is no number; units and signs of money do not count.
    Answers to GSM8K are read like this (Cobbe et al. 2021), by what stands last.
    """
    text = _DEBT.sub("-", text.replace("\N{MINUS SIGN}", "-"))
    *_, last = (None, *_NUMBER.finditer(text))
    if last is None:
        return ""
    if len(last[0]) > LONGEST:
        return last[0]
    above, _, below = _plain(last[0]).partition("/")
    if below and not int(below):
        return ""
    value = Fraction(above.strip()) / int(below or 1)
    before = _WHOLE_BEFORE.search(text[: last.start()])
    if below and before and len(before[2]) <= LONGEST and last[0][0].isdigit() and value < 1:
        value = (value + int(before[2])) * (-1 if before[1] == "-" else 1)
    return _shortest(value)


def _plain(number: str) -> str:
    """A number without what parts its thousands: commas, or several full stops."""
    number = number.replace(",", "")
    return number.replace(".", "") if number.count(".") > 1 else number


def _shortest(value: Fraction) -> str:
    """The one way of writing a number."""
    rest, powers = value.denominator, {2: 0, 5: 0}
    for prime in powers:
        while rest % prime == 0:
            rest, powers[prime] = rest // prime, powers[prime] + 1
    places = max(powers.values())
    if rest > 1 or not places:
        return str(value)
    whole = str(abs(int(value * 10**places))).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{whole[:-places]}.{whole[-places:]}"


_LETTERS = (
    re.compile(
        r"(?i:\banswer\b\W*(?:is|was)?\W*)(?![Ii]\s+[a-z]|\w['\N{RIGHT SINGLE QUOTATION MARK}])"
        r"([A-Z]\b|[a-z](?=\s*(?:[).:,]|$)))"
    ),
    re.compile(r"\(([A-Za-z])\)"),
    re.compile(r"^\W*([A-Za-z])(?=\s*(?:[).:,]|$))"),
    re.compile(r"\b([A-Z])\b(?=\W*$)"),
)
"""Where the letter of a choice stands, the surest place first."""


def choice_letter(text: str) -> str:
    """The letter of the choice that an answer makes, as a capital.

    The last one after the word answer (``the answer is B``), else the last in parentheses
    (``(B)``), else one at the beginning (``B. Paris``) or a capital at the end.
    """
    for place in _LETTERS:
        if found := place.findall(text):
            return found[-1].upper()
    return ""


def found_by(pattern: str, text: str) -> str:
    """What a pattern finds last: its first group, or all of it; as `normalised`.

    Matches of nothing do not count: ``.*`` has one behind every text.
    """
    found = [match[1] if match.re.groups else match[0] for match in re.finditer(pattern, text)]
    return next((said for each in reversed(found) if (said := normalised(each or ""))), "")


def _found_or_all(pattern: str, text: str) -> str:
    """The same of a target, which may be written without what surrounds an answer."""
    return found_by(pattern, text) or normalised(text)


PATTERN = "pattern_match"
"""The name of the scorer by a regular expression, which follows after a colon."""


def by_pattern(text: str) -> SaysTheSame:
    """The scorer by a regular expression.

    Raises:
        UserError: for a text that is no regular expression.
    """
    try:
        re.compile(text)
    except re.error as e:
        raise UserError(
            f"The metric {PATTERN}:{text} is no regular expression ({e}): mend it."
        ) from e
    if not text:
        raise UserError(
            f"The metric {PATTERN} needs a regular expression: write it behind, such as "
            f"{PATTERN}:'answer is (.*)'."
        )
    return SaysTheSame(
        partial(found_by, text), f"match of {text}", of_target=partial(_found_or_all, text)
    )


exact_match = SaysTheSame(normalised)
"""Exact match of texts, once both are `normalised`."""

exact_match_cased = SaysTheSame(_cased)
"""Exact match where case tells answers apart, as in chess moves ``Bxc3`` and ``bxc3``."""

WRITTEN_METRICS: dict[str, SaysTheSame] = {
    "exact_match": exact_match,
    "exact_match_cased": exact_match_cased,
    "words_match": SaysTheSame(_words),
    "number_match": SaysTheSame(last_number, "number"),
    "letter_match": SaysTheSame(choice_letter, "letter of a choice"),
}
"""The scorers of written answers by name, but for `PATTERN`."""
