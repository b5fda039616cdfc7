"""The flags about a user's own data, which several commands share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

from tyro.conf import FlagCreatePairsOff, arg

from weak2strong.cli.sources import Sources, changed

if TYPE_CHECKING:
    from weak2strong.config.data import DataOptions

Column = Annotated[str | None, arg(metavar="COLUMN", help_behavior_hint="")]
Name = Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")]
Size = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Given = FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]]


@dataclass(frozen=True)
class Data:
    """For files and datasets of your own: where they have what, and how they become a task."""

    text_column: Column = None
    """The column with what the model reads (default: text)."""
    label_column: Column = None
    """The column with the class: names, whole numbers from 0, true and false (default: label)."""
    group_column: Column = None
    """A column whose equal entries stay in one split, such as a question or an author."""
    id_column: Column = None
    """A column with an id of every row's own (default: ids are made from the texts)."""
    n_train: Size = None
    """Examples of weak_train and of strong_train, each (default: a share of what there is)."""
    n_validation: Size = None
    """Examples of validation, likewise."""
    n_test: Size = None
    """Examples of test, likewise."""
    balance: Given = False
    """Take as many examples of every class as the rarest one has (default)."""
    no_balance: Given = False
    """Keep the classes as uneven as they are."""
    near_duplicates: Given = False
    """Look for texts that are nearly the same, and keep them in one split (default)."""
    no_near_duplicates: Given = False
    """Do not look for them."""
    subset: Name = None
    """Which part of a dataset of the hub, where it has several."""
    split: Name = None
    """Which of the dataset's own splits to make ours of (default: train)."""
    test_on: Annotated[str | None, arg(metavar="TASK", help_behavior_hint="")] = None
    """Test on other data of the same kind, such as reward-bench, in place of a part of the task."""
    sources: Sources = field(default_factory=Sources)

    def options(self, study: DataOptions | None = None) -> DataOptions:
        """The options of a study, or else the default ones, with those that were given."""
        from weak2strong.config.data import DataOptions

        options = study or DataOptions()
        given = {
            "text_column": self.text_column,
            "label_column": self.label_column,
            "group_column": self.group_column,
            "id_column": self.id_column,
            "n_train": self.n_train,
            "n_validation": self.n_validation,
            "n_test": self.n_test,
            "balance": _either(self.balance, self.no_balance),
            "near_duplicates": _either(self.near_duplicates, self.no_near_duplicates),
            "subset": self.subset,
            "split": self.split,
            "test_on": self.test_on,
            **changed(options, self.sources),
        }
        return replace(options, **{k: v for k, v in given.items() if v is not None})


def _either(yes: bool, no: bool) -> bool | None:
    """What one of two opposite flags says; None where neither is given, or both are."""
    return None if yes == no else yes
