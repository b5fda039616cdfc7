"""Run folders made by hand: what `w2s run` would write for models that answer at random."""

import json

import numpy as np
import polars as pl
import pytest

from weak2strong.metrics import METRICS, performance_gap_recovered
from weak2strong.models.spec import ModelSpec
from weak2strong.study.config import StudyConfig
from weak2strong.study.examples import outcomes

SKILLS = {"floor": 1.0, "student": 1.5, "ceiling": 3.5}
NASTY = '<script>alert("$x$")</script> & <img src=x onerror=alert(1)>'


def _made_run(
    folder,
    tasks=("a-task", "b-task"),
    methods=("naive", "confidence"),
    seeds=3,
    examples=300,
    strong="atlas-s",
    texts=True,
):
    """Write a finished run whose models know the more, the higher their role."""
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
            p = np.stack([1 - p, p], axis=1)
            of = METRICS["classification"]
            scores[role, method, seed] = {m: float(f(p, labels)) for m, f in of.items()}
            frames.append(
                pl.DataFrame(
                    {
                        "task": task,
                        "kind": "classification",
                        "role": role,
                        "method": method,
                        "seed": seed,
                        "id": ids,
                        "group": [f"{task}:{i}" for i in ids],
                        "label": labels,
                        "difficulty": hardness,
                        "probabilities": p.tolist(),
                    }
                )
            )

        for check in ("probe", "names"):
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
                            "probe_ceiling": scores["probe", "", -1][m],
                            "name_baseline": scores["names", "", -1][m],
                        }
                    )
    predictions = pl.concat(frames)
    predictions.write_parquet(folder / "predictions.parquet")
    pl.DataFrame(rows).write_parquet(folder / "results.parquet")
    if texts:
        kept = set(outcomes(predictions).select("task", "id").iter_rows())
        pl.DataFrame(
            [(task, id, [f"{NASTY} {id}"]) for task, id in kept],
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
                    "classes": ["no", NASTY],
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
def small_run(tmp_path_factory):
    """Two tasks, two methods, three seeds."""
    return _made_run(tmp_path_factory.mktemp("report") / "run")
