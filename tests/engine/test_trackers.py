"""Trackers that others have made: the same curves are read back from where they keep them."""

import json
import sqlite3

import pytest

from weak2strong.engine.tracking import TRACKERS
from weak2strong.engine.tracking.tracker import TrackedRun, TrackedTraining

NAMES = ("atlas-asia supervisor seed 0", "atlas-asia student probe-filter:share=0.5+naive seed 0")

ROWS = [
    {
        "step": step,
        "loss": 1 / step,
        "gradient_norm": 2.0,
        "learning_rate": None,
        "head_rate": 0.01,
        "validation": 0.75 if step == 3 else None,
    }
    for step in (1, 2, 3)
]

TABLE = [
    {
        "task": "atlas-asia@1 (new)",
        "method": "probe-filter:share=0.5+naive",
        "pgr": 0.5,
        "undefined": None,
    }
]


@pytest.fixture
def tracked(tmp_path, monkeypatch):
    """A function that tells a tracker of a run, and returns the folder of the run."""
    for name in ("WANDB_PROJECT", "TRACKIO_PROJECT", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)

    def tell(name):
        pytest.importorskip(TRACKERS.line(name).rpartition(".")[2].partition(":")[0])
        folder, tracker = tmp_path / "run", TRACKERS.get(name)()
        folder.mkdir()
        page = folder / "report.html"
        page.write_text("<!DOCTYPE html>")
        settings = {"seeds": 3, "weak": {"name": "atlas-s"}, "methods": ["naive"], "metric": None}
        assert tracker.start(TrackedRun("run", folder, settings))
        for training in NAMES:
            role = training.split()[1]
            tracker.training(TrackedTraining(training, "atlas-asia", role, "", 0, ROWS))
        tracker.results(TABLE, page)
        tracker.end(failed=False)
        return folder

    return tell


@pytest.mark.filterwarnings("default")
def test_tensorboard(tracked):
    folder = tracked("tensorboard") / "tensorboard"
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert len(list(folder.iterdir())) == 3
    for place in folder.iterdir():
        events = EventAccumulator(str(place))
        events.Reload()
        scalars = events.Tags()["scalars"]
        if place.name == "study":
            assert scalars == [f"pgr/{TABLE[0]['task']} {TABLE[0]['method']}"]
            continue
        assert set(scalars) == {"loss", "gradient_norm", "head_rate", "validation"}
        told = [(e.step, e.value) for e in events.Scalars("loss")]
        assert told == [(1, 1), (2, 0.5), (3, pytest.approx(1 / 3))]
        assert [(e.step, e.value) for e in events.Scalars("validation")] == [(3, 0.75)]


@pytest.mark.filterwarnings("default")
def test_wandb(tracked, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = tracked("wandb")
    (kept,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    content = kept.read_bytes()
    for training in NAMES:
        assert f"loss/{training}".encode() in content
    assert b"report.html" in content


@pytest.mark.filterwarnings("default")
def test_trackio(tracked, tmp_path, monkeypatch, capsys):
    trackio = pytest.importorskip("trackio")
    places = {"TRACKIO_DIR": tmp_path, "MEDIA_DIR": tmp_path / "m", "ARTIFACTS_DIR": tmp_path / "a"}
    for module in (trackio.utils, trackio.sqlite_storage, trackio):
        for name, place in places.items():
            monkeypatch.setattr(module, name, place, raising=False)
    tracked("trackio")
    # What it says is no table.
    assert capsys.readouterr().out == ""
    with sqlite3.connect(tmp_path / "weak2strong.db") as kept:
        told = kept.execute("select run_name, step, metrics from metrics order by step").fetchall()
    for training in NAMES:
        rows = [(s, json.loads(m)["loss"]) for name, s, m in told if name == f"run {training}"]
        assert rows == [(1, 1), (2, 0.5), (3, 1 / 3)]


@pytest.mark.filterwarnings("default")
def test_mlflow(tracked, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    tracked("mlflow")
    import mlflow

    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("weak2strong").experiment_id
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    assert set(runs) == {"run", *NAMES}
    assert all(run.info.status == "FINISHED" for run in runs.values())
    assert runs["run"].data.params["seeds"] == "3"
    # MLflow takes few signs in names.
    metrics = {"pgr/atlas-asia_1 _new_ probe-filter:share_0.5_naive": 0.5}
    assert runs["run"].data.metrics == metrics
    history = client.get_metric_history(runs[NAMES[1]].info.run_id, "loss")
    assert sorted((m.step, m.value) for m in history) == [(1, 1), (2, 0.5), (3, 1 / 3)]
    kept = {file.path for file in client.list_artifacts(runs["run"].info.run_id)}
    assert kept == {"report.html", "results.json", "study.json"}
