"""The command line as a user meets it: what is printed, exit codes, one sentence for bad input."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

from weak2strong.cli import main
from weak2strong.config.study import StudyConfig
from weak2strong.engine.local import Plan
from weak2strong.ground.code.used import Code
from weak2strong.ground.metrics import usual_metric
from weak2strong.protocol.task_run import MissingError
from weak2strong.subjects.atlas.facts import seen_cities

QUICK = """
tasks: [atlas-landlocked]
weak: {weak}
strong: {strong}
seeds: 1
weak_training: {{steps: 6, evaluations: 2, learning_rate: 0.003}}
strong_training: {{steps: 6, evaluations: 2, learning_rate: 0.003}}
"""


@pytest.fixture(scope="module")
def study(toy_models, tmp_path_factory) -> Path:
    """A quick study of toy models, as a file."""
    file = tmp_path_factory.mktemp("cli") / "quick.yaml"
    file.write_text(QUICK.format(weak=toy_models["gpt2"], strong=toy_models["llama"]))
    return file


@pytest.fixture(scope="module")
def finished(study) -> tuple[Path, Path]:
    """Run folder and store of the quick study."""
    out, store = study.parent / "run", study.parent / "store"
    assert main(["run", str(study), "--out", str(out), "--store", str(store), "--quiet"]) == 0
    return out, store


def test_run_prints_the_table_and_what_it_wrote(study, finished, capsys):
    out, store = finished
    code = main(["run", str(study), "--out", str(out), "--store", str(store)])
    shown = capsys.readouterr()
    assert code == 0
    for word in ("floor", "student", "ceiling", "PGR [95%]", "naive", "confidence", "probe"):
        assert word in shown.out
    assert f"\nWritten to {out}\n" in shown.err
    assert f"w2s run {out}/study.yaml --seeds 5 --store {store}\n" in shown.err
    assert "Written" not in shown.out
    assert shown.err.count(": reused") == 6


def test_the_help_names_the_defaults_of_a_study(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    config = StudyConfig()
    for default in (*config.tasks, config.weak.name, config.strong.name, config.seeds):
        assert f"(default: {default}" in shown
    assert f"(default: {' '.join(config.methods)})" in shown
    assert f"{usual_metric('classification')} (default)" in shown


def test_table_prints_the_same_from_the_folder_alone(study, finished, capsys):
    out, store = finished
    main(["run", str(study), "--out", str(out), "--store", str(store), "--quiet"])
    first = capsys.readouterr().out
    assert main(["table", str(out)]) == 0
    table = capsys.readouterr().out
    assert table.strip() in first
    assert main(["table", str(out), "--metric", "roc_auc"]) == 0
    assert "ROC AUC" in capsys.readouterr().out


def test_tables_of_several_runs_make_one_page(study, finished, tmp_path, capsys):
    """The page of a seen and an unseen run of one study compares the two."""
    seen, store = finished
    unseen, page = tmp_path / "unseen", tmp_path / "page.md"
    flags = ["--entities", "unseen", "--out", str(unseen), "--store", str(store), "--quiet"]
    assert main(["run", str(study), *flags]) == 0
    told = {f"city:{c.id}" for c in seen_cities()}
    groups = [set(pl.read_parquet(run / "predictions.parquet")["group"]) for run in (seen, unseen)]
    assert groups[0] <= told
    assert not groups[1] & told
    capsys.readouterr()
    assert main(["table", str(seen), str(unseen), "--markdown", str(page)]) == 0
    assert capsys.readouterr().err == f"Written to {page}\n"
    text = page.read_text()
    assert f"w2s table {seen} {unseen} --markdown {page}" in text
    assert len(re.findall(r"^## .*gpt2 to .*llama", text, flags=re.MULTILINE)) == 3
    assert "## What is knowledge" in text


def test_flags_override_the_study(study, finished, tmp_path, capsys):
    _, store = finished
    out = tmp_path / "run"
    flags = ["--methods", "naive", "--metric", "roc_auc", "--out", str(out), "--quiet"]
    assert main(["run", str(study), *flags, "--store", str(store)]) == 0
    results = pl.read_parquet(out / "results.parquet")
    assert set(results["method"]) == {"naive"}
    assert "metric: roc_auc" in (out / "study.yaml").read_text()


def test_own_weak_labels_from_an_exported_task(study, finished, tmp_path, capsys):
    """Export a task, label it (here with the truth), run with the labels: the floor is perfect."""
    _, store = finished
    exported, labels = tmp_path / "task.jsonl", tmp_path / "labels.jsonl"
    assert main(["export", "atlas-landlocked", "--out", str(exported)]) == 0
    rows = [json.loads(line) for line in exported.read_text().splitlines()]
    labels.write_text("\n".join(json.dumps({"id": r["id"], "label": r["label"]}) for r in rows))
    out = tmp_path / "run"
    flags = ["--methods", "naive", "--weak-labels", str(labels), "--out", str(out), "--quiet"]
    assert main(["run", str(study), *flags, "--store", str(store)]) == 0
    results = pl.read_parquet(out / "results.parquet")
    assert results.filter(metric="accuracy")["floor"].to_list() == [1.0]
    assert set(results["weak"]) == {"labels.jsonl"}


def test_export_can_hide_the_labels_that_a_supervisor_must_not_see(tmp_path):
    exported = tmp_path / "task.jsonl"
    assert main(["export", "atlas-landlocked", "--out", str(exported), "--hide-labels"]) == 0
    rows = [json.loads(line) for line in exported.read_text().splitlines()]
    assert all(("label" in r) == (r["split"] == "weak_train") for r in rows)


def test_tasks_and_methods_are_listed(tasks_listed, capsys):
    names = ("atlas-asia", "atlas-europe", "atlas-landlocked")
    assert all(name in tasks_listed for name in names)
    assert "CC BY 4.0" in tasks_listed
    assert re.search(r"atlas-suite stands for \d\d of them", tasks_listed)
    assert main(["methods"]) == 0
    methods = capsys.readouterr().out
    assert "naive" in methods
    assert "Burns et al. 2023, section 4.3" in methods


def test_the_store_is_measured_verified_and_pruned(study, tmp_path, capsys):
    store, out = tmp_path / "store", tmp_path / "run"
    main(["run", str(study), "--out", str(out), "--store", str(store), "--quiet"])
    capsys.readouterr()
    assert main(["store", "sizes", "--store", str(store)]) == 0
    assert re.search(r"finetune +4 ", capsys.readouterr().out)
    victim = next((store / "finetune").glob("*/trace.json"))
    victim.write_text("{}")
    assert main(["store", "verify", "--store", str(store)]) == 0
    assert "9 results checked, 1 damaged." in capsys.readouterr().out
    assert main(["store", "prune", "--store", str(store), "--everything"]) == 0
    assert "MiB freed" in capsys.readouterr().out
    assert not list(store.glob("*/*/manifest.json"))
    assert main(["table", str(out)]) == 0, "a run does not need the store"


BAD = [
    (["run", "--task", "atlas-asai"], r"Unknown task 'atlas-asai': .*atlas-asia"),
    (["run", "--weak", "atlas-ss"], r"Unknown model 'atlas-ss': .*atlas-s"),
    (["run", "--strong", "/no/such/folder"], r"Model folder /no/such/folder does not exist"),
    (["run", "--strong", "nobody/nothing"], r"nobody/nothing is no local .*offline mode"),
    (
        ["run", "--methods", "confidance"],
        r"method 'confidance': the nearest are confidence, ",
    ),
    (["run", "--seeds", "0"], r"seeds must be at least 1, not 0"),
    (["run", "--epochs", "0"], r"epochs must be at least 1"),
    (["run", "--weak-lr", "-1"], r"--weak-lr must be above 0, not -1"),
    (
        ["run", "--weak-label-temperature", "cold"],
        r"--weak-label-temperature must be a number above 0, or fit, not 'cold'",
    ),
    (["run", "--weak-label-temperature", "0"], r"must be a number above 0, or fit, not '0'"),
    (["run", "--metric", "f2"], r"Unknown .*metric.* 'f2'"),
    (["run", "--out", "/proc/nothing/here"], r"Cannot write /proc/nothing/here"),
    (["run", "--store", "/proc/nothing"], r"/proc/nothing"),
    (["run", "missing.yaml"], r"Study missing.yaml cannot be read"),
    (["run", "--weak-labels", "missing.csv"], r"missing.csv cannot be read"),
    (["table", "nowhere"], r"nowhere holds no finished run"),
    (["export", "atlas-moon", "--out", "x.jsonl"], r"Unknown task 'atlas-moon'"),
    (["export", "atlas-asia", "--out", "/proc/x.jsonl"], r"Cannot write /proc/x.jsonl"),
    (["table", "nowhere", "--markdown", "x.md"], r"nowhere holds no finished run"),
    (["ladder", "card", "--folder", "nowhere"], r"No readable ladder card at nowhere"),
    (["ladder", "build", "--out", "/proc/nothing"], r"Cannot write /proc/nothing"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD, ids=lambda x: " ".join(x)[:40])
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments, sentence, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = [x for x in shown.err.splitlines() if not x.startswith("[")]
    assert line.startswith("error: ")
    assert re.search(sentence, line)


def test_a_failure_of_ours_is_exit_code_1_and_keeps_what_is_stored(
    study, tmp_path, capsys, monkeypatch
):
    from weak2strong.protocol import stages

    def fall_over(task_run, seed, reading):
        if task_run.compute:
            raise RuntimeError("the ceiling came down")
        raise MissingError("finetune", "", {}, Code("", {}))

    store, out = tmp_path / "store", tmp_path / "run"
    command = ["run", str(study), "--out", str(out), "--store", str(store), "--quiet"]
    monkeypatch.setattr(stages, "ceiling", fall_over)
    monkeypatch.setattr(Plan, "of", lambda *_: Plan(workers=1, threads=1))
    assert main(command) == 1
    assert "the ceiling came down" in capsys.readouterr().err
    assert list(store.glob("finetune/*/manifest.json")), "the supervisor was finished"


def test_the_shipped_ladder_has_a_card(capsys):
    assert main(["ladder", "card"]) == 0
    shown = capsys.readouterr().out
    for word in ("atlas-xs", "atlas-s", "atlas-m", "parameters", "tokens", "seconds", "knows"):
        assert word in shown
    assert main(["ladder", "card", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["command"] == "ladder card"
    assert [rung["width"] for rung in document["rungs"]] == [32, 64, 80, 128]
