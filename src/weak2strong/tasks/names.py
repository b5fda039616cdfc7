"""The names that columns of public datasets have, by what the columns hold.

Names are compared without regard to case, and a space or a hyphen is as good as an underscore. Of
several columns with names of one list, the first of the list is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

TEXTS = (
    *("text", "sentence", "content", "review", "comment", "tweet", "document", "body"),
    *("message", "utterance", "headline", "title"),
)
"""A text that has a class."""

LABELS = (
    *("label", "labels", "class", "category", "sentiment", "stars", "rating", "gold_label"),
    *("is_correct", "correct"),
)
"""The class of a text."""

_TITLED = ("text", "name", "str")
"""What stands behind the name of a label where a column has the names of its classes."""

JUDGED = ("label", "labels", "is_correct", "correct", "gold_label")
"""Those of them that say of an answer whether it is right; others are only about the row."""

PAIRS = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("sentence_a", "sentence_b"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("question", "sentence"),
)
"""Two texts that have a class together."""

PROMPTS = ("prompt", "question", "instruction", "query", "problem", "input")
"""What is asked."""

CONTEXTS = ("context", "passage", "article")
"""What a question is about; it is read before it."""

SYSTEMS = ("system", "system_prompt")
"""What stands before a whole conversation."""

ANSWERS = (
    *("target", "answer", "output", "response", "completion", "solution", "answers"),
    "reference",
)
"""The answer to a prompt."""

CHATS = ("messages", "conversations", "conversation")
"""A whole chat, the last turn of which is the answer to those before it."""

CHOSEN = ("chosen", "chosen_response", "response_chosen", "preferred_response")
REJECTED = ("rejected", "rejected_response", "response_rejected", "dispreferred_response")
"""The better and the worse completion of a preference."""

RESPONSES = ("response", "answer", "completion", "output", "conversation")
SIDES = (("0", "1"), ("1", "2"), ("a", "b"), ("j", "k"))
"""Two completions have one of these words, and these behind it: ``response_0``, ``response_1``."""

SCORES = ("score", "rating", "reward", "overall_score")
"""What each of two completions was given; the higher one is the better."""

SAID_PLAINLY = (
    *("preference", "preferred", "winner", "better", "choice", "better_response_id"),
    "preference_strength",
)
"""Which of two completions is preferred."""

PREFERENCES = (*SAID_PLAINLY, "label")
"""The same, with a name that can also be of something else."""

BETTER_FIRST = ("j", "k")
"""Sides of which the first one is the better one where no column says it, as in the pairs that were
made of Stack Exchange. Only a column with a plain name says otherwise."""

GROUPS = (
    *("group", "group_id", "conversation_id", "conv_id", "conversation_hash", "dialogue_id"),
    *("dialog_id", "thread_id", "session_id", "passage_id", "context_id", "paragraph_id", "doc_id"),
    *("document_id", "article_id", "story_id", "source_id", "question_id", "query_id", "qid"),
    *("prompt_id", "problem_id", "post_id"),
)
"""What belongs together; wider groups stand before those within them."""

ANY = frozenset(
    [*TEXTS, *LABELS, *PROMPTS, *CONTEXTS, *SYSTEMS, *ANSWERS, *CHATS, *CHOSEN, *REJECTED]
    + [*PREFERENCES, *GROUPS, *(name for pair in PAIRS for name in pair)]
    + ["accepted", "subset", "split", "pair", "id"]
    + [
        f"{word}{gap}{side}"
        for word in (*RESPONSES, *SCORES)
        for sides in SIDES
        for side in sides
        for gap in ("", "_")
    ]
    + [f"{label}_{word}" for label in (*LABELS, *ANSWERS) for word in _TITLED]
)
"""All names that are known."""


def plain(name: str) -> str:
    """A name in the form in which names are compared."""
    return re.sub(r"[\s\-]+", "_", name.strip().lower())


def by_plain_name(columns: Iterable[str]) -> dict[str, str]:
    """The columns by their names in this form; of two that are alike, the first."""
    found: dict[str, str] = {}
    for column in columns:
        found.setdefault(plain(column), column)
    return found


def first(there: Mapping[str, str], names: Sequence[str]) -> str | None:
    """The first column that has a name of a list."""
    return next((there[name] for name in names if name in there), None)


def titles(label: str) -> tuple[str, ...]:
    """The names of columns with the names of the classes that are in the column ``label``."""
    return tuple(f"{plain(label)}_{word}" for word in _TITLED)


def scores(there: Mapping[str, str], two: tuple[str, str]) -> tuple[str, ...]:
    """The columns of what two completions were given, such as ``score_0`` and ``score_1``.

    Args:
        there: the columns by their names.
        two: those of the completions.
    """
    one, other = (plain(name)[-1] for name in two)
    for word in SCORES:
        for gap in ("_", ""):
            pair = (f"{word}{gap}{one}", f"{word}{gap}{other}")
            if pair[0] in there and pair[1] in there:
                return there[pair[0]], there[pair[1]]
    return ()


def two_sides(there: Mapping[str, str]) -> tuple[str, str] | None:
    """The columns of two completions, such as ``response_0`` and ``response_1``."""
    for word in RESPONSES:
        for one, other in SIDES:
            for gap in ("_", ""):
                pair = (f"{word}{gap}{one}", f"{word}{gap}{other}")
                if pair[0] in there and pair[1] in there:
                    return there[pair[0]], there[pair[1]]
    return None
