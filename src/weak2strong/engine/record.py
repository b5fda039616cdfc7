"""The files of a run folder, which are enough for every table without the store.

``run.json`` (the index, see `weak2strong.ground.index`), ``study.yaml`` (resolved: another run of
it gives the same cells), ``tasks.json`` (the contents of the tasks), ``environment.json``,
``rates.json`` (peak learning rates, and how they came), ``work.json`` (what each step took),
``results.parquet`` (a row for each cell and metric), ``predictions.parquet`` (test predictions of
every role by id, with the difficulty of each example where it is known, the subset of a benchmark
that it is of, the question that it asks together with others, and whether a student's
method sees ground truth), ``agreement.parquet`` (how often each student gives its weak label's
answer, and how often both and the ceiling are right, by split), ``learned.json`` (what each
finetuning took up of its labels), ``training.parquet`` (loss, gradient and rates of each finetuning
by step), ``examples.parquet`` (texts of test examples, as far as there is room).
``events.jsonl`` is a log, and in no index.
"""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import weak2strong
from weak2strong.config.study import StudyConfig
from weak2strong.engine.curves import FILE as CURVES
from weak2strong.engine.curves import curves_of, curves_table
from weak2strong.engine.examples import FILE as EXAMPLES
from weak2strong.engine.examples import examples_table
from weak2strong.engine.recorded import AGREEMENT, LEFT_OUT, PREDICTIONS, RESULTS, RIGHT
from weak2strong.ground.metrics import metrics_of, performance_gap_recovered
from weak2strong.ground.predictions import Predictions, column
from weak2strong.ground.written import SaysTheSame
from weak2strong.methods.reference import find_method
from weak2strong.protocol import stages
from weak2strong.protocol.learned import FILE as LEARNED
from weak2strong.protocol.learned import Learned, learned_file
from weak2strong.protocol.resolve import readings_of
from weak2strong.protocol.runtime import Runtime
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.answers import comparable, is_right
from weak2strong.tasks.kinds import true_labels
from weak2strong.tasks.task import Example

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


MAY_BE_NULL = ("probe_ceiling", "ngrams", "weak_label_temperature")
"""Columns of the results that may be null in every row."""


@dataclass(frozen=True)
class Answer:
    """Answers to the test set, and who gave them.

    Attributes:
        task: its name.
        role: "floor", "student", "ceiling", "probe" or "ngrams".
        method: of a student; for a ceiling that has read texts first, the step by which it
            read them, such as ``generative``; empty otherwise.
        seed: -1 for a check that serves all seeds.
        predictions: the answers.
    """

    task: str
    role: str
    method: str
    seed: int
    predictions: Predictions


def _answers(config: StudyConfig, task_run: TaskRun) -> Iterator[Answer]:
    """Test predictions of every role on one task; all of them are in the store by now."""
    task = task_run.task.name
    for seed in config.seeds_of_checks:
        one, number = task_run.of_seed(seed), _number(seed)
        if stages.has_probe(task_run.task.kind):
            yield Answer(task, "probe", "", number, stages.probe_ceiling(one))
        if stages.has_ngrams(task_run.task.inputs):
            yield Answer(task, "ngrams", "", number, stages.ngrams(one))
    for seed in range(config.seeds):
        one = task_run.of_seed(seed)
        yield Answer(task, "floor", "", seed, stages.weak_labels(one, seed)["test"])
        for reading in (None, *readings_of(config)):
            answers = stages.ceiling(one, seed, reading)["test"]
            yield Answer(task, "ceiling", reading or "", seed, answers)
        for method in config.methods:
            answers = stages.student(one, method, seed)["test"]
            yield Answer(task, "student", method, seed, answers)


def _number(seed: int | None) -> int:
    """The seed of a check in tables."""
    return -1 if seed is None else seed


def results_files(config: StudyConfig, task_runs: Mapping[str, TaskRun]) -> dict[str, bytes]:
    """Predictions by id with ground truth and groups, and what is made of them, by file."""
    import polars as pl

    rows, frames, agreements, curves, learned = [], [], [], [], list[Learned]()
    for name, task_run in task_runs.items():
        task_run.learned.clear()
        agreements.extend(_agreements(config, task_run))
        test = sorted(task_run.splits.test, key=lambda e: e.item.id)
        ids, labels = [e.item.id for e in test], true_labels(task_run.task.kind, test)
        scorers = _scorers(task_run.task.kind, labels, config.metric)
        scores: dict[tuple[str, str, int], dict[str, float]] = {}
        task_run.used.clear()
        for a in _answers(config, task_run):
            curves.extend(curves_of(task_run.store, name, a.method, a.seed, task_run.used))
            task_run.used.clear()
            values = a.predictions.at(ids)
            scores[a.role, a.method, a.seed] = {
                m: float(score(values, labels)) for m, score in scorers.items()
            }
            frames.append(
                pl.DataFrame(
                    {
                        "task": name,
                        "kind": a.predictions.kind,
                        "role": a.role,
                        "method": a.method,
                        "seed": a.seed,
                        "oracle": a.role == "student" and find_method(a.method).oracle,
                        "id": ids,
                        "group": [e.item.group for e in test],
                        "label": labels.tolist(),
                        "subset": pl.Series([e.subset for e in test], dtype=pl.String),
                        "question": pl.Series([e.question for e in test], dtype=pl.String),
                        "pair": pl.Series([e.item.pair or None for e in test], dtype=pl.String),
                        "difficulty": pl.Series([e.difficulty for e in test], dtype=pl.Float64),
                    }
                ).with_columns(column(values, a.predictions.kind))
            )
        rows.extend(_rows(config, name, scores, _temperatures(config, task_run)))
        learned.extend(task_run.learned)
    predictions = pl.concat(frames)
    tables = {
        AGREEMENT: pl.DataFrame(agreements),
        CURVES: curves_table(curves),
        EXAMPLES: examples_table(task_runs, predictions, config.metric),
        PREDICTIONS: predictions,
        RESULTS: pl.DataFrame(rows, schema_overrides=dict.fromkeys(MAY_BE_NULL, pl.Float64)),
    }
    files = {name: parquet(table) for name, table in tables.items()}
    return {**files, LEARNED: learned_file(list(dict.fromkeys(learned)))}


def _scorers(kind: str, labels: np.ndarray, metric: str | None) -> dict[str, Callable[..., float]]:
    """Every metric that can score answers to a test: of texts, one that finds what it looks for in
    all that is right."""
    return {
        name: score
        for name, score in metrics_of(kind, metric).items()
        if not isinstance(score, SaysTheSame) or all(map(score.accepted, labels))
    }


def parquet(table: pl.DataFrame) -> bytes:
    """A table as the content of a parquet file."""
    file = io.BytesIO()
    table.write_parquet(file)
    return file.getvalue()


def _agreements(config: StudyConfig, task_run: TaskRun) -> Iterator[dict[str, Any]]:
    """A row for each student and part of the data: how often it answers as its supervisor.

    Of ``strong_train`` those examples count that the student learned from; what its method left out
    is a part of its own, ``left_out``. Beside it stands how often supervisor, student and ceiling
    are right, by the ground truth that none of the first two has seen.
    """
    kind, name = task_run.task.kind, task_run.task.name
    for seed in range(config.seeds):
        one = task_run.of_seed(seed)
        weak, top = stages.weak_labels(one, seed), stages.ceiling(one, seed, None)
        for method in config.methods:
            student, without = stages.student(one, method, seed), stages.left_out(one, method, seed)
            for part, split, examples in _parts(one, without):
                ids, truth = [e.item.id for e in examples], true_labels(kind, examples)
                values = [of[split].at(ids) for of in (weak, student, top)]
                said = [comparable(x, kind, config.metric) for x in values[:2]]
                right = [is_right(x, truth, kind, config.metric).mean() for x in values]
                row = {"task": name, "method": method, "seed": seed, "split": part}
                yield row | {
                    "examples": len(ids),
                    "agreement": float((said[0] == said[1]).mean()),
                    **dict(zip(RIGHT, map(float, right), strict=True)),
                }


def _parts(
    task_run: TaskRun, left_out: Collection[str]
) -> Iterator[tuple[str, str, Sequence[Example]]]:
    """The parts of the data: name, split, and the examples, of which there are some."""
    for split in stages.PREDICTED:
        of_split = task_run.splits.examples(split)
        learnt = [e for e in of_split if e.item.id not in left_out]
        rest = [e for e in of_split if e.item.id in left_out]
        yield from ((n, split, x) for n, x in ((split, learnt), (LEFT_OUT, rest)) if x)


def _temperatures(config: StudyConfig, task_run: TaskRun) -> list[float | None]:
    """At which temperature the students of each seed learn their labels; None at that given."""
    if config.weak_label_temperature is None:
        return [None] * config.seeds
    return [
        stages.temperature_of(one, stages.weak_labels(one, seed))
        for seed in range(config.seeds)
        for one in [task_run.of_seed(seed)]
    ]


def _rows(
    config: StudyConfig,
    task: str,
    scores: Mapping[tuple[str, str, int], Mapping[str, float]],
    temperatures: Sequence[float | None],
) -> Iterator[dict[str, Any]]:
    """A row for each cell and metric; null are the score of a probe that was not made, and the
    temperature of labels that are learnt as the supervisor gives them.

    The PGR of one cell is noisy: quote the table's, not these.
    """
    for method in config.methods:
        for seed in range(config.seeds):
            check = seed if seed in config.seeds_of_checks else -1
            for m, floor in scores["floor", "", seed].items():
                student = scores["student", method, seed][m]
                top = scores["ceiling", "", seed][m]
                yield {
                    "task": task,
                    "weak": config.weak_name,
                    "strong": config.strong.name,
                    "method": method,
                    "seed": seed,
                    "metric": m,
                    "floor": floor,
                    "student": student,
                    "ceiling": top,
                    "pgr_of_cell": performance_gap_recovered(floor, student, top),
                    "probe_ceiling": scores.get(("probe", "", check), {}).get(m),
                    "ngrams": scores.get(("ngrams", "", check), {}).get(m),
                    "weak_label_temperature": temperatures[seed],
                }


def environment_file(place: Runtime | None = None, devices: Collection[str] = ()) -> bytes:
    """Versions, device, and the state of the code this ran from, as JSON.

    Args:
        place: where the stages were made; by default this process.
        devices: the names of all that made stages, where they are known.
    """
    place = place or Runtime.here()
    environment = {
        "weak2strong": weak2strong.__version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        **place.processor,
        **place.device,
        **({"device": ", ".join(sorted(devices, key=_last_cpu))} if devices else {}),
        "polars": version("polars"),
        **_checkout(),
    }
    return (json.dumps(environment, indent=2) + "\n").encode()


def _last_cpu(device: str) -> tuple[bool, str]:
    """For an order in which the CPU, which makes the baselines of every study, comes last."""
    return device == "cpu", device


def _checkout() -> dict[str, str | None]:
    """Commit and uncommitted changes of the package, where it runs from its own checkout."""
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return {"commit": None, "diff": None}
    return {"commit": _git("rev-parse", "HEAD"), "diff": _git("diff", "HEAD")}


def _git(*command: str) -> str | None:
    """The output of git in the package's folder, or None where it fails."""
    at = Path(weak2strong.__file__).parent
    try:
        done = subprocess.run(["git", *command], cwd=at, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
