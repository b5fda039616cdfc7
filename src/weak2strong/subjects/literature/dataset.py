"""What is known about a dataset of the literature."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from weak2strong.tasks.prompt import PLACE, Prompt
from weak2strong.tasks.task import Dialogue, Kind

CONVERTED = "refs/convert/parquet"
"""The hub's own copy in parquet, of repositories that hold a loading script and no data."""

YES_OR_NO = Prompt(((" no",), (" yes",)), f"{PLACE}\nAnswer:")
"""How a language model is asked: texts end in a question, and yes stands for the second class."""

Fields = Mapping[str, Any]
"""A row as the file has it, by field."""


@dataclass(frozen=True)
class Formatted:
    """One item of a task.

    Attributes:
        text: what the model reads.
        label: index of its class.
        completions: two of them, where the text is a prompt and the label is which is preferred.
        dialogues: the two chats, where they are chats.
        keys: what it is about; items with a key in common stay in one split, but empty
            keys are none.
    """

    text: str
    label: int
    keys: tuple[str, ...] = ()
    completions: tuple[str, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()


Form = Callable[[Fields], Formatted | None]
"""Makes the item of a row; None where the row asks nothing. Raises `MisfitError` for a bad row."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset, and how its rows become items.

    Attributes:
        name: as in EleutherAI's code.
        question: what is asked, in one line for lists.
        repo: id on the hub.
        subset: which of the repository's subsets; None where it has one.
        splits: which of its splits are pooled, to be parted anew: those whose labels
            are public.
        fields: columns that must be there; a form sees these alone.
        form: makes the item of a row.
        licence: of the data, as far as it is stated.
        paper: address of the publication; None where there is none that we know of.
        rows: of the pooled splits, as published; None where we do not know.
        classes: names of the two classes.
        revision: branch that is read where the user names none; None for the default one.
        prompt: how a language model is asked.
        most: rows that are used at most, drawn by their content; None for all.
        kind: of the task.
        only_test: whether it was made to test on, and never to train on.
    """

    name: str
    question: str
    repo: str
    splits: tuple[str, ...]
    fields: tuple[str, ...]
    form: Form
    licence: str
    paper: str | None
    rows: int | None
    subset: str | None = None
    classes: tuple[str, str] = ("no", "yes")
    revision: str | None = None
    prompt: Prompt = YES_OR_NO
    most: int | None = None
    kind: Kind = "classification"
    only_test: bool = False

    @property
    def published(self) -> str | None:
        """Year, and month where it is known, of the paper, as its address tells; None if it does
        not."""
        if found := re.search(r"arxiv\.org/abs/(\d\d)(\d\d)\.", self.paper or ""):
            return f"20{found[1]}-{found[2]}"
        # Addresses of the ACL Anthology before 2020: a letter for the meeting, and the year.
        if found := re.search(r"aclanthology\.org/[A-Z]([01]\d)-", self.paper or ""):
            return f"20{found[1]}"
        return None
