"""A supervisor of neighbours (adaptation knn), against scikit-learn."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.neighbors import KNeighborsClassifier

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.kept import check_kept
from weak2strong.engine.local import Plan
from weak2strong.engine.plan import plan_study
from weak2strong.engine.run import run_study
from weak2strong.engine.trials import _trials
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.models.layers import layers_of
from weak2strong.models.loaded import on_cpu
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages.frozen import all_activations
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun

QUICK = Training(epochs=2, evaluations=1, batch_size=16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three classes in vectors of two encoders."""
    path, rng = tmp_path_factory.mktemp("neighbours") / "mine", np.random.default_rng(0)
    path.mkdir()
    labels = np.arange(240) % 3
    strong = rng.normal(size=(240, 5)) + 1.5 * labels[:, None]
    np.save(path / "weak.npy", (strong[:, :2] + rng.normal(size=(240, 2))).astype("f4"))
    np.save(path / "strong.npy", strong.astype("f4"))
    rows = {"id": [f"r{n}" for n in range(240)], "label": [f"c{n}" for n in labels]}
    pl.DataFrame(rows).write_csv(path / "labels.csv")
    return path


def study(folder, k=7, **changes):
    weak = ModelSpec(str(folder / "weak.npy"), adaptation="knn", k=k)
    config = StudyConfig(tasks=(str(folder),), weak=weak, methods=("naive",), seeds=2)
    return replace(config, strong_training=QUICK, **changes)


def test_answers_are_those_of_scikit_learn(folder, tmp_path):
    task_run = TaskRun.of(resolved(study(folder)), Store(tmp_path), str(folder))
    answers = stages.weak_labels(task_run, 0)
    values = np.load(folder / "weak.npy")

    def rows(ids):
        return values[[int(i[1:]) for i in ids]]

    truth = task_run.splits.weak_train
    oracle = KNeighborsClassifier(n_neighbors=7, algorithm="brute")
    oracle.fit(rows([e.item.id for e in truth]), [e.label for e in truth])
    assert set(answers) == {"strong_train", "validation", "test"}
    for split, found in answers.items():
        assert set(found.ids) == {e.item.id for e in task_run.splits.examples(split)}
        np.testing.assert_allclose(found.values, oracle.predict_proba(rows(found.ids)), atol=1e-12)


def test_seeds_share_the_answers_and_the_number_decides_them(folder, tmp_path):
    task_run = TaskRun.of(resolved(study(folder)), Store(tmp_path), str(folder))
    first, second = (stages.weak_labels(task_run, seed)["test"] for seed in (0, 1))
    assert np.array_equal(first.values, second.values)
    assert [(u.stage, u.reused) for u in task_run.used] == [
        ("neighbours", False),
        ("neighbours", True),
    ]
    assert not task_run.learned, "nothing was finetuned"
    other = TaskRun.of(resolved(study(folder, k=3)), Store(tmp_path), str(folder))
    assert not np.array_equal(stages.weak_labels(other, 0)["test"].values, first.values)
    # Where the supervisor would be trained otherwise, nothing is made again.
    trained = replace(study(folder), weak_training=replace(QUICK, epochs=9))
    again = TaskRun.of(resolved(trained), Store(tmp_path), str(folder))
    stages.weak_labels(again, 0)
    assert again.used[0].reused


def test_seeds_with_splits_of_their_own_have_other_neighbours(folder, tmp_path):
    config = resolved(study(folder, vary="split"))
    task_run = TaskRun.of(config, Store(tmp_path), str(folder))
    first, second = (stages.weak_labels(task_run.of_seed(seed), seed)["test"] for seed in (0, 1))
    assert first.ids == second.ids
    assert not np.array_equal(first.values, second.values)


def test_a_temperature_is_fitted_on_what_is_no_neighbour(folder, tmp_path):
    config = resolved(study(folder, weak_label_temperature="fit"))
    task_run = TaskRun.of(config, Store(tmp_path), str(folder))
    answers = stages.weak_labels(task_run, 0)
    aside = {i for split, of in answers.items() if split == "aside" for i in of.ids}
    whole = task_run.splits.weak_train
    assert len(aside) == round(0.1 * len(whole))
    assert aside < {e.item.id for e in whole}
    assert (stages.temperature_of(task_run, answers) or 0) > 0


def test_a_run_ends_in_a_table_without_rates_of_the_supervisor(folder, tmp_path):
    config = study(folder, rates="search")
    out = run_study(config, tmp_path / "run", tmp_path / "store", plan=Plan(1, 1))
    assert {row["role"] for row in json.loads((out / "rates.json").read_text())} == {"strong"}
    assert {row["role"] for row in json.loads((out / "learned.json").read_text())} == {
        "ceiling",
        "student",
    }
    scores = pl.read_parquet(out / "results.parquet").filter(metric="accuracy")
    assert scores["floor"].n_unique() == 1
    text = (out / "study.yaml").read_text()
    assert StudyConfig.from_yaml(text).weak == resolved(config).weak
    kept = {f.name for f in (tmp_path / "store").iterdir() if f.is_dir()}
    assert "activations" not in kept, "they are the file itself"


def test_a_plan_has_one_supervisor_for_all_seeds_and_no_finetuning_of_it(folder, tmp_path):
    plan = plan_study(study(folder), tmp_path)
    supervisor = next(stage for stage in plan.stages if stage.name == "supervisor")
    assert (supervisor.count, supervisor.fits) == (1, 0)
    assert [choice.role for choice in plan.rates] == ["strong"]
    assert "rates" not in {e.step.kind for e in plan.steps if e.step.method == "weak"}


def test_texts_have_neighbours_in_the_last_activations(tmp_path):
    config = StudyConfig(
        tasks=("atlas-asia",),
        weak=ModelSpec("atlas-xs", adaptation="knn", k=5),
        strong=ModelSpec("atlas-xs"),
        methods=("naive",),
        seeds=1,
        strong_training=QUICK,
    )
    with on_cpu():
        task_run = TaskRun.of(resolved(config), Store(tmp_path), "atlas-asia")
        answers = stages.weak_labels(task_run, 0)
        assert [u.stage for u in task_run.used] == ["activations", "neighbours"]
        truth = task_run.splits.weak_train
        layers = layers_of(task_run.config.weak)
        splits = ("weak_train", "strong_train", "validation", "test")
        states = all_activations(task_run, task_run.config.weak, [layers], splits)[layers]
    oracle = KNeighborsClassifier(n_neighbors=5, algorithm="brute")
    oracle.fit(states["weak_train"].at([e.item.id for e in truth]), [e.label for e in truth])
    for split, found in answers.items():
        expected = oracle.predict_proba(states[split].at(found.ids))
        assert (found.values == expected).mean() > 0.99, "of float32, two may be as far"


def test_a_model_that_only_reads_is_tried_reading(folder, tmp_path):
    config = replace(resolved(study(folder)), weak=ModelSpec("some/model", adaptation="knn"))
    task_run = replace(
        TaskRun.of(resolved(study(folder)), Store(tmp_path), str(folder)), config=config
    )
    trials = list(_trials(Step("supervisor", "mine", 0), task_run))
    assert [trial.use for trial in trials] == ["activations"]


def test_what_cannot_be_is_a_sentence(folder, tmp_path):
    frozen = ModelSpec(str(folder / "strong.npy"), adaptation="knn")
    with pytest.raises(UserError, match="a supervisor alone can have the adaptation knn"):
        resolved(study(folder, strong=frozen))
    with pytest.raises(UserError, match="looks for 500 neighbours among"):
        TaskRun.of(resolved(study(folder, k=500)), Store(tmp_path), str(folder))
    trained = ModelSpec(str(folder / "weak.npy"), k=5)
    with pytest.raises(UserError, match="add --weak-adaptation knn, or leave --weak-k out"):
        resolved(replace(study(folder), weak=trained))
    with pytest.raises(UserError, match="one of neighbours is the same for every seed"):
        resolved(study(folder, methods=("ensemble",)))
    assert "ensemble" not in resolved(study(folder, methods=("all",))).methods
    with pytest.raises(UserError, match="leave supervisor out of --keep-models"):
        check_kept(study(folder), {}, ["supervisor"])
    written = tmp_path / "written.jsonl"
    rows = [{"prompt": f"What is {n}?", "completion": f"It is {n}."} for n in range(300)]
    written.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UserError, match="supervisor of neighbours answers by shares of classes"):
        resolved(StudyConfig(tasks=(str(written),), weak=ModelSpec("atlas-xs", adaptation="knn")))
