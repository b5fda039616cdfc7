"""Published preferences: two completions of one prompt, of which people or a model chose one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from weak2strong.subjects.literature.dataset import Dataset
from weak2strong.subjects.literature.fields import (
    Fields,
    Formatted,
    MisfitError,
    text,
    truth,
    whole,
)
from weak2strong.subjects.literature.sentences import MOST
from weak2strong.tasks.hub import CONVERTED
from weak2strong.tasks.pairs import PREFERRED, Completion, Pair, chat_pair, pair
from weak2strong.tasks.task import Dialogue

_ANSWER = "\n\nAssistant:"


def _preferred(pair: Pair, keys: Sequence[str]) -> Formatted:
    return Formatted(pair.text, pair.label, tuple(keys), pair.completions, pair.dialogues)


def _conversations(row: Fields) -> Formatted:
    """Two conversations; the prompt is what both begin with, up to a turn of the assistant."""
    chosen, rejected = text(row, "chosen"), text(row, "rejected")
    same = takewhile(lambda two: two[0] == two[1], zip(chosen, rejected, strict=False))
    shared = chosen[: sum(1 for _ in same)]
    prompt = shared[: shared.rfind(_ANSWER) + len(_ANSWER)] if _ANSWER in shared else ""
    sides = [Completion(conversation.removeprefix(prompt)) for conversation in (chosen, rejected)]
    # A conversation that goes on in another way is another row: both have the same beginning.
    return _preferred(pair(prompt, *sides), [chosen.partition(_ANSWER)[0]])


def _comments(row: Fields) -> Formatted:
    """A post and two comments; label 1 means that the first comment has the higher score."""
    post = text(row, "history")
    sides = [Completion(text(row, field)) for field in ("human_ref_A", "human_ref_B")]
    if not truth(row, "labels"):
        sides.reverse()
    return _preferred(pair(f"Post: {post}\n\nComment: ", *sides), [text(row, "post_id")])


def _summaries(row: Fields) -> Formatted:
    """A post and two summaries; ``choice`` counts them from 0."""
    post, both = text(row, "info.post"), row["summaries"]
    if not isinstance(both, list) or len(both) != 2:
        raise MisfitError("summaries", both, "a list of two summaries")
    sides = [Completion(text(summary, "text").strip()) for summary in both]
    if whole(row, "choice", 0, 1):
        sides.reverse()
    return _preferred(pair(f"Post: {post}\n\nSummary: ", *sides), [post])


def _chats(row: Fields) -> Formatted | None:
    """Two chats with scores; None where the scores are equal, so that neither is preferred."""
    if _score(row, "score_chosen") == _score(row, "score_rejected"):
        return None
    chosen, rejected = _turns(row, "chosen"), _turns(row, "rejected")
    return _preferred(chat_pair(chosen, rejected), [text(row, "prompt")])


def _answers(row: Fields) -> Formatted:
    """A prompt and two answers as texts; each answer becomes a chat of two turns."""
    text(row, "subset")
    turn = ("user", text(row, "prompt"))
    chats = [(turn, ("assistant", text(row, side))) for side in ("chosen", "rejected")]
    return _preferred(chat_pair(*chats), [turn[1]])


def _score(row: Fields, field: str) -> float:
    if not isinstance(row[field], (int, float)):
        raise MisfitError(field, row[field], "a number")
    return row[field]


def _turns(row: Fields, field: str) -> Dialogue:
    messages = row[field]
    if not isinstance(messages, list) or not messages:
        raise MisfitError(field, messages, "a list of messages")
    return tuple((text(turn, "role"), text(turn, "content")) for turn in messages)


HH_HELPFUL = Dataset(
    name="hh-helpful",
    question="Which of two replies did people find more helpful?",
    repo="Anthropic/hh-rlhf",
    # Compressed JSON lines; the hub's copy in parquet does not keep its parts apart.
    subset="helpful-base",
    splits=("train", "test"),
    fields=("chosen", "rejected"),
    form=_conversations,
    licence="MIT",
    paper="https://arxiv.org/abs/2204.05862",
    rows=46_189,
    kind="preference",
    classes=PREFERRED,
)

HH_HARMLESS = replace(
    HH_HELPFUL,
    name="hh-harmless",
    question="Which of two replies did people find less harmful?",
    subset="harmless-base",
    rows=44_849,
)

SHP = replace(
    HH_HELPFUL,
    name="shp",
    question="Which of two comments on a post has more votes, though it came later?",
    # The repository holds a folder of JSON lines for each of 18 forums.
    repo="stanfordnlp/SHP",
    revision=CONVERTED,
    subset=None,
    pooled=True,
    splits=("train", "validation", "test"),
    fields=("post_id", "history", "human_ref_A", "human_ref_B", "labels"),
    form=_comments,
    licence="not stated; posts of Reddit, by the terms of its API",
    paper="https://arxiv.org/abs/2110.08420",
    rows=385_563,
    most=MOST,
)

SUMMARIZE_FEEDBACK = replace(
    SHP,
    name="summarize-feedback",
    question="Which of two summaries of a post did people prefer?",
    # A repository with a loading script. That the hub has converted it could not be looked up.
    repo="openai/summarize_from_feedback",
    subset="comparisons",
    pooled=False,
    # Left out: validation, part of which is about news and not about posts.
    splits=("train",),
    fields=("info", "summaries", "choice"),
    form=_summaries,
    licence="modified MIT (its code's repository)",
    paper="https://arxiv.org/abs/2009.01325",
    rows=92_858,
)

ULTRAFEEDBACK = replace(
    HH_HELPFUL,
    name="ultrafeedback",
    question="Which of two answers did GPT-4 score higher?",
    repo="HuggingFaceH4/ultrafeedback_binarized",
    subset=None,
    splits=("train_prefs", "test_prefs"),
    fields=("prompt", "chosen", "rejected", "score_chosen", "score_rejected"),
    form=_chats,
    paper="https://arxiv.org/abs/2310.01377",
    rows=63_135,
    most=MOST,
)


REWARD_BENCH = replace(
    HH_HELPFUL,
    name="reward-bench",
    question="Which of two answers is better (a benchmark: to test on only)?",
    repo="allenai/reward-bench",
    subset=None,
    splits=("filtered",),
    fields=("prompt", "chosen", "rejected", "subset"),
    form=_answers,
    licence="ODC-BY",
    paper="https://arxiv.org/abs/2403.13787",
    rows=2_985,
    only_test=True,
)

REWARD_BENCH_2 = replace(
    REWARD_BENCH,
    name="reward-bench-2",
    question="Which of several answers are the best (a benchmark: to test on only)?",
    repo="allenai/reward-bench-2",
    # Each row has lists of right and of wrong answers, and an id that tells which belong together.
    also=("id",),
    splits=("test",),
    paper="https://arxiv.org/abs/2506.01937",
    rows=1_865,
)
