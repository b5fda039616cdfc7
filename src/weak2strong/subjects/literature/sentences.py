"""One text or two, and a judgement on them: grammar, sentiment, meaning, preference."""

from __future__ import annotations

from dataclasses import replace

from weak2strong.subjects.literature.dataset import YES_OR_NO, Dataset
from weak2strong.subjects.literature.fields import Fields, Formatted, text, truth, whole
from weak2strong.subjects.literature.forms import draw, judgement
from weak2strong.tasks.hub import CONVERTED
from weak2strong.tasks.prompt import PLACE

MOST = 50_000
"""How many rows are used of the datasets that have hundreds of thousands: more than three times as
many as in EleutherAI's post."""


def _labelled(row: Fields) -> bool:
    return truth(row, "label")


ANLI_R2 = Dataset(
    name="anli-r2",
    question="Does a claim follow from a text (round 2)?",
    repo="facebook/anli",
    splits=("train_r2", "dev_r2", "test_r2"),
    fields=("premise", "hypothesis", "label"),
    # 0 is entailment, 1 neutral, 2 contradiction.
    form=judgement(
        "{premise}\n\nClaim: {hypothesis}\nDoes the claim follow from the text above it?",
        true=lambda row: whole(row, "label", 0, 2) == 0,
        keys=("premise",),
    ),
    licence="CC BY-NC 4.0",
    paper="https://arxiv.org/abs/1910.14599",
    rows=47_460,
)

COLA = Dataset(
    name="cola",
    question="Is a sentence good English?",
    repo="nyu-mll/glue",
    subset="cola",
    splits=("train", "validation"),
    fields=("sentence", "label"),
    form=judgement("{sentence}\n\nIs this sentence acceptable English?", true=_labelled),
    licence="not stated",
    paper="https://arxiv.org/abs/1805.12471",
    rows=9_594,
)

SST2 = Dataset(
    name="sst2",
    question="Is a film review, or a phrase of one, positive?",
    repo="stanfordnlp/sst2",
    splits=("train", "validation"),
    fields=("sentence", "label"),
    # The training split holds phrases of one sentence as rows of their own, and nothing says
    # which belong together.
    form=judgement("{sentence}\n\nIs this said in praise?", true=_labelled),
    licence="unknown",
    paper="https://aclanthology.org/D13-1170",
    rows=68_221,
    classes=("negative", "positive"),
)

PAWS = Dataset(
    name="paws",
    question="Do two sentences of nearly the same words say the same?",
    repo="google-research-datasets/paws",
    subset="labeled_final",
    splits=("train", "validation", "test"),
    fields=("sentence1", "sentence2", "label"),
    form=judgement(
        "One: {sentence1}\nOther: {sentence2}\nDo the two say the same?",
        true=_labelled,
        keys=("sentence1", "sentence2"),
    ),
    licence="free for any purpose, with attribution",
    paper="https://arxiv.org/abs/1904.01130",
    rows=65_401,
)

WIC = Dataset(
    name="wic",
    question="Does a word mean the same in two sentences?",
    repo="aps/super_glue",
    subset="wic",
    splits=("train", "validation"),
    fields=("word", "sentence1", "sentence2", "label"),
    form=judgement(
        "One: {sentence1}\nOther: {sentence2}\nDoes the word {word} mean the same in both?",
        true=_labelled,
        keys=("word",),
    ),
    licence="CC BY-NC 4.0",
    paper="https://arxiv.org/abs/1808.09121",
    rows=6_066,
)

TWITTER_SENTIMENT = Dataset(
    name="twitter-sentiment",
    question="Is a tweet positive?",
    # The repository has no card: who wrote and who labelled the tweets is not stated, nor the
    # licence, nor how many rows there are (the hub says between one and ten million). Known are
    # its two files in parquet, train and test, and its fields, from EleutherAI's code, which
    # takes label 1 for the second class. Whether Burns et al. used the same tweets is unknown.
    repo="EleutherAI/twitter-sentiment",
    splits=("train", "test"),
    fields=("text", "label"),
    form=judgement("{text}\n\nIs the mood of this tweet good?", true=_labelled),
    licence="not stated",
    paper=None,
    rows=None,
    classes=("negative", "positive"),
    most=MOST,
)

AMAZON_POLARITY = Dataset(
    name="amazon_polarity",
    question="Is a product review positive?",
    repo="fancyzhx/amazon_polarity",
    # The test split alone has 400,000 reviews; the training split, nine times as many, would
    # only be downloaded.
    splits=("test",),
    fields=("title", "content", "label"),
    form=judgement("{title}\n{content}\n\nDoes this review recommend it?", true=_labelled),
    licence="Apache 2.0",
    paper="https://arxiv.org/abs/1502.01710",
    rows=400_000,
    classes=("negative", "positive"),
    most=MOST,
)


def _conversation(row: Fields) -> Formatted | None:
    """One of two conversations that end differently; None for the few pairs that do not."""
    chosen, rejected = text(row, "chosen"), text(row, "rejected")
    if chosen == rejected:
        return None
    low, high = sorted((chosen, rejected))
    conversation = high if draw("conversation", low, high) % 2 else low
    # Conversations that go on differently are rows of their own: they share how they begin.
    opening = conversation.partition("\n\nAssistant:")[0]
    return Formatted(conversation, int(conversation == chosen), (opening,))


ANTHROPIC_HH = Dataset(
    name="anthropic_hh",
    question="Is this the conversation that people preferred?",
    # The repository holds compressed JSON lines, which are not read. That the hub's copy in
    # parquet has all of them could not be looked up.
    repo="Anthropic/hh-rlhf",
    revision=CONVERTED,
    splits=("train", "test"),
    fields=("chosen", "rejected"),
    form=_conversation,
    licence="MIT",
    paper="https://arxiv.org/abs/2204.05862",
    rows=169_352,
    classes=("bad", "good"),
    # The text is the conversation and no more: what finetuning learns, a prompt has to ask.
    prompt=replace(
        YES_OR_NO, template=f"{PLACE}\n\nIs the last reply of the assistant a good one?\nAnswer:"
    ),
    most=MOST,
)
