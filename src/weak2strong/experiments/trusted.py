"""A few trusted labels: when does choosing by them help, and when is finetuning on them better?

The labels are ground truth of validation, which plays no other part in a study that keeps its last
weights. Students are followed through training (`weak2strong.experiments.followed`), so that the
labels may choose a method, its settings, and when to stop. The folder holds ``trusted.parquet``, a
row a task, policy and number of labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np

from weak2strong.analysis.choosing import (
    ALONE,
    CHOSEN,
    choosing_rows,
    first_clear,
)
from weak2strong.analysis.warnings import few_seeds
from weak2strong.config.fields import Count, Counts, File, Flag
from weak2strong.config.settings import settings
from weak2strong.experiments.candidates import candidate_steps, candidates_of
from weak2strong.experiments.experiment import (
    Experiment,
    FinishedExperiment,
    Where,
    task_runs_of,
)
from weak2strong.experiments.followed import check_sees_no_truth
from weak2strong.experiments.tables import Rows
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric, metric_title
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import (
    Document,
    Row,
    Table,
    count,
    counted,
    estimate,
    estimate_text,
    number,
    words,
)
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun

FILE = "trusted.parquet"

TITLES = {
    "stopping": "choose when to stop",
    "method": "choose the method",
    "both": "choose both",
    ALONE: "finetune on them alone",
}

NOTE = (
    "Gain of each use of the trusted labels over the last student of the first method, on test, "
    "with a 95% interval over seeds and test examples, not adjusted for the number of rows. The "
    "labels are of validation, so that the score of what they choose is honest. claimed: share of "
    "the trusted labels that the student chosen of all has right, which flatters since it was "
    "chosen by them; score: what it has on test. Alone: the strong model, finetuned on the trusted "
    "labels for as many steps as the ceiling."
)


class FinishedTrusted(FinishedExperiment):
    """The folder of what trusted labels were worth."""

    COMMAND = "trusted"
    FILES: ClassVar[Mapping[str, str]] = {FILE: "a row a task, use of the labels and their number"}
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        FILE: columns(
            text="task policy method metric",
            whole="trusted candidates",
            number="score score_low score_high gain gain_low gain_high claimed floor ceiling",
            flag="clear",
        )
    }
    FIGURES = ("trusted",)

    @property
    def title(self) -> str:
        """The pair of models."""
        return f"Trusted labels, {self.config.weak_name} to {self.config.strong.name}"

    @property
    def about(self) -> str:
        """What was chosen among."""
        config = self.config
        return (
            f"A few trusted labels chose among students of {config.strong.name} "
            f"({', '.join(config.methods)}, up to "
            f"{counted(max(r['candidates'] for r in self.rows), 'candidate')} a seed), or "
            f"{config.strong.name} was finetuned on them alone: "
            f"{self.on_tasks}."
        )

    @cached_property
    def document(self) -> Document:
        """What the labels are worth, in sentences and as a row a task and number of labels."""
        first, seeds = self.rows[0], counted(self.config.seeds, "seed")
        uses = [use for use in TITLES if any(row["policy"] == use for row in self.rows)]
        table = Table(
            "trusted",
            f"{self.config.weak_name} to {self.config.strong.name}: "
            f"{metric_title(first['metric'])}, gain over the last student of {first['method']}, "
            f"mean of {seeds}",
            [
                words("task"),
                count("trusted", "labels"),
                *(estimate(f"gain_{use}", TITLES[use], sign=True) for use in uses),
                number("claimed", detail=True),
                number("score", detail=True),
            ],
            list(_wide(self.rows, uses)),
            notes=[NOTE],
        )
        return Document(
            [table],
            head=["", *sentences(self.rows)],
            warnings=few_seeds({self.config.seeds}),
        )


def _wide(rows: Sequence[Row], uses: Sequence[str]) -> Sequence[dict[str, Any]]:
    """A row a task and number of labels, with the gain of each use."""
    found = dict[tuple[str, int], dict[str, Any]]()
    for row in rows:
        if row["policy"] not in uses:
            continue
        key = (row["task"], row["trusted"])
        wide = found.setdefault(key, {"task": key[0], "trusted": key[1]})
        for end in ("", "_low", "_high"):
            wide[f"gain_{row['policy']}{end}"] = row[f"gain{end}"]
        if row["claimed"] is not None:
            # The last use that chooses is that of all candidates.
            wide |= {"claimed": row["claimed"], "score": row["score"]}
    return list(found.values())


def sentences(rows: Sequence[Row]) -> list[str]:
    """From how many labels on choosing helps, and finetuning on them alone is better, by task."""
    said = []
    for task in dict.fromkeys(row["task"] for row in rows):
        of_task = [row for row in rows if row["task"] == task]
        method, most = of_task[0]["method"], max(row["trusted"] for row in of_task)
        helps = {use: first_clear(of_task, use) for use in CHOSEN}
        known = {use: row for use, row in helps.items() if row}
        if known:
            use, row = min(known.items(), key=lambda pair: pair[1]["trusted"])
            text = (
                f"{task}: to {TITLES[use]} by trusted labels clearly helps from {row['trusted']} "
                f"labels on ({estimate_text(row, 'gain', sign=True)})"
            )
        else:
            text = f"{task}: choosing does not clearly help with up to {most} trusted labels"
        alone = first_clear(of_task, ALONE)
        if any(row["policy"] == ALONE for row in of_task):
            text += (
                f"; to finetune on them alone is clearly better than {method} from "
                f"{alone['trusted']} on"
                if alone
                else f"; to finetune on them alone is not clearly better than {method}"
            )
        said.append(text + ".")
    return said


@settings("a choice")
class Trusted(Experiment[FinishedTrusted]):
    """Spend a few trusted labels: to choose, or to finetune on them.

    Method and end of training are chosen. Trusted labels are ground truth of validation. The score
    of what they choose is that on test, so that choosing is paid for; a curve over their number
    tells when they help.
    """

    finished = FinishedTrusted

    trusted: Annotated[Counts, Flag(metavar="N ...")] = (10, 20, 50, 100)
    """Numbers of trusted labels, at most one of each group of validation."""
    trusted_ids: Annotated[File | None, Flag(metavar="FILE")] = None
    """A text with an id of a validation example a line: the only ones whose labels are trusted."""
    evaluations: Count = 5
    """How often to look at a student on its way, so that labels may choose when to stop; 1: only
    at the end."""
    draws: Count = 200
    """Draws of trusted labels that are averaged where they choose."""
    alone: bool = True
    """Whether the strong model is also finetuned on the trusted labels alone, once a seed."""

    def _write(self, where: Where) -> Path:
        if not self.trusted:
            raise UserError("--trusted names no number of labels: name one or more.")
        config = resolved(self.config)
        if config.vary == "split":
            raise UserError(
                "Trusted labels are drawn of one validation set, and in this study each seed has "
                "its own (vary: split): leave --vary split out."
            )
        for method in config.methods:
            check_sees_no_truth(method)
        task_runs = task_runs_of(config, where)
        pools = {name: self._pool(task_run) for name, task_run in task_runs.items()}
        self._warn_of_others(pools)
        todo = candidate_steps(config, pools, self.evaluations, self.alone_counts)

        def tables() -> Mapping[str, Rows]:
            rows = [row for name, x in task_runs.items() for row in self._rows(x, pools[name])]
            return {FILE: rows}

        return where.perform(self.finished, config, task_runs, todo, tables)

    def _pool(self, task_run: TaskRun) -> dict[str, str]:
        """The groups of the validation examples whose labels may be trusted, by id."""
        task, pool = task_run.task, {e.item.id: e.item.group for e in task_run.splits.validation}
        if self.trusted_ids is not None:
            wanted = _ids(self.trusted_ids)
            pool = {id: group for id, group in pool.items() if id in wanted}
            if not pool:
                raise UserError(
                    f"{task.name}: none of the ids in {self.trusted_ids} is that of a validation "
                    f"example: `w2s export {task_run.reference}` with the same flags writes them."
                )
        groups = len(set(pool.values()))
        if max(self.trusted) > groups:
            said = f" in {self.trusted_ids}" if self.trusted_ids else ""
            raise UserError(
                f"{task.name}: the validation examples{said} have {counted(groups, 'group')}, of "
                f"each of which one label can be trusted: --trusted takes 1 to {groups}, not "
                f"{max(self.trusted)}."
            )
        return pool

    def _warn_of_others(self, pools: Mapping[str, Mapping[str, str]]) -> None:
        """Say how many ids of the file are of no validation example, of any task."""
        if self.trusted_ids is None:
            return
        wanted = _ids(self.trusted_ids)
        if others := sorted(wanted.difference(*pools.values())):
            warnings.warn(
                f"{self.trusted_ids}: {len(others):,} of {len(wanted):,} ids are of no validation "
                f"example, such as {others[0]!r}, and are left out.",
                stacklevel=2,
            )

    @property
    def counts(self) -> list[int]:
        """The numbers of labels, rising."""
        return sorted(set(self.trusted))

    @property
    def alone_counts(self) -> list[int]:
        """On how many labels the strong model is finetuned."""
        return self.counts if self.alone else []

    def _rows(self, task_run: TaskRun, pool: Mapping[str, str]) -> list[dict[str, Any]]:
        """The rows of one task, all of whose stages are in the store."""
        config = task_run.config
        candidates = candidates_of(task_run, pool, self.evaluations, self.alone_counts)
        ids, labels = sorted(e.item.id for e in task_run.splits.test), candidates.labels
        score = metric(task_run.task.kind, config.metric)
        ends = {
            role: float(
                np.mean([score(of(seed)["test"].at(ids), labels) for seed in range(config.seeds)])
            )
            for role, of in (
                ("floor", lambda seed: stages.weak_labels(task_run, seed)),
                ("ceiling", lambda seed: stages.ceiling(task_run, seed)),
            )
        }
        about = {"task": task_run.task.name, "method": config.methods[0], "metric": config.metric}
        return [
            about | row | ends | {"candidates": len(candidates.names)}
            for row in choosing_rows(candidates, self.counts, self.draws, score)
        ]


def _ids(path: Path) -> set[str]:
    """The ids that a text names, one a line.

    Raises:
        UserError: where it cannot be read, or names none.
    """
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as e:
        why = e.strerror if isinstance(e, OSError) else "it is no text in UTF-8"
        raise UserError(f"--trusted-ids: {path} cannot be read ({why}).") from e
    if not lines:
        raise UserError(f"--trusted-ids: {path} names no example: write an id a line.")
    return set(lines)
