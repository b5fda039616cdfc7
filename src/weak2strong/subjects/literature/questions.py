"""Questions with several answers of which one is right, and no passage to look them up in."""

from __future__ import annotations

from weak2strong.subjects.literature.dataset import Dataset
from weak2strong.subjects.literature.forms import (
    among_fields,
    choice,
    in_list,
    lettered,
    right_first,
)
from weak2strong.tasks.hub import CONVERTED

HELLASWAG = Dataset(
    name="hellaswag",
    question="Is this how a description goes on?",
    repo="Rowan/hellaswag",
    splits=("train", "validation"),
    fields=("source_id", "ctx", "endings", "label"),
    # One video or article has several descriptions, which source_id tells.
    form=choice(
        "{ctx}\n\nWays to go on:\n{options}\nSuggested way: {answer}\nIs it the best of them?",
        in_list("endings", "label"),
        keys=("source_id",),
    ),
    licence="MIT",
    paper="https://arxiv.org/abs/1905.07830",
    rows=49_947,
)

OPENBOOKQA = Dataset(
    name="openbookqa",
    question="Is this the answer to an elementary science question?",
    repo="allenai/openbookqa",
    subset="main",
    splits=("train", "validation", "test"),
    fields=("question_stem", "choices", "answerKey"),
    form=choice(
        "Question: {question_stem}\nPossible answers:\n{options}\n"
        "Suggested answer: {answer}\nIs it the right one of them?",
        lettered("choices", "answerKey"),
        keys=("question_stem",),
    ),
    licence="unknown",
    paper="https://arxiv.org/abs/1809.02789",
    rows=5_957,
)

PIQA = Dataset(
    name="piqa",
    question="Is this the way to reach a practical goal?",
    repo="ybisk/piqa",
    revision=CONVERTED,
    splits=("train", "validation"),
    fields=("goal", "sol1", "sol2", "label"),
    form=choice(
        "Goal: {goal}\nSuggested way: {answer}\nDoes it lead there?",
        among_fields("sol1", "sol2", label="label"),
        keys=("goal",),
    ),
    licence="unknown",
    paper="https://arxiv.org/abs/1911.11641",
    rows=17_951,
)

_SCIQ = right_first("correct_answer", "distractor1", "distractor2", "distractor3")
_SCIQ_FIELDS = ("question", "correct_answer", "distractor1", "distractor2", "distractor3")

SCIQ = Dataset(
    name="sciq",
    question="Is this the answer to a science exam question?",
    repo="allenai/sciq",
    splits=("train", "validation", "test"),
    fields=_SCIQ_FIELDS,
    form=choice(
        "Question: {question}\nSuggested answer: {answer}\nIs it right?",
        _SCIQ,
        keys=("question",),
    ),
    licence="CC BY-NC 3.0",
    paper="https://arxiv.org/abs/1707.06209",
    rows=13_679,
)

SCIQ_WITH_SUPPORT = Dataset(
    name="sciq_with_support",
    question="Is this the answer to a science exam question, by the text beside it?",
    repo="allenai/sciq",
    splits=("train", "validation", "test"),
    fields=(*_SCIQ_FIELDS, "support"),
    # Some questions have no supporting text: theirs is empty.
    form=choice(
        "{support}\n\nQuestion: {question}\nSuggested answer: {answer}\nIs it right?",
        _SCIQ,
        keys=("question", "support"),
    ),
    licence="CC BY-NC 3.0",
    paper="https://arxiv.org/abs/1707.06209",
    rows=13_679,
)
