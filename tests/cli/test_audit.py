"""`w2s audit`: table, JSON, exit codes, and what is refused."""

import json
import random

from weak2strong.analysis.audit.run import read_run_audit
from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.folder import FolderFiles

WORDS = ("red", "blue", "house", "river", "bird", "city", "town", "morning", "evening", "sings")


def write(path, leak=False, n=200):
    dice, lines = random.Random(0), []
    for i in range(n):
        label = dice.choice(["no", "yes"])
        said = " ".join(dice.choices(WORDS, k=dice.randint(2, 6)))
        answer = dice.choice("ABCD") if leak and label == "yes" else said
        asked = " ".join(dice.choices(WORDS, k=9))
        lines.append(json.dumps({"text": f"{asked}? Answer: {answer}", "label": label, "n": i}))
    path.write_text("\n".join(lines))
    return str(path)


def test_a_leak_is_shown_written_and_refused_where_that_is_asked_for(tmp_path, capsys):
    leaky, out = write(tmp_path / "leaky.jsonl", leak=True), tmp_path / "found.json"
    assert main(["audit", leaky, "--json", str(out)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"leaky: {json.loads(out.read_text())[0]['examples']:,} examples, ")
    assert "error" in shown
    assert "is an option's letter alone" in shown
    (one,) = json.loads(out.read_text())
    assert (one["name"], one["reference"], one["models"]) == ("leaky", leaky, [])
    assert one["findings"][0]["level"] == "error"
    answers = [f for f in one["findings"] if f["check"] == "answers"]
    assert any(f["numbers"]["auc"] == 1 and f["examples"] for f in answers)
    assert main(["audit", leaky, "--strict"]) == 1


def test_clean_data_pass_and_other_tasks_beside_them_are_counted(tmp_path, capsys):
    clean = write(tmp_path / "clean.jsonl")
    assert main(["audit", clean, "atlas-arabic", "--strict", "--model", "atlas-xs"]) == 0
    shown = capsys.readouterr().out
    silent = "balance, duplicates, near-duplicates, groups, beginnings, length, form"
    assert f"Nothing found by {silent}" in shown
    assert "atlas-xs was trained on" in shown
    assert "2 tasks: 0 errors, 1 warning" in shown


def test_a_run_is_audited_as_its_study_says_and_keeps_what_was_found(tmp_path, capsys):
    data, run = tmp_path / "leaky.jsonl", tmp_path / "run"
    write(data, leak=True)
    data.write_text(data.read_text().replace('"text"', '"words"'))
    run.mkdir()
    config = StudyConfig(
        tasks=(str(data),),
        weak=ModelSpec("atlas-xs"),
        strong=ModelSpec("atlas-xs"),
        data=DataOptions(text_column="words", n_train=50, n_validation=20, n_test=40),
    )
    (run / "study.yaml").write_text(config.to_yaml())
    assert main(["audit", str(run), "--strict", "--model", "study"]) == 1
    shown, written = capsys.readouterr()
    assert shown.startswith("leaky: 160 examples, ")
    assert "is an option's letter alone" in shown
    assert f"Written to {run / 'audit.json'}: `w2s report {run}` shows" in written
    (one,) = read_run_audit(FolderFiles(run, "run")).tasks
    assert one["models"] == ["atlas-xs"]
    assert {"truncation", "answers"} <= set(one["checks"])
    assert main(["audit", str(run), "--json", str(tmp_path / "found.json")]) == 0
    assert read_run_audit(FolderFiles(run, "run")).tasks[0]["models"] == []
    assert json.loads((tmp_path / "found.json").read_text()) == list(
        read_run_audit(FolderFiles(run, "run")).tasks
    )


def test_what_makes_no_sense_is_said_before_anything_is_read(tmp_path, capsys):
    clean, empty = write(tmp_path / "clean.jsonl"), tmp_path / "none.jsonl"
    empty.write_text("")
    (tmp_path / "study.yaml").write_text(StudyConfig().to_yaml())
    run = str(tmp_path)
    for arguments, sentence in (
        ([], "Name a task"),
        (["no-such-task"], "Unknown task"),
        ([clean, "--model", "atlas-xxl"], "Unknown model"),
        ([clean, "--fresh", clean], "--fresh is compared"),
        ([clean, clean, "--fresh", clean, "--model", "atlas-xs"], "--fresh is compared"),
        ([clean, "--fresh", str(empty), "--model", "atlas-xs"], "has no rows"),
        ([clean, "--text-column", "words"], "no column 'words'"),
        ([clean, "--json", str(tmp_path / "no" / "x.json")], "another --json"),
        ([clean, "--model", "study"], "is for run folders"),
        ([clean, run], "not both at once"),
        ([run, "--text-column", "words"], "told by its study"),
        ([run, "--fresh", clean, "--model", "study"], "told by its study"),
        ([run, "--model", "atlas-xxl"], "Unknown model"),
    ):
        assert main(["audit", *arguments]) == 2
        assert sentence in capsys.readouterr().err


def test_fresh_texts_are_read_from_their_own_file(tmp_path, capsys):
    clean, fresh = write(tmp_path / "clean.jsonl"), tmp_path / "fresh.csv"
    fresh.write_text("text\n" + "".join(f"fresh {w} {v}\n" for w in WORDS for v in WORDS))
    assert main(["audit", clean, "--model", "atlas-xs", "--fresh", str(fresh)]) == 0
    assert "than the fresh texts with AUC" in " ".join(capsys.readouterr().out.split())
