"""A head on vectors of a file: its numbers are those of a literal loop, and of scikit-learn."""

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.losses import loss
from weak2strong.models.load import load_model
from weak2strong.tasks.task import Item
from weak2strong.training import passes
from weak2strong.training.fit import fit
from weak2strong.training.predict import pooled_activations, predict
from weak2strong.training.training_set import TrainingSet

WIDTH, CLASSES = 5, 3


@pytest.fixture
def lesson(tmp_path):
    """A model that is a file, what it learns, and its vectors in the order of the items."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % CLASSES
    values = (
        rng.normal(size=(60, WIDTH)) + 0.5 * rng.normal(size=(CLASSES, WIDTH))[labels]
    ).astype("f4")
    shuffled = rng.permutation(60)
    np.save(tmp_path / "x.npy", values[shuffled])
    pl.DataFrame({"id": [f"i{n}" for n in shuffled]}).write_csv(tmp_path / "ids.csv")
    items = [Item(f"i{n}", f"i{n}", f"i{n}") for n in range(60)]
    spec = ModelSpec(str(tmp_path / "x.npy"), adaptation="head", head_states="raw")
    return spec, TrainingSet(items, np.eye(CLASSES)[labels]), values, labels


def settings(**changes):
    same = {"batch_size": 60, "schedule": "constant", "warmup": 0.0, "clip": 1e9, "beta2": 0.999}
    return Training(learning_rate=1e-3, head_rate=0.05, stopping="none", **same | changes)


def test_it_learns_as_a_literal_loop_does(lesson):
    spec, train, values, labels = lesson
    model = load_model(spec, "classification", CLASSES, seed=1)
    head = nn.Linear(WIDTH, CLASSES)
    head.load_state_dict(model.network.head.state_dict())
    fit(model, train, loss("cross-entropy"), settings(steps=8), seed=0)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05, betas=(0.9, 0.999))
    for _ in range(8):
        optimizer.zero_grad()
        outputs = head(torch.from_numpy(values))
        nn.functional.cross_entropy(outputs, torch.from_numpy(labels)).backward()
        optimizer.step()
    for ours, theirs in zip(model.network.head.parameters(), head.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    expected = head(torch.from_numpy(values)).softmax(-1).detach().numpy()
    np.testing.assert_allclose(predict(model, train.items).values, expected, atol=1e-5)


def test_it_ends_where_scikit_learn_does(lesson):
    """On targets that no line parts, so that the best head is finite and the only one."""
    spec, train, values, labels = lesson
    model = load_model(spec, "classification", CLASSES, seed=0)
    fit(model, train, loss("cross-entropy"), settings(steps=600, schedule="cosine"), seed=0)
    best = LogisticRegression(C=np.inf, max_iter=5000, tol=1e-10).fit(values, labels)
    found = predict(model, train.items).values
    np.testing.assert_allclose(found, best.predict_proba(values), atol=2e-3)


def test_vectors_are_read_when_they_are_used(lesson, monkeypatch):
    """A batch at a time in training, and some thousands in answers; none are kept."""
    spec, train, *_ = lesson
    model, asked = load_model(spec, "classification", CLASSES, seed=0), []
    of = type(model.reader.vectors)
    before = of.at
    monkeypatch.setattr(of, "at", lambda v, rows: asked.append(len(rows)) or before(v, rows))
    monkeypatch.setattr(passes, "ANSWERED", 25)
    fit(model, train, loss("cross-entropy"), settings(batch_size=7, epochs=1), seed=0)
    assert max(asked) == 7
    asked.clear()
    examples = passes.HeadAlone(model, model.reader.rows(train.items))
    answers = examples.answers()
    assert asked == [25, 25, 10]
    np.testing.assert_allclose(answers, predict(model, train.items).values, atol=1e-6)


def test_what_the_head_reads_are_the_vectors_by_id(lesson):
    spec, train, values, _ = lesson
    model = load_model(spec, "classification", CLASSES, seed=0)
    np.testing.assert_array_equal(pooled_activations(model, train.items), values)
    rows = model.reader.rows(train.items[3:9])
    assert [len(row) for row in rows] == [1] * 6
    np.testing.assert_array_equal(rows[2:4].at(np.array([1])), values[[6]])
    (layer,) = model.network.pooled_layers(model.batch(list(rows)), [0])
    np.testing.assert_array_equal(layer.numpy(), values[3:9])
