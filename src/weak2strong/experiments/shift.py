"""Superficial alignment: where students write other tokens than their pretrained model would.

The folder, that of the run unless another is named, gets ``shift.parquet``, a row a task, writer
and places in an answer, and ``shifted_tokens.parquet``, a row a task, writer and token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.oracles import oracles
from weak2strong.analysis.shifts import BANDS, place_text, shift_rows, token_rows, writers
from weak2strong.analysis.tested import Tested
from weak2strong.config.settings import settings
from weak2strong.experiments.beside import FinishedBeside, OnRun
from weak2strong.experiments.experiment import Where, task_runs_of
from weak2strong.ground.errors import UserError
from weak2strong.ground.ids import positions
from weak2strong.ground.predictions import WRITTEN
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import (
    Column,
    Document,
    Row,
    Table,
    count,
    estimate,
    number,
    number_text,
    words,
)
from weak2strong.protocol.resolve import resolved

if TYPE_CHECKING:
    import polars as pl

    from weak2strong.models.language import LanguageModel

SHIFT, TOKENS = "shift.parquet", "shifted_tokens.parquet"

SHOWN = 5
"""Tokens of a writer that are printed."""

NOTE = (
    "Each token that was written is ranked by the pretrained strong model, after the same prompt "
    "and the tokens before it (Lin et al. 2023): unshifted is rank 1, marginal 2 and 3, shifted "
    "beyond. Shares of tokens, means over seeds, with 95% intervals over seeds and test examples. "
    "The end of an answer does not count."
)

PLACES_NOTE = "The share of shifted tokens by their place in the answer, counted from 1."

TOKENS_NOTE = (
    "The tokens that were shifted most often, over all seeds; those that read alike count together."
)


@dataclass(frozen=True)
class FinishedShift(FinishedBeside):
    """A folder with shifts of the tokens that the students of a run wrote."""

    COMMAND: ClassVar[str] = "shift"
    FILES: ClassVar[Mapping[str, str]] = {
        SHIFT: "a row a task, writer and places in an answer",
        TOKENS: "a row a task, writer and token",
    }
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        SHIFT: columns(
            text="task role method",
            whole="first last tokens",
            number=" ".join(f"{band}{end}" for band in BANDS for end in ("", "_low", "_high")),
            flag="oracle",
        ),
        TOKENS: columns(
            text="task role method token", whole="written shifted", number="share", flag="oracle"
        ),
    }
    FIGURES = ("shift",)

    @property
    def title(self) -> str:
        """The pair of models."""
        return f"Shifted tokens, {self.runs[0].title}"

    @property
    def about(self) -> str:
        """What is compared."""
        return (
            "How far finetuned models write what their pretrained model would have written in the "
            "same place. Small shifts show that little of the text is new, not that the text is "
            "right."
        )

    @cached_property
    def document(self) -> Document:
        """Shares of tokens by writer, by place, and the tokens that shift most."""
        rows, tokens = (self.read_table(file).to_dicts() for file in self.FILES)
        first = [
            row for _, of in groupby(tokens, _writer) for row in list(of)[:SHOWN] if row["shifted"]
        ]
        notes = ["*: students saw ground truth."] if any(row["oracle"] for row in rows) else []
        return Document(
            [_shares(rows), _places(rows), *([_tokens(first)] if first else [])],
            facts={"places": [row for row in rows if row["first"] is not None]},
            notes=notes,
        )


@settings("a look at shifts")
class Shift(OnRun[FinishedShift]):
    """Tell where students write other tokens than they used to.

    They are those of a finished run, beside their pretrained model. For each token that students
    and ceiling wrote on test prompts, the pretrained strong model says which rank it gives this
    token in the same place. It is for tasks that are answered in words. Nothing is trained; the
    pretrained model is loaded once.
    """

    purpose: ClassVar[Purpose] = Purpose.ASK

    finished = FinishedShift

    def _tables(self, run: FinishedRun, where: Where) -> tuple[pl.DataFrame, pl.DataFrame]:
        import polars as pl

        from weak2strong.models.language import load_language_model

        if run.predictions["kind"][0] not in WRITTEN:
            raise UserError(
                "Models of this run wrote no texts, and shifts are told of the tokens that are "
                "written: take a run of a generation task."
            )
        prompts = _prompts(run, where)
        model = load_language_model(run.config.strong)
        model.freeze()
        known, rows, tokens = oracles(run.predictions), list[Row](), list[Row]()
        for task, texts in prompts.items():
            tested = run.tested[task]
            ranks = _ranks(model, tested, texts, task, where)
            for found, made in ((rows, shift_rows), (tokens, token_rows)):
                found += [
                    {"task": task, **row, "oracle": row["method"] in known}
                    for row in made(tested, ranks)
                ]
        text = dict.fromkeys(("task", "role", "method"), pl.String)
        whole = dict.fromkeys(("first", "last", "tokens"), pl.Int64)
        shares = [f"{band}{end}" for band in BANDS for end in ("", "_low", "_high")]
        flag = {"oracle": pl.Boolean}
        return (
            pl.DataFrame(rows, {**text, **whole, **dict.fromkeys(shares, pl.Float64), **flag}),
            pl.DataFrame(
                tokens,
                {
                    **text,
                    "token": pl.String,
                    **dict.fromkeys(("written", "shifted"), pl.Int64),
                    "share": pl.Float64,
                    **flag,
                },
            ),
        )


def _prompts(run: FinishedRun, where: Where) -> dict[str, list[str]]:
    """The test prompts of each task in the order of their ids, as `Tested` has the answers."""
    found = dict[str, list[str]]()
    for task, task_run in task_runs_of(resolved(run.config), where).items():
        of = run.predictions.filter(task=task, role="ceiling", seed=0, method="")
        ids = of["id"].sort().to_list()
        items = [example.item for example in task_run.splits.test]
        at = positions([item.id for item in items], ids, f"prompt in {task}")
        found[task] = [items[i].text for i in at]
    return found


def _ranks(
    model: LanguageModel, tested: Tested, prompts: Sequence[str], task: str, where: Where
) -> dict[tuple[int, str], tuple[tuple[str, ...], tuple[int, ...]]]:
    """Tokens and ranks by example and answer; what several wrote passes the model once."""
    from weak2strong.training.shift import token_ranks

    several = writers(tested).values()
    every = ((i, str(x)) for w in several for seed in w for i, x in enumerate(seed))
    asked = list(dict.fromkeys(every))
    where.progress.line(f"{task}: the pretrained model ranks the tokens of {len(asked):,} answers")
    ranked = token_ranks(model, [prompts[i] for i, _ in asked], [text for _, text in asked])
    return {key: (of.tokens, of.ranks) for key, of in zip(asked, ranked, strict=True)}


def _writer(row: Row) -> tuple[str, str, str]:
    return row["task"], row["role"], row["method"]


def writer_name(row: Row) -> str:
    """Who wrote: a method's students, with a star where they saw ground truth, or the ceiling."""
    return row["role"] if row["role"] == "ceiling" else row["method"] + " *" * row["oracle"]


WRITER = Column("method", "writer", writer_name, "left")


def _gaps(rows: Sequence[Row]) -> list[int]:
    """Where another task begins."""
    return [i for i in range(1, len(rows)) if rows[i]["task"] != rows[i - 1]["task"]]


def _shares(rows: Sequence[Row]) -> Table:
    """A row a task and writer."""
    rows = [row for row in rows if row["first"] is None]
    return Table(
        "shifts",
        "Tokens that finetuned models wrote, by their rank in the pretrained model",
        [
            words("task", wraps=True),
            WRITER,
            count("tokens"),
            *(estimate(band, f"{band} [95%]") for band in BANDS),
        ],
        rows,
        notes=[NOTE],
        gaps=_gaps(rows),
    )


def _places(rows: Sequence[Row]) -> Table:
    """A row a task and writer, with a column for each range of places that has tokens."""
    places = {(r["first"], r["last"]): None for r in rows if r["first"] is not None}
    wide = [
        {
            **dict(zip(("task", "role", "method"), who, strict=True)),
            **{"oracle": of[0]["oracle"]},
            **{place_text(r["first"], r["last"]): r["shifted"] for r in of},
        }
        for who, of in ((who, list(of)) for who, of in groupby(rows, _writer))
    ]
    titles = [place_text(*place) for place in sorted(places, key=lambda place: place[0])]
    columns = [number(title, title) for title in titles]
    notes = [PLACES_NOTE]
    return Table(
        "places", "", [words("task", wraps=True), WRITER, *columns], wide, notes, _gaps(wide)
    )


def _tokens(rows: Sequence[Row]) -> Table:
    """A row a task, writer and token."""

    def share(row: Row) -> str:
        return f"{row['shifted']:,} of {row['written']:,}, {number_text(row['share'], 2)}"

    starts = [i for i in range(1, len(rows)) if _writer(rows[i]) != _writer(rows[i - 1])]
    return Table(
        "tokens",
        "",
        [
            words("task", wraps=True),
            WRITER,
            Column("token", "token", lambda row: repr(row["token"]), "left"),
            Column("shifted", "shifted, share", share),
        ],
        rows,
        [TOKENS_NOTE],
        starts,
    )
