"""A study on a folder of features, from its files to its table."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.audit.audit import audit
from weak2strong.analysis.audit.subject import Subject
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.warnings import warnings_of
from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.local import Plan
from weak2strong.engine.plan import plan_study
from weak2strong.engine.run import run_study
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.probes import fit_logistic
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun
from weak2strong.report.plan import plan_document
from weak2strong.report.provenance import provenance
from weak2strong.tasks.find import find_task

QUICK = Training(epochs=4, evaluations=1, batch_size=16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes, of which the weak vectors tell less than the strong ones."""
    path, rng = tmp_path_factory.mktemp("features") / "mine", np.random.default_rng(0)
    path.mkdir()
    labels = np.arange(240) % 2
    strong = rng.normal(size=(240, 6)) + 1.5 * labels[:, None]
    weak = strong[:, :2] + rng.normal(size=(240, 2))
    np.save(path / "weak.npy", weak.astype("f4"))
    np.save(path / "strong.npy", strong.astype("f2"))
    names = np.where(labels, "yes", "no")
    pl.DataFrame({"id": [f"r{n}" for n in range(240)], "label": names}).write_csv(
        path / "labels.csv"
    )
    return path


def study(folder, **changes):
    methods = ("naive", "confidence", "probe-predict:knn,k=5")
    config = StudyConfig(tasks=(str(folder),), methods=methods, seeds=1)
    return replace(config, weak_training=QUICK, strong_training=QUICK, **changes)


def test_a_study_of_features_ends_in_a_table(folder, tmp_path):
    out = run_study(study(folder), tmp_path / "run", tmp_path / "store", plan=Plan(1, 1))
    run = FinishedRun(out)
    lines = run.lines()
    assert [line.method for line in lines] == ["naive", "confidence", "probe-predict:knn,k=5"]
    first = lines[0]
    assert first.ngrams is None
    assert first.recovered.floor < first.recovered.ceiling
    assert (first.probe_ceiling or 0) > 0.9
    assert first.weak == str(folder / "weak.npy")
    roles = set(pl.read_parquet(out / "predictions.parquet")["role"])
    assert roles == {"floor", "student", "ceiling", "probe"}
    kept = {f.name for f in (tmp_path / "store").iterdir() if f.is_dir()}
    assert "activations" not in kept, "they are the file itself"


def test_the_check_is_a_probe_on_the_rows_of_the_file(folder, tmp_path):
    config = resolved(study(folder))
    task_run = TaskRun.of(config, Store(tmp_path), str(folder))
    found = stages.probe_ceiling(task_run)
    values = np.load(folder / "strong.npy").astype("f4")
    row = {f"r{n}": n for n in range(240)}
    train, test = task_run.splits.strong_train, task_run.splits.test
    features = values[[row[e.item.id] for e in train]]
    labels = np.array([e.label for e in train])
    probes = [fit_logistic(features, labels, penalty=10.0**p, classes=2) for p in range(-4, 1)]
    queries = values[[row[i] for i in found.ids]]
    assert any(np.allclose(p.predict(queries), found.values, atol=1e-6) for p in probes)
    assert {e.item.id for e in test} == set(found.ids)


def test_heads_learn_as_long_as_in_the_paper_unless_the_user_says_otherwise(folder, tmp_path):
    given = StudyConfig(tasks=(str(folder),), weak_training=Training(epochs=3))
    config, plan = resolved(given), plan_study(given, tmp_path)
    for trainings in ((config.weak_training, config.strong_training), plan.trainings.values()):
        assert [(t.epochs, t.batch_size) for t in trainings] == [(3, 128), (20, 128)]
    told = "\n".join(plan_document(plan).notes)
    assert "Training of supervisor: 3 epochs, batch 128." in told
    assert "Training of students and ceiling: 20 epochs, batch 128." in told
    of_texts = resolved(StudyConfig(strong_training=Training(steps=7)))
    assert of_texts.weak_training.amount == "3 epochs, batch 32"
    assert of_texts.strong_training.amount == "7 steps, batch 32"
    assert of_texts.strong_training.epochs == 3, "as keys have always held"


def test_no_rate_of_a_trunk_is_told_where_there_is_none(folder, tmp_path, monkeypatch):
    training = Training(steps=1, learning_rate=1e-9)
    config = study(folder, methods=("naive",))
    config = replace(config, weak_training=training, strong_training=training)
    out = run_study(config, tmp_path / "run", tmp_path / "store", plan=Plan(1, 1))
    warned = " ".join(warnings_of(FinishedRun(out).lines()))
    assert "The learning rates (head 1e-09; 1 step)" in warned
    assert "Try other rates (--weak-lr) and" in warned
    run = FinishedRun(out)
    named = {**run.environment, "device": "cpu", "precision": "bfloat16"}
    monkeypatch.setitem(vars(run), "environment", named)
    about = dict(provenance(run))
    assert about["learning rates of supervisor"] == "given: 1e-09 (head alone)"
    assert about["training of supervisor"] == "1 step, batch 128"
    assert "but float32 for files of features" in about["precision"]


def test_a_plan_of_features_reads_no_texts_and_makes_no_activations(folder, tmp_path):
    plan = plan_study(study(folder), tmp_path)
    names = [stage.name for stage in plan.stages]
    assert "ngrams" not in names
    assert {"supervisor", "probe", "student naive"} <= set(names)
    assert "activations" not in names, "they are the file itself"
    assert {choice.how for choice in plan.rates} == {"rule"}
    assert plan.strong == str(folder / "strong.npy")
    assert not [e.step for e in plan.steps if e.step.kind == "ngrams"]
    document = plan_document(plan)
    assert "FLOPs" not in " ".join(document.notes), "there is no trunk that takes any"
    for table, name in zip(document.tables, ("tokens", "flops"), strict=True):
        (column,) = [column for column in table.columns if column.name == name]
        assert {column.text(row) for row in table.rows} == {"–"}


def test_what_needs_texts_is_refused_or_left_out(folder):
    with pytest.raises(UserError, match="needs a student that is a decoder"):
        resolved(study(folder, methods=("zero-shot",)))  # pyright: ignore
    every = resolved(replace(study(folder), methods=("all",))).methods
    assert {"naive", "linear-probe", "strong-to-strong"} <= set(every)
    assert not [m for m in every if "shot" in m or "generative" in m]
    with pytest.raises(UserError, match="'longest' needs texts, and task mine is one of features"):
        resolved(study(folder, simulated="longest", simulated_accuracy=0.8))
    with pytest.raises(UserError, match="Model atlas-m reads texts, and task mine is one of feat"):
        resolved(study(folder, weak=ModelSpec("atlas-m")))
    with pytest.raises(UserError, match="reads features, and task atlas-asia is one of texts"):
        resolved(StudyConfig(weak=ModelSpec(str(folder / "weak.npy"))))


@pytest.mark.parametrize(
    "settings", [{"max_length": 7}, {"system_prompt": "Answer."}, {"packing": "on"}]
)
def test_settings_about_texts_are_refused(folder, settings, tmp_path):
    config = study(folder, strong=ModelSpec(str(folder / "strong.npy"), **settings))
    for look in (resolved, lambda c: plan_study(c, tmp_path)):
        with pytest.raises(UserError, match=f"reads features, and {next(iter(settings))} is about"):
            look(config)


def test_the_usual_model_of_texts_is_refused_where_it_is_named(folder, capsys):
    for flags in (("--weak", "atlas-s"), ("--strong", "atlas-l")):
        assert main(["run", "--task", str(folder), *flags, "--dry-run"]) == 2
        said = f"Model {flags[1]} reads texts, and task mine is one of features"
        assert said in capsys.readouterr().err


def test_a_grid_of_files_is_refused(folder, tmp_path, capsys):
    files = [str(folder / f"{name}.npy") for name in ("weak", "strong")]
    flags = ["--task", str(folder), "--store", str(tmp_path)]
    assert main(["grid", *flags]) == 2
    assert "choose a model that reads features (--models)" in capsys.readouterr().err
    assert main(["grid", *flags, "--models", *files]) == 2
    assert "is a file of features, and a grid goes by numbers" in capsys.readouterr().err


def test_a_vector_that_is_missing_is_said_before_anything_is_trained(folder, tmp_path):
    np.save(tmp_path / "few.npy", np.zeros((3, 2), dtype="f4"))
    (tmp_path / "ids.csv").write_text("id\nr0\nr1\nr2\n")
    config = study(folder, weak=ModelSpec(str(tmp_path / "few.npy")))
    for look in (resolved, lambda c: plan_study(c, tmp_path)):
        with pytest.raises(UserError, match=r"few\.npy has no vector of id 'r10' and 236 others"):
            look(config)


def test_a_plan_looks_for_numbers_that_are_not_finite(folder, tmp_path):
    holed = np.load(folder / "weak.npy")
    holed[7, 1] = np.nan
    np.save(tmp_path / "holed.npy", holed)
    (tmp_path / "ids.csv").write_text((folder / "labels.csv").read_text())
    with pytest.raises(UserError, match=r"holed\.npy: the vector of id 'r7' has numbers that are"):
        plan_study(study(folder, weak=ModelSpec(str(tmp_path / "holed.npy"))), tmp_path)


def test_given_labels_need_no_weak_file(folder, tmp_path):
    for name in ("labels.csv", "strong.npy"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    labels = tmp_path / "weak.jsonl"
    labels.write_text("".join(f'{{"id": "r{n}", "label": {n % 2}}}\n' for n in range(240)))
    config = resolved(study(tmp_path, weak_labels=labels))
    assert config.weak == config.strong
    assert config.weak_name == "weak.jsonl"
    with pytest.raises(UserError, match="has no weak model of its own: name one with --weak"):
        resolved(study(tmp_path))


def test_an_audit_leaves_out_what_reads_texts(folder):
    task = find_task(str(folder), StudyConfig().data)
    found = audit(Subject.of(str(folder), task, ()))
    assert found.checks == ("balance", "groups")
