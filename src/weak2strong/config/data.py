"""Where a user's own data have what, and how they are made into tasks."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from weak2strong.config.fields import Count, Encoding, Flag, Positive, Reference, Text, Texts
from weak2strong.config.settings import RefusedError, from_mapping, settings
from weak2strong.ground.rooms import OPTIONS

NONE = "none"
"""What stands in place of a column that is not to be looked for."""

OF_READING = (
    *("text_column", "label_column", "prompt_column", "chosen_column", "rejected_column"),
    *("preference_column", "template", "strict_rows", "encoding", "unpacked_limit"),
)
"""Options for whoever reads texts to answer, without splits."""

OF_TEXTS = (
    *("text_column", "prompt_column", "chosen_column", "rejected_column", "preference_column"),
    *("target_column", "template", "near_duplicates", "group_beginnings"),
)
"""Options that mean nothing where tasks have no words."""

Column = Annotated[Text, Flag(metavar="COLUMN")]
Columns = Annotated[Texts, Flag(metavar="COLUMN")]
Class = TypeVar("Class", bound=type)

Rule = Literal["mean", "majority", "dawid-skene"]
"""What becomes of the classes that several annotators gave to one example."""


def _with_sources(cls: Class) -> Class:
    """Add a field for the options of every source of tasks that brings some along."""
    for name in OPTIONS:
        kind = OPTIONS.get(name)
        cls.__annotations__[name] = Annotated[kind, from_mapping(kind)]
        setattr(cls, name, field(default_factory=kind))
    return cls


@settings("the data")
@_with_sources
class DataOptions:
    """For files and datasets of your own: where they have what, and how they become a task."""

    text_column: Columns = ("text",)
    """The column with what the model reads, or several, with a blank line between them; by default
    text, or another usual name (docs/data.md)."""
    label_column: Column = "label"
    """The column with the class: names, whole numbers, or true and false; by default likewise."""
    prompt_column: Columns = ()
    """The column of what is asked, where answers are compared or written, or several."""
    chosen_column: Column | None = None
    """The column of the better completion; with --preference-column, of the first one."""
    rejected_column: Column | None = None
    """The column of the worse completion, or of the second one."""
    preference_column: Column | None = None
    """The column that says which of two completions is preferred."""
    target_column: Column | None = None
    """The column of the answer to a prompt, which the model learns to write."""
    template: Text | None = None
    """A text or prompt made of columns, such as "{premise} Question: {hypothesis} True or
    false?"."""
    strict_rows: bool = False
    """Refuse the first malformed row; by default up to 5% of the rows are left out and counted."""
    group_column: Column | None = None
    """A column whose equal entries stay in one split, such as a question or an author; by default
    one that a usual name tells, such as prompt_id, where entries repeat; none for no column."""
    id_column: Column | None = None
    """A column with an id of every row's own; by default ids are made from the texts."""
    split_column: Column | None = None
    """A column that gives the split of every row (train, validation, test, or our own four); by
    default split, where a single file has it; none to draw splits of all rows."""
    weak_label_columns: Columns = ()
    """Columns with the classes that people gave, one a person, beside the column of ground truth:
    they are the weak labels, in place of a supervisor's (see: w2s annotators)."""
    weak_label_rule: Annotated[Rule, Flag(metavar="RULE")] = "mean"
    """What becomes of several people's classes: how many gave each (mean, soft), the one that most
    gave (majority), or what is probable once each person's errors are estimated from where they
    disagree (dawid-skene)."""
    n_train: Count | None = None
    """Examples of weak_train and of strong_train, each; even classes round it down. By default a
    share of what there is."""
    n_validation: Count | None = None
    """Examples of validation, likewise."""
    n_test: Count | None = None
    """Examples of test, likewise."""
    shrink: bool = False
    """Where there are too few examples for these sizes, make all of them smaller alike."""
    balance: bool = True
    """Take as many examples of every class as the rarest one has; of preferences, all are taken."""
    near_duplicates: bool = True
    """Look for texts that are nearly the same, and keep them in one split."""
    encoding: Annotated[Encoding | None, Flag(metavar="NAME")] = None
    """Of text files, such as latin-1 or cp1252; by default UTF-8, or what a mark at the beginning
    of a file says (UTF-16)."""
    unpacked_limit: Annotated[Positive, Flag(metavar="GIB")] = 8.0
    """How many GiB a packed file (.gz, .bz2, .xz, .zst, .zip) may hold; a larger one is refused."""
    group_beginnings: bool = False
    """Keep texts that begin alike for 80 characters or more, beyond what a template gives, in one
    split: questions on one passage, or turns of one conversation."""
    subset: Text | None = None
    """Which part of a dataset of the hub, where it has several."""
    split: Text = "train"
    """Which of the dataset's own splits to make ours of."""
    test_on: Annotated[Reference | None, Flag(metavar="TASK")] = None
    """Test on other data of the same kind, such as reward-bench, in place of a part of the task."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __post_init__(self) -> None:
        if self.label_column in self.text_column:
            raise RefusedError(
                f"text and label cannot both be in column {self.label_column!r}: "
                "name two with text_column and label_column."
            )
        if not self.text_column:
            raise RefusedError("text_column names no column: name one, or leave it out.")
        if self.test_on is not None and self.split_column not in (None, NONE):
            raise RefusedError(
                "split_column and test_on both say what is tested on: leave one of them out."
            )
        if self.label_column in self.weak_label_columns:
            raise RefusedError(
                f"ground truth and weak labels cannot both be in column {self.label_column!r}: "
                "name another label_column, or leave it out of weak_label_columns."
            )
        given = self.weak_label_columns
        if self.weak_label_rule != "mean" and not given:
            raise RefusedError(
                f"weak_label_rule {self.weak_label_rule} says what becomes of several people's "
                "classes, and there are none: name their columns with weak_label_columns, or leave "
                "it out."
            )
        if twice := next((name for name in given if given.count(name) > 1), None):
            raise RefusedError(
                f"column {twice!r} stands twice in weak_label_columns, and would count as two "
                "people: name each column once."
            )
        self._check_together()

    def _check_together(self) -> None:
        """Refuse columns that belong to two kinds of task, or two ways to make one text."""
        text = ["text_column"] if self.text_column != ("text",) else []
        label = ["label_column"] if self.label_column != "label" else []
        prompt = ["prompt_column"] if self.prompt_column else []
        pairs = [
            n for n in ("chosen_column", "rejected_column", "preference_column") if getattr(self, n)
        ]
        target = ["target_column"] if self.target_column else []
        template = ["template"] if self.template else []
        for several, why in (
            ([(text + label)[:1], pairs[:1], target], "are for different kinds of task"),
            ([text, prompt, template], "both say what the text is made of"),
        ):
            named = [name for names in several for name in names]
            if len(named) > 1:
                raise RefusedError(f"{named[0]} and {named[1]} {why}: leave one of them out.")
