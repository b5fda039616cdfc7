"""Made-up rows with the true fields; all texts of a row are random strings that differ."""

import random

import pytest

LETTERS = "ABCD"


def sayer(seed):
    """Makes strings of every look: either case, digits, stops, spaces at the ends."""
    dice = random.Random(f"say {seed}")

    def say():
        words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(2)]
        look = dice.choice((str.lower, str.upper, str.capitalize))
        ends = ("", "", ".", "!", " ", '"'), ("", "", " ", "{x} ", "1 ")
        return dice.choice(ends[1]) + look(" ".join(words)) + dice.choice(ends[0])

    return say


def numbered(*names, say, **others):
    return {**{name: say() for name in names}, **others}


def lettered(right, count, say, **others):
    letters = LETTERS[:count]
    texts = [say() for _ in letters]
    return {"choices": {"text": texts, "label": list(letters)}, "answerKey": letters[right]} | {
        name: say() for name in others
    }


def swapped(right, count, say):
    """As many strings, the one that is right first."""
    made = [say() for _ in range(count)]
    return [made[right], *(text for i, text in enumerate(made) if i != right)]


def sciq(right, say, *more):
    names = ("correct_answer", "distractor1", "distractor2", "distractor3")
    return numbered("question", *more, say=say) | dict(
        zip(names, swapped(right, 4, say), strict=True)
    )


def conversation(right, say):
    start = f"\n\nHuman: {say()}\n\nAssistant: "
    chosen, rejected = (start + end for end in swapped(right, 2, say))
    return {"chosen": chosen, "rejected": rejected}


def dream(right, say):
    choice = [say() for _ in range(3)]
    fields = numbered("dialogue_id", "question", say=say, dialogue=[say(), say()])
    return fields | {"choice": choice, "answer": choice[right]}


COSMOS = ("context", "question", "answer0", "answer1", "answer2", "answer3")
SOCIAL = ("context", "question", "answerA", "answerB", "answerC")

ROWS = {
    "boolq": (2, lambda r, say: numbered("question", "passage", say=say, answer=bool(r))),
    "cosmos_qa": (4, lambda r, say: numbered(*COSMOS, say=say, label=r)),
    "dream": (3, dream),
    "ethics-justice": (2, lambda r, say: numbered("scenario", say=say, label=r)),
    "ethics-deontology": (2, lambda r, say: numbered("scenario", "excuse", say=say, label=r)),
    "ethics-virtue": (2, lambda r, say: {"scenario": f"{say()} [SEP] {say()}", "label": r}),
    "ethics-utilitarianism": (
        2,
        lambda r, say: dict(zip(("baseline", "less_pleasant"), swapped(r, 2, say), strict=True)),
    ),
    "anli-r2": (3, lambda r, say: numbered("premise", "hypothesis", say=say, label=r)),
    "cola": (2, lambda r, say: numbered("sentence", say=say, label=r)),
    "sst2": (2, lambda r, say: numbered("sentence", say=say, label=r)),
    "hellaswag": (
        4,
        lambda r, say: numbered(
            "source_id", "ctx", say=say, endings=[say() for _ in range(4)], label=str(r)
        ),
    ),
    "mc_taco": (2, lambda r, say: numbered("sentence", "question", "answer", say=say, label=r)),
    "openbookqa": (4, lambda r, say: lettered(r, 4, say, question_stem=0)),
    "paws": (2, lambda r, say: numbered("sentence1", "sentence2", say=say, label=r)),
    "quail": (
        4,
        lambda r, say: numbered(
            "context_id",
            "context",
            "question",
            say=say,
            answers=[say() for _ in range(4)],
            correct_answer_id=r,
        ),
    ),
    "piqa": (2, lambda r, say: numbered("goal", "sol1", "sol2", say=say, label=r)),
    "quartz": (2, lambda r, say: lettered(r, 2, say, para_id=0, para=0, question=0)),
    "sciq": (4, sciq),
    "social_i_qa": (3, lambda r, say: numbered(*SOCIAL, say=say, label=str(r + 1))),
    "multirc": (2, lambda r, say: numbered("paragraph", "question", "answer", say=say, label=r)),
    "wic": (2, lambda r, say: numbered("word", "sentence1", "sentence2", say=say, label=r)),
    "twitter-sentiment": (2, lambda r, say: numbered("text", say=say, label=r)),
    "sciq_with_support": (4, lambda r, say: sciq(r, say, "support")),
    "anthropic_hh": (2, conversation),
    "amazon_polarity": (2, lambda r, say: numbered("title", "content", say=say, label=r)),
}
"""By dataset, how many different answers can be right, and a row where one of them is."""


@pytest.fixture
def rows():
    """By dataset, how many answers can be right, and from one and a seed to a row."""
    return {
        name: (ways, lambda right, seed, make=make: make(right, sayer(seed)))
        for name, (ways, make) in ROWS.items()
    }
