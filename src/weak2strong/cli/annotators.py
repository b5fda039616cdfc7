"""`w2s annotators`: how people agree who labelled the same data, before they are weak labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from tyro.conf import Positional, arg

from weak2strong.cli.printing import Printing
from weak2strong.cli.study import DataFlags, data_options
from weak2strong.ground.rooms import Purpose


@dataclass(frozen=True)
class Annotators(Printing):
    """Compare annotators with each other and with ground truth.

    The data have a column for each. Name their columns with --weak-label-columns. Nothing is
    trained: w2s run with the same flags takes what they say as weak labels.
    """

    purpose: ClassVar[Purpose] = Purpose.DATA

    task: Positional[Annotated[str, arg(metavar="TASK")]]
    """The file or the dataset."""
    data: DataFlags = field(default_factory=DataFlags)

    def __call__(self) -> None:
        """Print a row an annotator, and one a pair."""
        from weak2strong.analysis.annotators import annotators_document
        from weak2strong.ground.errors import UserError
        from weak2strong.tasks.find import find_tasks

        options = data_options(self.data)
        if not options.weak_label_columns:
            raise UserError(
                "w2s annotators needs the columns of the annotators: name them with "
                "--weak-label-columns."
            )
        (task,) = find_tasks((self.task,), options)
        self.show(annotators_document(task, options.weak_label_columns))
