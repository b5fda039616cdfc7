"""What is kept about the tasks of a run is what a count over their examples says."""

import json
from dataclasses import asdict

import pytest
from transformers import AutoTokenizer

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.engine.contents import FILE, contents, contents_file, read_contents
from weak2strong.ground.folder import FolderFiles
from weak2strong.models.folders import location_of
from weak2strong.tasks import TASKS
from weak2strong.tasks.cleaning import Cleaning
from weak2strong.tasks.files import data_task
from weak2strong.tasks.splits import SPLITS, make_splits


@pytest.fixture(scope="module")
def task():
    """Texts of 10 to 109 words, a class for each parity of their length."""
    lines = ["text,label", *(f"{'bird ' * (10 + i)}{i},{i % 2}" for i in range(100))]
    content = "\n".join(lines).encode()
    return data_task({"long.csv": content}, DataOptions(near_duplicates=False), "long", "it", "mit")


def test_tokens_are_counted_for_every_model(task, toy_models):
    models = [ModelSpec(str(toy_models[name])) for name in ("llama", "bert")]
    splits = make_splits(task)
    found = contents("long.csv", task, splits, models)
    texts = [e.item.text for split in SPLITS for e in splits.examples(split)]
    for model in models:
        tokenizer = AutoTokenizer.from_pretrained(location_of(model))
        cut = sum(len(tokenizer(text)["input_ids"]) > 64 for text in texts)
        assert 0 < cut < 100
        assert found.truncated[model.name] == pytest.approx(cut / 100)
    alone = contents("long.csv", task, splits, models[:1])
    assert found.splits == alone.splits, "the table is the first model's"
    assert contents("long.csv", task, splits, models[1:]).splits != alone.splits
    assert found.cleaning == Cleaning(100, 0, 0, 0, 0, 0, 0, 100)


def test_what_is_written_is_read(task, tmp_path):
    atlas = TASKS.get("atlas-southern")
    both = [contents(t.name, t, make_splits(t)) for t in (task, atlas)]
    (tmp_path / FILE).write_bytes(contents_file(both))
    found = read_contents(FolderFiles(tmp_path, "run"))
    # JSON has lists for tuples.
    assert found == json.loads(json.dumps([asdict(one) for one in both]))
    assert found[1]["cleaning"] is None
    assert found[1]["truncated"] == {}
    assert found[1]["licence"] == atlas.licence
    assert sum(row["examples"] for row in found[1]["splits"]) == len(atlas.load())


def test_a_run_from_before_there_was_such_a_file_has_none(tmp_path):
    assert read_contents(FolderFiles(tmp_path, "run")) == []
