"""A pretrained model is asked for the names of classes that data give, not for their numbers."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from weak2strong.config.data import DataOptions
from weak2strong.ground.store import Store
from weak2strong.models.prompted import load_prompted
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import make_splits
from weak2strong.training.answers import answer_log_probabilities

NAMES = ("negative", "positive")
ROWS = [{"text": f"Lima is {i} times a city", "label": i % 2} for i in range(40)]


def in_a_column(folder):
    """Names in a column of their own."""
    lines = [json.dumps(row | {"label_text": NAMES[row["label"]]}) for row in ROWS]
    (folder / "d.jsonl").write_text("\n".join(lines))
    return folder / "d.jsonl"


def in_metadata(folder):
    """Names where `datasets` writes them."""
    features = {"label": {"names": list(NAMES), "_type": "ClassLabel"}}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.Table.from_pylist(ROWS).replace_schema_metadata(about)
    parquet.write_table(table, folder / "d.parquet")
    return folder / "d.parquet"


def in_a_card(folder):
    """Names in the header of a card."""
    lines = "".join(f"{json.dumps(row)}\n" for row in ROWS)
    (folder / "train.jsonl").write_text(lines)
    names = "".join(f"\n          '{i}': {name}" for i, name in enumerate(NAMES))
    feature = f"  - name: label\n    dtype:\n      class_label:\n        names:{names}"
    (folder / "README.md").write_text(f"---\ndataset_info:\n  features:\n{feature}\n---\n")
    return folder


@pytest.mark.parametrize("give", [in_a_column, in_metadata, in_a_card])
def test_zero_shot_answers_are_the_names_of_the_classes(quick_study, tmp_path, give):
    data = tmp_path / "data"
    data.mkdir()
    path, options = give(data), DataOptions(near_duplicates=False)
    config = resolved(replace(quick_study, tasks=(str(path),), data=options))
    task = find_task(str(path), options)
    splits = make_splits(task)
    run = TaskRun(config, Store(tmp_path / "store"), task.name, task, splits)
    answers = stages.student(run, "zero-shot", 0)["test"]
    items = splits.items("test")
    prompts = [f"{item.text}\nAnswer:" for item in items]
    model = load_prompted(quick_study.strong)
    said = [answer_log_probabilities(model, prompts, [[f" {name}"]]) for name in NAMES]
    p = np.exp(np.concatenate(said, axis=1))
    expected = p / p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answers.at([i.id for i in items]), expected, atol=1e-5)
