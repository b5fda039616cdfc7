"""How often a run reads the weights of a model, and passes texts through one that is frozen."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.engine.local import Plan
from weak2strong.engine.run import run_study
from weak2strong.models import weights
from weak2strong.models.kept import KEPT

METHODS = (
    *("naive", "confidence", "entropy", "window", "product", "kl", "confident-only"),
    *("linear-probe", "probe-filter:logistic", "zero-shot"),
)


@pytest.fixture
def reads(monkeypatch):
    """How often the files of each model were read, by its name."""
    counted = Counter()

    def reading(spec, *rest):
        counted[spec.name] += 1
        return from_files(spec, *rest)

    from_files = weights.from_files
    monkeypatch.setattr(weights, "from_files", reading)
    return counted


def test_ten_methods_on_one_task_read_each_model_once(quick_study, tmp_path, reads):
    rows = [
        {"text": f"The {'red' if i % 2 else 'blue'} bird {i}", "label": i % 2} for i in range(200)
    ]
    (tmp_path / "birds.jsonl").write_text("\n".join(map(json.dumps, rows)))
    short = replace(quick_study.strong_training, steps=2)
    study = replace(
        quick_study,
        strong=replace(quick_study.strong, adaptation="lora"),
        weak_training=short,
        strong_training=short,
        methods=METHODS,
        tasks=(str(tmp_path / "birds.jsonl"),),
        data=DataOptions(n_train=60, n_validation=20, n_test=30, near_duplicates=False),
    )
    run_study(study, tmp_path / "run", tmp_path / "store", plan=Plan(workers=1, threads=1))
    # Before anything is trained, the student is asked what it knows of these texts.
    assert reads == {study.weak.name: 1, study.strong.name: 2}
    # A run in this process ends with it.
    assert KEPT._models == {}
