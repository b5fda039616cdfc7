"""Are right and wrong answers written in the same form?

The defect behind this check: OpenBookQA in EleutherAI's code has the letter of the
answer where it is right, and its text where it is wrong.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import takewhile

from weak2strong.analysis.audit.features import ANSWER, WHOLE, outward
from weak2strong.analysis.audit.finding import Finding
from weak2strong.analysis.audit.subject import Entry, Subject

MOST = 0.5
"""Share of the texts that a way of finding answers has to work for."""

_SEEN_ELSEWHERE = {*WHOLE, "length in characters"}
"""Signs of a completion that the checks of form and length look at."""

_LABEL = re.compile(
    r"(?i)\b(?:answer|option|choice|response|reply|completion|continuation|solution|way|a)"
    r"\s*:[ \t]*(?=\S)"
)
_QUESTION = re.compile(r"[?？][ \t\n]*(?=\S)")


def answers(subject: Subject) -> list[Finding]:
    """A finding for every sign of the answers that tells the label, where texts have answers.

    Completions are answers; of their signs, the check of form has those that any text may have.
    """
    judged, signs = subject.judged, ANSWER
    if subject.pairs:
        of_entries = [e.text for e in judged]
        signs = {name: sign for name, sign in ANSWER.items() if name not in _SEEN_ELSEWHERE}
    else:
        of_entries = answers_in(judged)
    rows = [i for i, answer in enumerate(of_entries) if answer is not None]
    if not rows:
        sentence = (
            "No answers were recognised in the texts (behind 'Answer:' or a question mark, or "
            "where texts of one group differ), so right and wrong ones were not compared in form."
        )
        return [Finding("answers", "note", sentence)]
    return outward(
        "answers",
        "completions" if subject.pairs else "answers",
        signs,
        [judged[i] for i in rows],
        [of_entries[i] or "" for i in rows],
        subject.judged_labels[rows],
        subject.judged_groups[rows],
        subject.judged_classes,
    )


def answers_in(entries: Sequence[Entry]) -> list[str | None]:
    """The answer in each text, by the first of three ways that works for most of them.

    Where texts of one group have different labels, answers are what these differ in. Else
    they are the rest of the line behind the last "Answer:" or the like; else what follows
    the last question mark. What ends all of the texts alike is no part of them.

    Returns:
        An answer each; None where there is none, or for all where no way works.
    """
    texts = _without_ending([e.text for e in entries])
    ways = (_differing(entries), _behind(_LABEL, texts), _behind(_QUESTION, texts))
    for found_answers in ways:
        if sum(answer is not None for answer in found_answers) >= MOST * len(entries):
            return found_answers
    return [None] * len(entries)


def _differing(entries: Sequence[Entry]) -> list[str | None]:
    """What texts of one group, with different labels, do not share at beginning and end."""
    answers: list[str | None] = [None] * len(entries)
    groups: dict[str | None, list[int]] = defaultdict(list)
    for i, entry in enumerate(entries):
        groups[entry.group].append(i)
    for members in groups.values():
        if len({entries[i].label for i in members}) < 2:
            continue
        words = [re.split(r"(\s+)", entries[i].text) for i in members]
        start, end = _shared(words), _shared([w[::-1] for w in words])
        # Where they share nothing, they are no answers to one question.
        if not start:
            continue
        for i, parts in zip(members, words, strict=True):
            answers[i] = "".join(parts[start : max(start, len(parts) - end)])
    return answers


def _behind(sign: re.Pattern[str], texts: Sequence[str]) -> list[str | None]:
    """The rest of the line behind the last sign."""
    answers: list[str | None] = []
    for text in texts:
        *_, last = (None, *sign.finditer(text))
        rest = text[last.end() :].partition("\n")[0].strip() if last else ""
        answers.append(rest or None)
    return answers


def _without_ending(texts: Sequence[str]) -> list[str]:
    """The texts without the words that end all of them."""
    words = [re.split(r"(\s+)", text) for text in texts]
    end = _shared([w[::-1] for w in words])
    return ["".join(w[: len(w) - end]) for w in words]


def _shared(lists: Sequence[Sequence[str]]) -> int:
    """How many of their first words some lists share."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*lists)))  # noqa: B905
