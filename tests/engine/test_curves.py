"""What a run keeps of its finetunings by step, tells while it goes on, and tells trackers."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.config.engine import EngineOptions
from weak2strong.engine.curves import FILE, POINTS, curve_rows, read_curves, trainings_in
from weak2strong.engine.events import read_events
from weak2strong.engine.places import Plan
from weak2strong.engine.run import run_study
from weak2strong.engine.state import state_of
from weak2strong.engine.tracking import TRACKERS
from weak2strong.engine.tracking.tracked import trackers_named
from weak2strong.engine.tracking.tracker import TrackedRun
from weak2strong.engine.tracking.trackio import Trackio
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.progress import Progress
from weak2strong.ground.shown import SHOWN
from weak2strong.ground.store import Store
from weak2strong.protocol.task_run import Used

ALONE = Plan(workers=1, threads=1)


class Noting:
    """A tracker that notes what it is told."""

    package, extra = "", ""
    made: ClassVar[list["Noting"]] = []

    def __init__(self):
        self.told = []
        Noting.made.append(self)

    def start(self, run):
        self.told.append(("start", run))
        return "a list"

    def training(self, training):
        self.told.append(("training", training))

    def results(self, table, page):
        self.told.append(("results", (table, page)))

    def end(self, failed):
        self.told.append(("end", failed))


class Failing(Noting):
    """One that fails when it is told the first curve."""

    def training(self, training):
        super().training(training)
        raise ConnectionError("no network\nhere")


class Absent(Noting):
    """One whose package nobody has."""

    package, extra = "no_such_package_at_all", "absent"


@pytest.fixture(scope="module")
def trackers():
    for kind in (Noting, Failing, Absent):
        TRACKERS.add(kind.__name__.lower(), kind, "a test")
    # The page of a run takes seconds, and is tested elsewhere.
    SHOWN.add("page", lambda folders, path: path.write_text(f"{folders}") and path, None)
    yield
    SHOWN._own.pop("page")
    TRACKERS.drop("a test")


@pytest.fixture(scope="module")
def config(quick_study):
    short = replace(quick_study.weak_training, steps=6, stopping="weak-validation")
    return replace(
        quick_study,
        methods=("naive", "bootstrapping"),
        intermediates=(quick_study.weak,),
        weak_training=short,
        strong_training=short,
    )


@pytest.fixture(scope="module")
def made(config, trackers, tmp_path_factory):
    """A run with a tracker that notes, and one that fails on its way."""
    at, lines = tmp_path_factory.mktemp("curves"), []
    progress = Progress(quiet=True)
    progress.line = lines.append
    options = EngineOptions(track=("failing", "noting"))
    Noting.made.clear()
    folder = run_study(config, at / "run", at / "store", progress, ALONE, engine=options)
    return folder, at / "store", list(Noting.made), lines


def test_a_run_keeps_the_curve_of_every_finetuning(made):
    """As the stages have it: loss, gradient, rates, and the scores of the evaluations."""
    folder, store, *_ = made
    curves = FinishedRun(folder).curves
    cells = curves.group_by("role", "method", "fit", maintain_order=True).agg("step")
    assert [row[:3] for row in cells.iter_rows()] == [
        ("supervisor", "", 0),
        ("ceiling", "", 0),
        ("student", "naive", 0),
        ("student", "bootstrapping", 0),
        ("student", "bootstrapping", 1),
    ]
    assert cells["step"].to_list() == [[1, 2, 3, 4, 5, 6]] * 5
    keys = [s["key"] for e in read_events(folder) for s in e.get("stages", ())]
    stored = [Store(store).get("finetune", key) for key in dict.fromkeys(keys)]
    by_steps = {
        tuple(np.float32(pl.read_parquet(e.path / "curve.parquet")["loss"]))
        for e in filter(None, stored)
    }
    losses = {
        tuple(np.float32(of))
        for (of,) in cells.join(
            curves.group_by("role", "method", "fit").agg("loss"), on=["role", "method", "fit"]
        )
        .select("loss")
        .iter_rows()
    }
    assert losses == by_steps
    scored = curves.drop_nulls("validation")
    assert set(scored["step"]) == {3, 6}
    assert curves["head_rate"].null_count() == 0


def test_curves_of_results_that_the_store_has_are_the_same(made, config, tmp_path):
    """Also of students, whose own finetunings are then read by nobody else."""
    folder, store, *_ = made
    again = run_study(config, tmp_path / "again", store, plan=ALONE)
    assert (again / FILE).read_bytes() == (folder / FILE).read_bytes()


def test_a_student_of_a_release_that_noted_nothing_has_no_curve(made, tmp_path):
    store = Store(tmp_path)
    entry = store.put("student", "0" * 64, {}, lambda folder: None, 0.0)
    assert entry.made_of == []
    assert "made_of" not in entry.manifest
    used = [Used("student", entry.key, True, 0.0), Used("finetune", "1" * 64, True, 0.0)]
    assert trainings_in(store, used) == []


def test_an_older_run_has_no_curves(last_release):
    assert read_curves(FolderFiles(last_release, "run")) is None


def test_a_long_training_has_few_rows(tmp_path):
    """Rows are means over their steps, and end where evaluations stand."""
    losses, scores = np.linspace(2, 1, 1003), {0.5: 0.75, 1.0: None}
    trace = [{"fraction": f, "loss": 0.0, "score": s} for f, s in scores.items()]

    def write(folder: Path):
        steps = {"loss": losses, "gradient_norm": losses * 2, "rates": [[0.1, 0.2]] * len(losses)}
        pl.DataFrame(steps).write_parquet(folder / "curve.parquet")
        (folder / "trace.json").write_text(json.dumps({"trace": trace, "kept": 0.5}))

    spec = {"fields": {"role": "student", "model": {"adaptation": "head"}}}
    rows = curve_rows(Store(tmp_path).put("finetune", "0" * 64, spec, write, 0.0))
    assert POINTS <= len(rows) <= POINTS + 2
    steps = [row["step"] for row in rows]
    assert steps == sorted(set(steps))
    assert steps[-1] == 1003
    widths = np.diff([0, *steps])
    assert np.average([row["loss"] for row in rows], weights=widths) == pytest.approx(1.5)
    assert {row["step"]: row["validation"] for row in rows if row["validation"]} == {502: 0.75}
    # Where a head alone is trained, nothing learns at the trunk's rate.
    assert {(row["learning_rate"], row["head_rate"]) for row in rows} == {(None, 0.2)}


def test_the_log_tells_what_begins(made):
    folder, *_ = made
    events = read_events(folder)
    names = [e["name"] for e in events if e["event"] == "step"]
    assert [e["name"] for e in events if e["event"] == "begin"] == names
    assert set(events[0]["steps"]) == set(names)
    state = state_of(events)
    assert state.ended == "finished"
    assert not state.running
    assert not state.waiting
    # While the last step was at work, the log told so.
    at = max(i for i, e in enumerate(events) if e["event"] == "begin")
    before = state_of(events[: at + 1])
    assert [one.name for one in before.running] == [names[-1]]
    assert before.ended is None
    assert before.seconds_left(before.last) > 0


def test_a_tracker_is_told_all_of_a_run(made, config):
    folder, _, (_, noting), lines = made
    kinds = [kind for kind, _ in noting.told]
    assert kinds == ["start", *["training"] * 5, "results", "end"]
    started, (table, page), failed = (noting.told[i][1] for i in (0, -2, -1))
    assert started.settings["methods"] == ["naive", "bootstrapping"]
    assert started.name == "run"
    trainings = [x for kind, x in noting.told if kind == "training"]
    names = [x.name for x in trainings]
    assert len(set(names)) == 5
    assert "atlas-landlocked student bootstrapping seed 0 fit 0" in names
    assert all(len(x.rows) == 6 and x.numbers()[0][1]["loss"] > 0 for x in trainings)
    assert [row["method"] for row in table] == ["naive", "bootstrapping"]
    assert page == folder / "report.html"
    assert page.read_text() == f"{[folder]}"
    assert failed is False
    assert "tracked by noting: a list" in lines


def test_a_tracker_that_fails_costs_a_warning(made):
    """It is told nothing more, and the run ends as it does without."""
    folder, _, (failing, _), lines = made
    assert [kind for kind, _ in failing.told] == ["start", "training"]
    told = [line for line in lines if "failing" in line and "warning" in line]
    assert len(told) == 1
    assert "ConnectionError: no network here" in told[0]
    texts = [e["text"] for e in read_events(folder) if e["event"] == "warning"]
    assert sum("The tracker failing failed" in text for text in texts) == 1


def test_trackers_are_checked_before_anything_is_done(trackers, config, tmp_path):
    options = EngineOptions(track=("absent",))
    with pytest.raises(UserError, match=r"no_such_package_at_all.*pip install 'weak2strong\[abs"):
        run_study(config, tmp_path / "run", tmp_path / "store", plan=ALONE, engine=options)
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="notin"):
        trackers_named(["notin"])


def test_a_folder_of_its_name_is_no_package(tmp_path, monkeypatch):
    """Some trackers leave one where they were used."""
    (tmp_path / Absent.package).mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    TRACKERS.add("absent", Absent, "a test")
    with pytest.raises(UserError, match="not installed"):
        trackers_named(["absent"])
    TRACKERS.drop("a test")


def test_a_part_of_a_package_that_is_absent_is_not_installed():
    part = type("Part", (Absent,), {"package": f"{Absent.package}.part"})
    TRACKERS.add("absent", part, "a test")
    with pytest.raises(UserError, match="not installed"):
        trackers_named(["absent"])
    TRACKERS.drop("a test")


def test_what_trackio_cannot_begin_leaves_standard_output_as_it_was(tmp_path, monkeypatch, capsys):
    def init(**about):
        raise ConnectionError("no network")

    monkeypatch.setitem(sys.modules, "trackio", SimpleNamespace(init=init))
    with pytest.raises(ConnectionError):
        Trackio().start(TrackedRun("run", tmp_path, {}))
    print("a table")
    assert capsys.readouterr().out == "a table\n"


def test_numbers_do_not_depend_on_trackers():
    """No setting of the engine is in any key."""
    from weak2strong.config.study import StudyConfig

    assert "track" not in StudyConfig.__dataclass_fields__
