"""`w2s watch`: a run that goes on, the end of one, and no run; and training curves as a figure."""

import io
import json
import platform
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from rich.console import Console

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.listed import RUNNING, listed
from weak2strong.cli import main
from weak2strong.engine.curves import FILE, curves_table
from weak2strong.engine.events import AT_WORK, at_work
from weak2strong.engine.state import KILLED, state_of
from weak2strong.ground.store import paths
from weak2strong.ground.store.lock import shown
from weak2strong.report.figures.curves import CURVES, means
from weak2strong.report.figures.style import method_styles
from weak2strong.report.watch import Watched

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

NAMES = [f"a-task {what} seed 0" for what in ("supervisor", "student naive", "student product")]


def events(*more):
    """A run of which a step is done and another one is at work."""
    told = [
        (0, "start", {"workers": 2, "store": "/nowhere", "steps": NAMES}),
        (4, "step", {"name": NAMES[0], "seconds": 4.0, "reused": False, "stages": []}),
        (4, "begin", {"name": NAMES[1], "place": "GPU 0, worker 1"}),
        (9, "training", {"name": NAMES[1], "done": 30, "total": 120}),
        (9, "warning", {"text": "It has [hardly] learned."}),
        *more,
    ]
    times = [(BEGAN + timedelta(seconds=at)).isoformat() for at, *_ in told]
    return [{"time": t, "event": e, **d} for t, (_, e, d) in zip(times, told, strict=True)]


def test_a_run_that_goes_on_is_drawn(tmp_path):
    console = Console(width=110, record=True, file=io.StringIO())
    state = state_of(events())
    console.print(Watched(tmp_path / "run").drawn(state, BEGAN + timedelta(seconds=14)))
    text = console.export_text()
    assert "1 of 3 steps done; running for 14 s, about 30 s left." in text
    assert "GPU 0, worker 1" in text
    assert "step 30 of 120" in text
    assert "a-task supervisor seed 0: 4 s (1 of 3)" in text
    assert "It has [hardly] learned." in text
    rows = [line.split() for line in text.splitlines()]
    assert ["student", "naive", "–", "1", "–"] in rows
    assert ["student", "product", "–", "–", "1"] in rows


@pytest.mark.parametrize("end", [("end", {}), ("stop", {"why": "Ctrl-C"})])
def test_without_a_terminal_lines_tell_the_end(end, tmp_path, capsys):
    log = tmp_path / "events.jsonl"
    log.write_text("".join(json.dumps(e) + "\n" for e in events((20, *end))) + '{"time": "20')
    assert main(["watch", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"{tmp_path}: 3 steps, 2 workers" in out
    assert "a-task supervisor seed 0: 4 s (1 of 3)" in out
    assert "warning: It has [hardly] learned." in out
    how = "finished after 20 s" if end[0] == "end" else "stopped after 20 s by: Ctrl-C"
    assert out.endswith(f"1 of 3 steps done; {how}.\n")


def test_a_run_that_was_killed_ends_the_view(tmp_path, capsys, monkeypatch):
    """Its log has no end, and nobody holds its lock; while somebody does, it is watched."""
    told = events()
    told[0]["machine"] = platform.node()
    log = "".join(json.dumps(e) + "\n" for e in told)
    (tmp_path / "events.jsonl").write_text(log)
    (tmp_path / AT_WORK).write_text("")
    looks = []

    def slept(seconds):
        looks.append(seconds)
        assert len(looks) < 5, "the view does not end"

    monkeypatch.setattr("weak2strong.cli.watch.time.sleep", slept)
    assert main(["watch", str(tmp_path)]) == 0
    assert len(looks) == 1
    assert "nobody is at work on it any more" in capsys.readouterr().out
    assert (tmp_path / AT_WORK).exists(), "whoever watches changes nothing"

    state = state_of(told)
    with shown(tmp_path / AT_WORK):
        assert at_work(tmp_path) is True
        assert [one.state for one in listed([tmp_path])] == [RUNNING]
    assert at_work(tmp_path) is None
    assert state.beside(True) == state.beside(None) == state
    assert replace(state, machine="another").beside(False).ended is None
    assert state.beside(False).ended == KILLED


def test_a_run_of_somebody_else_is_watched_without_losses(tmp_path, monkeypatch, capsys):
    """Whose store one may not write to."""

    def refused(root):
        raise PermissionError(13, "Permission denied", str(root))

    monkeypatch.setattr(paths, "make_writable", refused)
    told = [e | {"store": str(tmp_path)} if "store" in e else e for e in events((20, "end", {}))]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in told))
    assert main(["watch", str(tmp_path)]) == 0
    assert "a-task supervisor seed 0: 4 s (1 of 3)" in capsys.readouterr().out


@pytest.mark.parametrize("every", ["0", "nan", "inf"])
def test_seconds_that_nobody_can_wait_are_refused(every, tmp_path, capsys):
    assert main(["watch", str(tmp_path), "--every", every]) == 2
    assert "--every takes seconds above 0" in capsys.readouterr().err


def test_a_folder_without_a_run_is_refused(tmp_path, capsys):
    assert main(["watch", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err


@pytest.fixture
def with_curves(small_run, tmp_path):
    """A run with curves of known losses, of which a student has two."""
    folder = shutil.copytree(small_run, tmp_path / "run")
    cells = [("supervisor", "", 0), ("ceiling", "", 0), ("student", "naive", 0)]
    cells += [("student", "naive", 1), ("student", "confidence", 0)]
    rows = [
        {
            **{"task": task, "role": role, "method": method, "seed": seed, "fit": fit},
            **{"step": step, "steps": 10, "loss": (fit + 1) / step + seed, "gradient_norm": 1.0},
            **{"learning_rate": None, "head_rate": 0.1, "validation": None, "kept": 1.0},
        }
        for task in ("a-task", "b-task")
        for role, method, fit in cells
        for seed in range(3)
        for step in range(1, 11)
    ]
    curves_table(rows).write_parquet(folder / FILE)
    return FinishedRun(folder)


def test_curves_are_drawn_by_task_and_model(with_curves, small_run):
    frame = CURVES.data(with_curves)
    assert set(frame["role"]) == {"floor", "ceiling", "student"}
    # Where only heads are trained, theirs is the rate; and the last finetuning is the student.
    assert frame["rate"].to_list() == pytest.approx([0.1] * len(frame))
    naive = frame.filter(task="a-task", method="naive")
    assert len(naive) == 30
    # Of the second finetuning, means over three seeds: 2 / step + 1.
    mean = means(naive, "loss")
    assert mean["loss"].to_list() == pytest.approx([2 / step + 1 for step in range(1, 11)])
    figure = CURVES.draw(frame, method_styles(["naive", "confidence"]))
    # Two tasks and three measures, since nothing was validated; four models, of three seeds each.
    assert len(figure.axes) == 6
    assert all(len(axes.lines) == 4 * (3 + 1) for axes in figure.axes)
    # Of ten rows a window of a tenth is one row.
    assert any(list(line.get_ydata()) == mean["loss"].to_list() for line in figure.axes[0].lines)
    told = CURVES.describe(frame)
    assert told.title.startswith("In all 24 finetunings ")
    assert "a-task, naive: loss 3.000 at first, 1.200 at last" in told.alt
    assert CURVES.describe(frame.with_columns(-pl.col("loss"))).title.startswith("In 0 of 24 ")
    assert CURVES.data(FinishedRun(small_run)) is None


def test_a_small_last_batch_makes_no_spike(with_curves):
    """Of steps of loss 1 and a last one of loss 11 the end is a mean of six."""
    frame = CURVES.data(with_curves)
    losses = [1.0] * 99 + [11.0]
    rows = frame[:1].join(pl.DataFrame({"loss": losses}), how="cross", suffix="_new")
    rows = rows.with_columns(pl.col("loss_new").alias("loss"), step=pl.int_range(1, 101)).drop(
        "loss_new"
    )
    figure = CURVES.draw(rows, method_styles(["naive"]))
    (line,) = figure.axes[0].lines
    assert max(line.get_ydata()) == line.get_ydata()[-1] == pytest.approx(16 / 6)
    assert min(line.get_ydata()) == 1
    assert "means over a tenth of the steps" in CURVES.describe(rows).note
