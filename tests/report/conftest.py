"""Run folders made by hand: what `w2s run` would write for models that answer at random."""

import json
from dataclasses import asdict
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine.examples import outcomes
from weak2strong.engine.reading import Reading
from weak2strong.experiments.grid import grid_rows
from weak2strong.experiments.simulate import run_name, supervised_rows
from weak2strong.ground.metrics import METRICS, performance_gap_recovered
from weak2strong.ground.predictions import column
from weak2strong.ground.predictions import texts as texts_as_held
from weak2strong.report.page import page
from weak2strong.report.pictures import drawn_inline
from weak2strong.subjects.chess.board import read_board
from weak2strong.subjects.chess.prompts import spaced

SKILLS = {"floor": 1.0, "student": 1.5, "ceiling": 3.5}
NASTY = '<script>alert("$x$")</script> & <img src=x onerror=alert(1)>'


BOARD = spaced(read_board("7k/6pp/8/8/8/8/8/KR2R3 w - - 0 1"))
RIGHT = (("b1b8",), ("e1e8", "b1b8"))
"""The targets of the two classes with what else counts."""
WRONG = ("a1a2", "b1b7", NASTY)


READING = Reading("a-model", 512, 90, 7, "beginning", 5, 3, NASTY, "2024-07-26", '{"a": 1}')


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
    weak="atlas-xs",
    draw=0,
    written=False,
    skills=SKILLS,
    step=0.05,
    **study,
):
    """Write a finished run whose models know the more, the higher their role.

    Each method adds a step to the skill of the students of the one before it; ``draw`` is the seed
    of all that is drawn.

    With ``written``, they mate: of two moves, as right answers are written in different ways.
    """
    rng = np.random.default_rng(draw)
    config = StudyConfig(
        tasks=tuple(tasks),
        weak=ModelSpec(weak),
        strong=ModelSpec(strong),
        methods=tuple(methods),
        seeds=seeds,
        **study,
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

        for check in ("ngrams",) if written else ("probe", "ngrams"):
            answer(check, "", -1, 0.8)
        for seed in range(seeds):
            answer("floor", "", seed, skills["floor"])
            answer("ceiling", "", seed, skills["ceiling"])
            for i, method in enumerate(methods):
                answer("student", method, seed, skills["student"] + step * i)
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
                            "weak": config.weak_name,
                            "strong": strong,
                            "method": method,
                            "seed": seed,
                            "metric": m,
                            "floor": floor,
                            "student": student,
                            "ceiling": top,
                            "pgr_of_cell": performance_gap_recovered(floor, student, top),
                            "probe_ceiling": scores.get(("probe", "", -1), {}).get(m),
                            "ngrams": scores["ngrams", "", -1][m],
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
                    "read": [asdict(READING)],
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


TASKS, METHODS, SEEDS = ("a-task", "b-task"), ("naive", "confidence"), 2


@pytest.fixture(scope="session")
def made_simulated(tmp_path_factory):
    """What `w2s simulate` writes: two supervisors beside the real one."""
    folder, rows = tmp_path_factory.mktemp("simulated") / "simulate", []
    for draw, kind in enumerate(("real", "random-flips", "longest")):
        simulated = None if kind == "real" else kind
        run = _made_run(folder / kind, TASKS, METHODS, SEEDS, 300, draw=draw, simulated=simulated)
        rows += supervised_rows(FinishedRun(run))
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "simulated.parquet")
    return folder


@pytest.fixture(scope="session")
def made_doses(tmp_path_factory):
    """What `w2s simulate --accuracy 0.6 0.8` writes: two supervisors at two accuracies."""
    folder, rows = tmp_path_factory.mktemp("doses") / "simulate", []
    at = [(kind, dose) for kind in ("random-flips", "longest") for dose in (0.6, 0.8)]
    for draw, (kind, dose) in enumerate([(None, None), *at]):
        name = run_name(kind, dose) if kind else "real"
        of = {"simulated": kind, "simulated_accuracy": dose}
        run = _made_run(folder / name, TASKS[:1], METHODS, SEEDS, 120, draw=draw, **of)
        rows += supervised_rows(FinishedRun(run))
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "simulated.parquet")
    return folder


@pytest.fixture(scope="session")
def made_grid(tmp_path_factory):
    """What `w2s grid` writes: three models, so three pairs."""
    folder, lines = tmp_path_factory.mktemp("grid") / "grid", []
    parameters = {"atlas-xs": 100_000, "atlas-s": 238_000, "atlas-m": 331_000}
    for draw, (weak, strong) in enumerate(combinations(parameters, 2)):
        models = {"weak": weak, "strong": strong}
        run = _made_run(
            folder / f"{weak}-to-{strong}", TASKS, METHODS, SEEDS, 300, draw=draw, **models
        )
        lines += FinishedRun(run).lines()
    rows = list(grid_rows(lines, parameters))
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "grid.parquet")
    return folder


@pytest.fixture(scope="session")
def made_overfitting(tmp_path_factory):
    """What `w2s overfitting` writes: five looks, the best of which differs between seeds."""
    folder = tmp_path_factory.mktemp("overfitting") / "overfitting"
    _made_run(folder, TASKS, METHODS, SEEDS, 120, metric="accuracy")
    predictions = pl.read_parquet(folder / "predictions.parquet")
    kept = ["task", "kind", "role", "method", "seed", "id", "group", "label", "probabilities"]
    students = predictions.filter(role="student")
    ends = predictions.filter(pl.col("role").is_in(["floor", "ceiling"]))
    frames = [
        ends.with_columns(point=pl.lit("")),
        *(students.with_columns(point=pl.lit(point)) for point in ("best", "stopped", "last")),
    ]
    pl.concat(frames).select(*kept, "point").write_parquet(folder / "points.parquet")
    rng, looks = np.random.default_rng(0), 5
    rows = [
        {
            **{"weak": "atlas-xs", "strong": "atlas-s", "metric": "accuracy"},
            **{"task": task, "method": method, "seed": seed},
            **{"fraction": (i + 1) / looks, "loss": 0.5, "validation_score": rng.random()},
            **{"test_score": rng.random(), "agreement_wrong": rng.random()},
            **{"agreement_all": 0.8, "agreement_right": 0.9},
            **{"best": i == 1 + seed, "stopped": i == 3, "last": i == looks - 1},
        }
        for task in TASKS
        for method in METHODS
        for seed in range(SEEDS)
        for i in range(looks)
    ]
    pl.DataFrame(rows).write_parquet(folder / "curves.parquet")
    for file in ("results.parquet", "predictions.parquet"):
        (folder / file).unlink()
    return folder


@pytest.fixture(scope="session")
def made_sweep(tmp_path_factory):
    """What `w2s probe-sweep` writes: two probes on three layers, one task."""
    folder, rng, rows = tmp_path_factory.mktemp("sweep") / "sweep", np.random.default_rng(0), []
    folder.mkdir()
    config = StudyConfig(
        tasks=("a-task",), weak=ModelSpec("atlas-xs"), strong=ModelSpec("atlas-s"), seeds=SEEDS
    )
    (folder / "study.yaml").write_text(config.to_yaml())
    places = [("knn", k) for k in (5, 50)] + [("logistic", x) for x in (0.001, 0.1, 1.0)]
    same = {"task": "a-task", "metric": "accuracy"}

    def row(role, split, against, **more):
        about = {"role": role, "split": split, "against": against, "score": rng.random()}
        empty = dict.fromkeys(("learned", "probe", "layer", "setting"))
        rows.append(empty | same | about | more)

    for seed in range(SEEDS):
        for role in ("floor", "ceiling"):
            row(role, "test", "truth", seed=seed)
    for probe, setting in places:
        for layer in (0, 1, 2):
            at = {"probe": probe, "setting": float(setting), "layer": layer}
            row("probe", "test", "truth", learned="truth", seed=-1, **at)
            for seed in range(SEEDS):
                row("probe", "test", "truth", learned="weak", seed=seed, **at)
                row("probe", "validation", "weak", learned="weak", seed=seed, **at)
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "sweep.parquet")
    return folder


@pytest.fixture(scope="session")
def made_experiments(made_overfitting, made_simulated, made_sweep, made_grid):
    """A folder of each command that makes an experiment."""
    return [made_overfitting, made_simulated, made_sweep, made_grid]


@pytest.fixture
def drawn():
    """Pages that the test itself makes have the shapes of their figures, too."""


@pytest.fixture
def compared_drawn(undrawn_unless_asked_for):
    """Of the pages that the test itself makes, the figures that compare runs have their shapes."""

    def drawn(kind, frame, styles, prefix):
        asked = prefix.startswith("compared-")
        return drawn_inline(kind, frame, styles, prefix) if asked else "<svg></svg>"

    # Undone before what it stands on: a test's own `monkeypatch` would be undone after that.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weak2strong.report.pictures.drawn_inline", drawn)
        yield


@pytest.fixture(autouse=True)
def undrawn_unless_asked_for(request):
    """Most tests look at what else stands on a page."""
    if "drawn" not in request.fixturenames:
        request.getfixturevalue("undrawn")


@pytest.fixture(scope="session")
def page_of_a_run(small_run):
    """The text of the page of `small_run`."""
    return page([small_run])
