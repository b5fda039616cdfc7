"""`w2s predict`: a model that a study kept answers the texts of a file, or images."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from tyro.conf import arg

from weak2strong.cli.flags import changed
from weak2strong.cli.printing import Printing
from weak2strong.cli.study import ReadingFlags
from weak2strong.ground.lines import tell
from weak2strong.ground.rooms import Purpose

if TYPE_CHECKING:
    from weak2strong.engine.predicted import Answered
    from weak2strong.ground.table import Document


@dataclass(frozen=True, kw_only=True)
class Predict(Printing):
    """Let a model that a study kept answer texts or images.

    Models are kept by w2s run --keep-models; what they answer may have labels or not. Probabilities
    of the classes by id; rewards, where a model of preferences reads single texts.
    """

    purpose: ClassVar[Purpose] = Purpose.DATA

    model: Annotated[Path, arg(metavar="FOLDER")]
    """The folder of the model, below models/ in the run folder."""
    task: Annotated[str, arg(metavar="FILE|NAME")]
    """A file of texts (.jsonl, .csv, .parquet ...), a folder or list of images, or the name of a
    task (see: w2s tasks)."""
    out: Annotated[Path, arg(metavar="FILE")] = Path("predictions.parquet")
    """The file that the answers are written to, whose name ends in .parquet or .csv."""
    data: ReadingFlags = field(default_factory=ReadingFlags)
    id_column: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """The column of the ids; id by default, and made of the texts where there is none."""

    def __call__(self) -> None:
        """Write the answers, and print the scores where there are labels."""
        from weak2strong.config.data import DataOptions
        from weak2strong.engine.predicted import answer
        from weak2strong.engine.record import parquet
        from weak2strong.ground.disks import writing
        from weak2strong.ground.errors import UserError
        from weak2strong.ground.whole import write_whole

        form = self.out.suffix.lower()
        if form not in (".parquet", ".csv"):
            raise UserError(
                f"Answers are written as Parquet or CSV, and {self.out} ends in neither .parquet "
                "nor .csv: choose such a name with --out."
            )
        options = replace(changed(DataOptions(), self.data), id_column=self.id_column)
        found = answer(self.model, self.task, options)
        with writing(self.out, "choose another file with --out"):
            write_whole(self.out, parquet(found.table) if form == ".parquet" else found.csv())
        tell(*found.said)
        if found.scores or self.json:
            self.show(_scores(found))
        tell(f"{len(found.table):,} answers written to {self.out}")


def _scores(found: Answered) -> Document:
    """A row a metric."""
    from weak2strong.ground.table import Column, Document, Table, words

    rows = [{"metric": name, "score": score} for name, score in found.scores.items()]
    score = Column("score", "score", lambda row: f"{row['score']:.4f}")
    title = f"Scores on {found.labelled:,} {found.what} with labels"
    return Document([Table("scores", title, (words("metric"), score), rows)], {}, [])
