"""Whole studies: repeatable, resumable after a kill, whatever the number of workers."""

import json
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from weak2strong.config.study import StudyConfig
from weak2strong.engine import places, record
from weak2strong.engine.claim import OURS
from weak2strong.engine.explain import explain_study
from weak2strong.engine.local import Plan
from weak2strong.engine.recorded import STUDY, read_agreement, read_run
from weak2strong.engine.run import do_steps, run_study
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.index import read_index
from weak2strong.ground.predictions import Predictions
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.models.devices import FAKE
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.runtime import Runtime
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import SPLITS, make_splits
from weak2strong.tasks.task import Example, Item


@pytest.fixture(scope="module")
def config(quick_study) -> StudyConfig:
    """The quick study with short trainings."""
    short = replace(quick_study.weak_training, steps=6)
    return replace(quick_study, weak_training=short, strong_training=short)


@pytest.fixture(scope="module")
def undisturbed(config, tmp_path_factory) -> Path:
    """The run folder of the study, done in one go by this process."""
    at = tmp_path_factory.mktemp("undisturbed")
    return run_study(config, at / "run", at / "store", plan=Plan(workers=1, threads=1))


def numbers(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Everything that a run found."""
    _, results, predictions = read_run(folder)
    return results, predictions


def steps_of(folder: Path) -> list[dict]:
    """The step events of a run, of its last start."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    start = max(i for i, e in enumerate(events) if e["event"] == "start")
    return [e for e in events[start:] if e["event"] == "step"]


def test_the_run_folder_holds_a_row_a_cell_and_metric(undisturbed, config):
    results, predictions = numbers(undisturbed)
    assert len(results) == 2 * 5
    assert set(results["method"]) == {"naive", "confidence"}
    one = results.filter(method="naive", seed=0, metric="accuracy").row(0, named=True)
    rows = predictions.filter(role="student", method="naive", seed=0)
    right = [
        max(range(2), key=lambda c: p[c]) == label
        for p, label in zip(rows["probabilities"], rows["label"], strict=True)
    ]
    assert one["student"] == pytest.approx(sum(right) / len(right))
    gap = one["ceiling"] - one["floor"]
    if gap != 0:
        assert one["pgr_of_cell"] == pytest.approx((one["student"] - one["floor"]) / gap)
    environment = json.loads((undisturbed / "environment.json").read_text())
    assert environment["threads"] == 1
    assert StudyConfig.from_yaml((undisturbed / "study.yaml").read_text()) == resolved(config)


def test_what_a_run_writes_is_known_before_it(undisturbed):
    """So that a file of somebody else's that has such a name is not written over."""
    index = read_index(undisturbed)
    assert set(index.files) == {STUDY, *OURS}


def test_agreement_is_recorded_of_every_split(undisturbed, config):
    """On test it is that of the recorded predictions; on strong_train there are no others."""
    found = read_agreement(FolderFiles(undisturbed, "run"))
    _, predictions = numbers(undisturbed)
    assert len(found) == 2 * 3
    splits = make_splits(find_task("atlas-landlocked", config.data))
    sizes = {name: len(splits.examples(name)) for name in SPLITS}
    for row in found.iter_rows(named=True):
        assert row["examples"] == sizes[row["split"]]
        roles = {"floor": "", "student": row["method"]}
        if row["split"] == "test":
            floor, student = (
                predictions.filter(role=r, method=m, seed=row["seed"])[
                    "probabilities"
                ].list.arg_max()
                for r, m in roles.items()
            )
            assert row["agreement"] == pytest.approx((floor == student).mean())
    assert set(found["split"]) == {"strong_train", "validation", "test"}
    assert found.filter(split="strong_train")["agreement"].is_between(0, 1).all()


def test_the_primary_test_changes_no_key_and_an_older_study_file_is_the_same_study(
    undisturbed, config, tmp_path
):
    store = undisturbed.parent / "store"
    other = replace(config, primary_test="t-two-sided")
    folder = run_study(other, tmp_path / "run", store, plan=Plan(1, 1))
    assert all(s["reused"] for s in steps_of(folder))
    with pytest.raises(UserError, match="holds a run of another study"):
        run_study(config, folder, store)
    # A folder from before there was a primary test, and an index.
    (folder / "run.json").unlink()
    study = folder / "study.yaml"
    study.write_text(study.read_text().replace("primary_test: t-two-sided\n", ""))
    run_study(config, folder, store, plan=Plan(1, 1))


def test_running_again_trains_nothing(undisturbed, config, tmp_path):
    store = undisturbed.parent / "store"
    before = sorted(p.name for p in store.glob("*/*"))
    folder = run_study(config, tmp_path / "run", store, plan=Plan(1, 1))
    assert all(s["reused"] for s in steps_of(folder))
    assert sorted(p.name for p in store.glob("*/*")) == before
    for one, other in zip(numbers(undisturbed), numbers(folder), strict=True):
        assert_frame_equal(one, other, check_exact=True)


def test_another_number_of_threads_in_the_same_process_is_another_result(
    undisturbed, config, tmp_path
):
    store = shutil.copytree(undisturbed.parent / "store", tmp_path / "store")
    few = replace(config, methods=("naive",))
    second = run_study(few, tmp_path / "two", store, plan=Plan(workers=1, threads=2))
    assert not any(u["reused"] for s in steps_of(second)[:2] for u in s["stages"])
    environment = json.loads((second / "environment.json").read_text())
    assert environment["threads"] == 2


def test_a_damaged_entry_is_made_again_with_a_warning(undisturbed, config, tmp_path, capsys):
    first, plan = undisturbed, Plan(1, 1)
    store = shutil.copytree(first.parent / "store", tmp_path / "store")
    (supervisor,) = [s for s in steps_of(first) if s["name"].endswith("supervisor seed 0")]
    victim = store / "finetune" / supervisor["stages"][0]["key"] / "predictions.parquet"
    victim.write_bytes(victim.read_bytes()[:-10])
    progress = Progress(stream=sys.stderr)
    second = run_study(config, tmp_path / "two", store, progress=progress, plan=plan)
    for one, other in zip(numbers(first), numbers(second), strict=True):
        assert_frame_equal(one, other, check_exact=True)
    said = [line for line in capsys.readouterr().err.splitlines() if "damaged" in line]
    assert len(said) == 1
    assert "warning:" in said[0]
    assert "is damaged and will be recomputed" in said[0]


@pytest.mark.parametrize(
    "finished",
    [pytest.param(1, marks=pytest.mark.slow), 4, pytest.param(6, marks=pytest.mark.slow)],
)
def test_a_killed_run_goes_on_and_ends_with_the_same_numbers(
    undisturbed, config, tmp_path, finished, copied
):
    """Killed with SIGKILL when so many stage results are stored, then started again."""
    study, store, out = tmp_path / "study.yaml", tmp_path / "store", tmp_path / "run"
    study.write_text(config.to_yaml())
    process = copied(KILLABLE, study, out, store)
    deadline = time.monotonic() + 120
    while len(stored(store)) < finished:
        assert process.is_alive(), "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.join()
    assert not (out / "results.parquet").exists()
    kept = {key: manifest(store, key) for key in stored(store)}
    # Another process goes on: this one, which has the libraries loaded.
    run_study(config, out, store, plan=Plan(workers=1, threads=1))
    assert len(kept) >= finished
    # A manifest holds the time of writing: the same bytes mean that nothing was made again.
    assert kept == {key: manifest(store, key) for key in kept}
    for one, other in zip(numbers(undisturbed), numbers(out), strict=True):
        assert_frame_equal(one, other, check_exact=True)


KILLABLE = """
from pathlib import Path
from weak2strong.config.study import read_study
from weak2strong.engine.local import Plan
from weak2strong.engine.run import run_study
study, out, store = map(Path, arguments)
run_study(read_study(study), out, store, plan=Plan(workers=1, threads=1))
"""


def stored(store: Path) -> set[str]:
    """Keys of the whole entries in a store, as ``stage/key``."""
    found = (p.parent for p in store.glob("*/*/manifest.json"))
    stages = {"finetune", "student", "probe", "ngrams"}
    return {f"{p.parent.name}/{p.name}" for p in found if p.parent.name in stages}


def manifest(store: Path, key: str) -> bytes:
    """What the store says of an entry."""
    return (store / key / "manifest.json").read_bytes()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
def test_workers_end_when_their_parent_is_killed(config, tmp_path, workers_of, copied):
    study = tmp_path / "study.yaml"
    study.write_text(config.to_yaml())
    code = KILLABLE.replace("Plan(workers=1", "Plan(workers=2")
    process = copied(code, study, tmp_path / "run", tmp_path / "st")
    deadline = time.monotonic() + 120
    while len(workers := workers_of(process.pid)) < 2 or not stored(tmp_path / "st"):
        assert process.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.join()
    while any(alive(pid) for pid in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_fresh_store_and_two_workers_of_a_plain_script_give_the_same_numbers(
    undisturbed, config, tmp_path, monkeypatch, copied
):
    """Also where the process that reads them has another device, as the head of a cluster has; the
    workers do not know of it."""
    study, script = tmp_path / "study.yaml", tmp_path / "script.py"
    study.write_text(config.to_yaml())
    two = KILLABLE.replace("workers=1", "workers=2")
    # Without a main guard, as users write them.
    given = f"arguments = {[str(study), *(str(tmp_path / x) for x in ('run', 'store'))]}\n"
    once = f"open({str(tmp_path / 'once')!r}, 'a').write('once')\n"
    script.write_text(given + ON_ANOTHER_DEVICE + two + once)
    process = copied("import runpy; runpy.run_path(arguments[0], run_name='__main__')", script)
    process.join()
    assert process.exitcode == 0
    assert (tmp_path / "once").read_text() == "once"
    steps = steps_of(tmp_path / "run")
    assert not any(s["reused"] for s in steps if "student" not in s["name"])
    for one, other in zip(numbers(undisturbed), numbers(tmp_path / "run"), strict=True):
        assert_frame_equal(one, other, check_exact=True)
    entries = Store(tmp_path / "store").entries()
    assert {e.manifest["spec"]["runtime"]["device"] for e in entries} == {"cpu"}
    assert json.loads((tmp_path / "run/environment.json").read_text())["device"] == "cpu"
    # Who does not know the keys finds them where he is told what the workers run on.
    monkeypatch.setattr(Plan, "of", lambda *_: Plan(workers=1, threads=1))
    here = Runtime.here()
    there = Runtime({**here.device, "device": "another"}, here.processor)
    found = explain_study(config, tmp_path / "store", places=(there, here))
    missing = explain_study(config, tmp_path / "store", places=(there,)).missing
    assert found.missing == ()
    assert {m.stage for m in missing} == {"finetune", "probe"}


ON_ANOTHER_DEVICE = """
from weak2strong.protocol.runtime import Runtime
here = Runtime.here(threads=1)
there = Runtime({**here.device, "device": "another"}, here.processor)
Runtime.of_machine = lambda threads=None: (there,)
"""


@pytest.mark.slow
def test_workers_that_are_told_to_be_gpus_give_the_same_numbers(
    undisturbed, config, tmp_path, monkeypatch
):
    """Three GPUs with a worker each, which compute on the CPU; a run with one GPU then finds
    all that the others made."""
    folders = []
    for name, gpus in (("three", "cuda:3"), ("one", "cuda:1")):
        monkeypatch.setenv(FAKE, gpus)
        monkeypatch.setattr(places, "processors", lambda: 1)
        folders.append(run_study(config, tmp_path / name, tmp_path / "store"))
        for one, other in zip(numbers(undisturbed), numbers(folders[-1]), strict=True):
            assert_frame_equal(one, other, check_exact=True)
    assert all(step["reused"] for step in steps_of(folders[1]))
    devices = {e.stage: e.manifest["spec"]["runtime"] for e in Store(tmp_path / "store").entries()}
    assert devices["finetune"]["device"] == "fake cuda"
    assert "threads" not in devices["finetune"]
    assert devices["ngrams"]["device"] == "cpu"


def test_a_run_folder_of_another_study_is_left_alone(undisturbed, tmp_path):
    before = (undisturbed / "results.parquet").read_bytes()
    other = StudyConfig.from_yaml((undisturbed / "study.yaml").read_text())
    other = StudyConfig(**{**vars(other), "seeds": 2})
    with pytest.raises(UserError, match="holds a run of another study"):
        run_study(other, undisturbed, tmp_path / "store")
    assert (undisturbed / "results.parquet").read_bytes() == before


def test_a_machine_that_only_reads_says_which_result_is_gone(undisturbed, config, tmp_path):
    task_runs = TaskRun.all_of(resolved(config), Store(undisturbed.parent / "store"))
    (task_run,) = task_runs.values()
    here = Runtime.here(threads=1)
    task_run.places = (Runtime({**here.device, "device": "another"}, here.processor),)
    with pytest.raises(UserError, match="is not in the store any more, and this machine is none"):
        do_steps(
            tmp_path,
            (),
            task_runs,
            Plan(1, 1),
            Progress(quiet=True),
            lambda work: record.results_files(resolved(config), task_runs),
        )


def test_an_unfinished_run_has_no_table(undisturbed, tmp_path):
    with pytest.raises(UserError, match="holds no finished run"):
        read_run(tmp_path)
    for file in ("study.yaml", "predictions.parquet"):
        (tmp_path / file).write_bytes((undisturbed / file).read_bytes())
    (tmp_path / "results.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UserError, match="holds no finished run"):
        read_run(tmp_path)


def test_a_run_from_before_the_ngram_baseline_had_its_name_is_read_alike(undisturbed, tmp_path):
    (tmp_path / "study.yaml").write_bytes((undisturbed / "study.yaml").read_bytes())
    results, predictions = numbers(undisturbed)
    assert "ngrams" in set(predictions["role"])
    results.rename({"ngrams": "name_baseline"}).write_parquet(tmp_path / "results.parquet")
    older = predictions.with_columns(pl.col("role").replace({"ngrams": "names"}))
    older.write_parquet(tmp_path / "predictions.parquet")
    for new, old in zip((results, predictions), numbers(tmp_path), strict=True):
        assert_frame_equal(new, old, check_exact=True)


def test_how_hard_an_example_is_is_recorded_where_it_is_known(tmp_path, monkeypatch):
    """Two tasks of two test examples, without the models that would answer them."""
    task_runs = {
        name: SimpleNamespace(
            task=SimpleNamespace(name=name, kind="classification"),
            learned=[],
            used=[],
            store=None,
            splits=SimpleNamespace(
                test=[Example(Item(id, id, id), 0, hard) for id, hard in zip("ba", of, strict=True)]
            ),
        )
        for name, of in {"chess": (1.5, -2.0), "atlas": (None, None)}.items()
    }
    answers = Predictions(("a", "b"), np.eye(2))
    monkeypatch.setattr(record, "_agreements", lambda *_: [{}])
    monkeypatch.setattr(record, "_rows", lambda *_: [{}])
    monkeypatch.setattr(
        record,
        "_answers",
        lambda _, task_run: [record.Answer(task_run.task.name, "ngrams", "", 0, answers)],
    )
    files = record.results_files(StudyConfig(), task_runs)
    found = pl.read_parquet(files["predictions.parquet"])
    assert found.select("task", "id", "difficulty").rows() == [
        ("chess", "a", -2.0),
        ("chess", "b", 1.5),
        ("atlas", "a", None),
        ("atlas", "b", None),
    ]
