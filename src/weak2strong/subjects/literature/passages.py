"""Questions about a passage, a dialogue or a situation that stands above them."""

from __future__ import annotations

from weak2strong.subjects.literature.dataset import Dataset
from weak2strong.subjects.literature.fields import Fields, Formatted, texts, truth
from weak2strong.subjects.literature.forms import (
    among_fields,
    choice,
    in_list,
    judgement,
    lettered,
    spelled_out,
    without,
)
from weak2strong.tasks.hub import CONVERTED

_QUESTION = (
    "Question: {question}\nSuggested answer: {answer}\nDoes the passage bear the answer out?"
)

BOOLQ = Dataset(
    name="boolq",
    question="Does a passage answer a question with yes?",
    repo="google/boolq",
    splits=("train", "validation"),
    fields=("question", "passage", "answer"),
    # The dataset writes its questions in lower case and without a question mark.
    form=judgement(
        "{passage}\n\nGoing by this passage: {question}?",
        true=lambda row: truth(row, "answer"),
        keys=("passage",),
    ),
    licence="CC BY-SA 3.0",
    paper="https://arxiv.org/abs/1905.10044",
    rows=12_697,
)

COSMOS_QA = Dataset(
    name="cosmos_qa",
    question="Is this what can be read between the lines of a story?",
    # A repository with a loading script. That the hub has converted it could not be looked up.
    repo="allenai/cosmos_qa",
    revision=CONVERTED,
    splits=("train", "validation"),
    fields=("context", "question", "answer0", "answer1", "answer2", "answer3", "label"),
    # "None of the above" says nothing where nothing stands above.
    form=choice(
        "{context}\n\n" + _QUESTION,
        without(
            "None of the above choices",
            among_fields("answer0", "answer1", "answer2", "answer3", label="label"),
        ),
        keys=("context",),
    ),
    licence="CC BY 4.0",
    paper="https://arxiv.org/abs/1909.00277",
    rows=28_247,
)


def _dialogue(row: Fields) -> Formatted | None:
    """The turns are a list; each becomes a line."""
    return _ABOUT_DIALOGUE({**row, "dialogue": "\n".join(texts(row, "dialogue"))})


_ABOUT_DIALOGUE = choice(
    "{dialogue}\n\n" + _QUESTION.replace("passage", "dialogue"),
    spelled_out("choice", "answer"),
    keys=("dialogue_id",),
)

DREAM = Dataset(
    name="dream",
    question="Is this the answer to a question about a dialogue?",
    # A repository with a loading script. That the hub has converted it could not be looked up.
    repo="dataset-org/dream",
    revision=CONVERTED,
    splits=("train", "validation", "test"),
    fields=("dialogue_id", "dialogue", "question", "choice", "answer"),
    form=_dialogue,
    licence="not stated on the hub",
    paper="https://arxiv.org/abs/1902.00164",
    rows=10_197,
)

QUAIL = Dataset(
    name="quail",
    question="Is this the answer to a question about a text?",
    repo="textmachinelab/quail",
    # Left out: the challenge split, which words questions of the others anew.
    splits=("train", "validation"),
    fields=("context_id", "context", "question", "answers", "correct_answer_id"),
    form=choice(
        "{context}\n\n" + _QUESTION, in_list("answers", "correct_answer_id"), keys=("context_id",)
    ),
    licence="CC BY-NC-SA 4.0",
    paper="https://doi.org/10.1609/aaai.v34i05.6398",
    rows=12_410,
)

QUARTZ = Dataset(
    name="quartz",
    question="Is this what follows from a qualitative law?",
    repo="allenai/quartz",
    splits=("train", "validation", "test"),
    fields=("para_id", "para", "question", "choices", "answerKey"),
    form=choice("{para}\n\n" + _QUESTION, lettered("choices", "answerKey"), keys=("para_id",)),
    licence="CC BY 4.0",
    paper="https://arxiv.org/abs/1909.03553",
    rows=3_864,
)

SOCIAL_I_QA = Dataset(
    name="social_i_qa",
    question="Is this the likeliest answer about a social situation?",
    # A repository with a loading script, which others propose to replace by parquet.
    repo="allenai/social_i_qa",
    revision=CONVERTED,
    splits=("train", "validation"),
    fields=("context", "question", "answerA", "answerB", "answerC", "label"),
    form=choice(
        "{context}\n\nQuestion: {question}\nPossible answers:\n{options}\n"
        "Suggested answer: {answer}\nIs it the likeliest of them?",
        among_fields("answerA", "answerB", "answerC", label="label", first=1),
        keys=("context",),
    ),
    licence="not stated on the hub",
    paper="https://arxiv.org/abs/1904.09728",
    rows=35_364,
)

MULTIRC = Dataset(
    name="multirc",
    question="Is this one of the answers to a question about a paragraph?",
    repo="aps/super_glue",
    subset="multirc",
    splits=("train", "validation"),
    fields=("paragraph", "question", "answer", "label"),
    form=judgement(
        "{paragraph}\n\n" + _QUESTION, true=lambda row: truth(row, "label"), keys=("paragraph",)
    ),
    licence="for research (SuperGLUE)",
    paper="https://aclanthology.org/N18-1023",
    rows=32_091,
)

MC_TACO = Dataset(
    name="mc_taco",
    question="Is this a plausible answer about when, how long or how often?",
    repo="CogComp/mc_taco",
    revision=CONVERTED,
    # There is no training split.
    splits=("validation", "test"),
    fields=("sentence", "question", "answer", "label"),
    form=judgement(
        "{sentence}\n\nQuestion: {question}\nSuggested answer: {answer}\nIs it plausible?",
        true=lambda row: truth(row, "label"),
        keys=("sentence",),
    ),
    licence="unknown",
    paper="https://arxiv.org/abs/1909.03065",
    rows=13_225,
)
