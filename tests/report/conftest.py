"""Run folders made by hand: what `w2s run` would write for models that answer at random."""

import json

import numpy as np
import polars as pl
import pytest

from weak2strong.metrics import METRICS, performance_gap_recovered
from weak2strong.models.spec import ModelSpec
from weak2strong.predictions import column
from weak2strong.predictions import texts as texts_as_held
from weak2strong.study.config import StudyConfig
from weak2strong.study.examples import outcomes
from weak2strong.tasks.chess.board import read_board
from weak2strong.tasks.chess.prompts import spaced

SKILLS = {"floor": 1.0, "student": 1.5, "ceiling": 3.5}
NASTY = '<script>alert("$x$")</script> & <img src=x onerror=alert(1)>'


BOARD = spaced(read_board("7k/6pp/8/8/8/8/8/KR2R3 w - - 0 1"))
RIGHT = (("b1b8",), ("e1e8", "b1b8"))
"""The targets of the two classes with what else counts."""
WRONG = ("a1a2", "b1b7", NASTY)


def _in_words(p, labels, rng):
    """Answers to mates, right where probabilities are: texts, and what counts as right."""
    truth = np.empty(len(labels), dtype=object)
    truth[:] = [RIGHT[label] for label in labels]
    values = []
    for right, accepted in zip(p.argmax(axis=1) == labels, truth, strict=True):
        move = str(rng.choice(accepted if right else WRONG))
        values.append(str(rng.choice([move, f" {move}.", move.upper()])))
    return texts_as_held(values), truth


def _made_run(
    folder,
    tasks=("a-task", "b-task"),
    methods=("naive", "confidence"),
    seeds=3,
    examples=300,
    strong="atlas-s",
    texts=True,
    written=False,
):
    """Write a finished run whose models know the more, the higher their role.

    With ``written``, they mate: of two moves, as right answers are written in different ways.
    """
    rng = np.random.default_rng(0)
    config = StudyConfig(
        tasks=tuple(tasks),
        weak=ModelSpec("atlas-xs"),
        strong=ModelSpec(strong),
        methods=tuple(methods),
        seeds=seeds,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(config.to_yaml())
    frames, rows = [], []
    kind = "generation" if written else "classification"
    for task in tasks:
        labels = np.arange(examples) % 2
        ids = [f"{i:016x}" for i in range(examples)]
        hardness = rng.normal(size=examples)
        scores = {}

        def answer(
            role,
            method,
            seed,
            skill,
            task=task,
            labels=labels,
            ids=ids,
            hardness=hardness,
            scores=scores,
        ):
            logit = (2 * labels - 1) * (skill - hardness) + rng.normal(size=examples)
            p = 1 / (1 + np.exp(-logit))
            values, truth = np.stack([1 - p, p], axis=1), labels
            if written:
                values, truth = _in_words(values, labels, rng)
            of = METRICS[kind]
            scores[role, method, seed] = {m: float(f(values, truth)) for m, f in of.items()}
            frames.append(
                pl.DataFrame(
                    {
                        "task": task,
                        "kind": kind,
                        "role": role,
                        "method": method,
                        "seed": seed,
                        "id": ids,
                        "group": [f"{task}:{i}" for i in ids],
                        "label": truth.tolist(),
                        "difficulty": hardness,
                    }
                ).with_columns(column(values, kind))
            )

        for check in ("names",) if written else ("probe", "names"):
            answer(check, "", -1, 0.8)
        for seed in range(seeds):
            answer("floor", "", seed, SKILLS["floor"])
            answer("ceiling", "", seed, SKILLS["ceiling"])
            for i, method in enumerate(methods):
                answer("student", method, seed, SKILLS["student"] + 0.05 * i)
        for method in methods:
            for seed in range(seeds):
                for m, floor in scores["floor", "", seed].items():
                    student, top = (
                        scores["student", method, seed][m],
                        scores["ceiling", "", seed][m],
                    )
                    rows.append(
                        {
                            "task": task,
                            "weak": "atlas-xs",
                            "strong": strong,
                            "method": method,
                            "seed": seed,
                            "metric": m,
                            "floor": floor,
                            "student": student,
                            "ceiling": top,
                            "pgr_of_cell": performance_gap_recovered(floor, student, top),
                            "probe_ceiling": scores.get(("probe", "", -1), {}).get(m),
                            "name_baseline": scores["names", "", -1][m],
                        }
                    )
    predictions = pl.concat(frames)
    predictions.write_parquet(folder / "predictions.parquet")
    schema = {"probe_ceiling": pl.Float64}
    pl.DataFrame(rows, schema_overrides=schema).write_parquet(folder / "results.parquet")
    if texts:
        kept = set(outcomes(predictions).select("task", "id").iter_rows())
        pl.DataFrame(
            [(task, id, [BOARD if written else f"{NASTY} {id}"]) for task, id in kept],
            schema=["task", "id", "texts"],
            orient="row",
        ).write_parquet(folder / "examples.parquet")
    (folder / "tasks.json").write_text(
        json.dumps(
            [
                {
                    "name": t,
                    "reference": t,
                    "source": NASTY,
                    "licence": "CC0",
                    "classes": [] if written else ["no", NASTY],
                    "splits": [],
                    "truncated": {},
                    "cleaning": None,
                }
                for t in tasks
            ]
        )
    )
    (folder / "environment.json").write_text(
        json.dumps({"weak2strong": "0", "commit": "abc", "diff": NASTY})
    )
    return folder


@pytest.fixture(scope="session")
def made_run():
    """A function that writes a finished run into a folder."""
    return _made_run


@pytest.fixture(scope="session")
def nasty():
    """What data may hold, and a page must not: it is the name of a class and in every text."""
    return NASTY


@pytest.fixture(scope="session")
def mates_run(tmp_path_factory):
    """Two tasks that are answered in words, two methods, three seeds."""
    folder = tmp_path_factory.mktemp("report") / "mates"
    return _made_run(folder, tasks=("a-mate", "b-mate"), written=True)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """Two tasks, two methods, three seeds."""
    return _made_run(tmp_path_factory.mktemp("report") / "run")
