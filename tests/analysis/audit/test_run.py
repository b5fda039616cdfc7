"""The tasks of a run are audited as its study used them."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from weak2strong.analysis.audit.audit import Audited, audit
from weak2strong.analysis.audit.finding import Finding
from weak2strong.analysis.audit.run import (
    is_run,
    read_run_audit,
    run_models,
    run_subjects,
    write_run_audit,
)
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.protocol.resolve import splits_of
from weak2strong.tasks.find import find_task


@pytest.fixture
def study(tmp_path):
    """Of a file that needs its options to be read, split by a seed of its own."""
    file = tmp_path / "mine.jsonl"
    rows = [{"words": f"text {i} of {i * i}", "label": i % 2} for i in range(400)]
    file.write_text("\n".join(map(json.dumps, rows)))
    data = DataOptions(text_column="words", n_train=100, n_validation=20, n_test=60)
    return StudyConfig(tasks=(str(file),), data=data, split_seed=3)


def scored(folder, config, ids):
    """A run folder with predictions for these test examples."""
    folder.mkdir()
    (folder / "study.yaml").write_text(config.to_yaml())
    pl.DataFrame({"task": "mine", "id": ids}).write_parquet(folder / "predictions.parquet")
    return folder


def test_splits_are_those_of_the_study(study, tmp_path):
    splits = splits_of(study, find_task(study.tasks[0], study.data))
    ids = [e.item.id for e in splits.test]
    folder = scored(tmp_path / "run", study, 2 * ids)
    (subject,) = run_subjects(folder, study)
    assert subject.splits == splits
    assert [e.id for e in subject.used if e.split == "test"] == ids
    assert len(ids) == 60
    # What another study would use is not what this run was scored on.
    with pytest.raises(UserError, match="Task mine has other test examples now"):
        run_subjects(folder, replace(study, split_seed=0))
    (folder / "predictions.parquet").unlink()
    assert len(run_subjects(folder, replace(study, split_seed=0))) == 1


def test_unseen_entities_are_looked_at_where_the_study_asks_about_these(tmp_path):
    seen, unseen = (
        run_subjects(tmp_path, StudyConfig(tasks=("atlas-arabic",), entities=entities))[0]
        for entities in ("seen", "unseen")
    )
    assert not {e.id for e in seen.used} & {e.id for e in unseen.used}


def test_tasks_that_are_answered_in_words_are_audited_without_the_checks_of_classes(tmp_path):
    audited = audit(run_subjects(tmp_path, StudyConfig(tasks=("chess-mates",)))[0])
    assert audited.checks == ("duplicates", "near-duplicates", "groups", "beginnings")
    assert audited.examples > 1000


def test_the_models_are_those_that_read_the_texts(study):
    weak, strong = study.weak, study.strong
    assert run_models(study) == (weak, strong)
    assert run_models(replace(study, weak_labels=Path("labels.csv"))) == (strong,)
    same = ModelSpec(weak.name, pooling="mean")
    assert run_models(replace(study, strong=same)) == (same,)
    other = ModelSpec(weak.name, revision="main")
    assert run_models(replace(study, strong=other)) == (weak, other)


def test_what_was_found_is_read_again_and_only_of_tasks_that_are_asked_for(tmp_path):
    assert read_run_audit(FolderFiles(tmp_path, "run")) is None
    finding = Finding("form", "error", "Ä leak.", {"auc": float("nan")})
    audits = [Audited(name, name, "it", (), 9, ("form",), (), (finding,)) for name in ("a", "b")]
    write_run_audit(tmp_path, audits)
    found = read_run_audit(FolderFiles(tmp_path, "run"))
    assert [task["name"] for task in found.tasks] == ["a", "b"]
    assert found.tasks[0]["findings"][0]["sentence"] == "Ä leak."
    assert found.tasks[0]["findings"][0]["numbers"] == {"auc": None}
    assert [task["name"] for task in found.of({"b", "c"}).tasks] == ["b"]
    assert found.of({"c"}) is None
    with pytest.raises(UserError, match="Cannot write"):
        write_run_audit(tmp_path / "nowhere", audits)


def test_a_run_is_a_folder_with_a_study(tmp_path):
    assert not is_run(tmp_path)
    assert not is_run(tmp_path / "mine.csv")
    (tmp_path / "study.yaml").write_text("")
    assert is_run(tmp_path)
