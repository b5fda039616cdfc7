"""A training is looked at on its way: when, what is recorded, and which weights are kept."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
import torch

from weak2strong.config.training import Training
from weak2strong.ground.metrics import roc_auc
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.tasks.task import Item
from weak2strong.training import vocabulary
from weak2strong.training.fit import fit
from weak2strong.training.predict import predict
from weak2strong.training.training_set import TrainingSet


def settings(rate=3e-3, **others):
    plain = {"learning_rate": rate, "head_rate": rate, "stopping": "weak-validation"}
    return Training(**plain | others)


def weights(model):
    """All but the pooler of BERT, which nothing reads or trains."""
    state = model.network.state_dict()
    return {k: v.clone() for k, v in state.items() if "pooler" not in k}


def same(one, two):
    return all(torch.equal(one[k], two[k]) for k in one)


def backwards(lesson):
    return TrainingSet(lesson.items, lesson.targets[:, ::-1].copy())


@pytest.fixture
def overfitted(load, lesson):
    """A fit that is best at first and worst at last: it is taught the opposite."""
    model, validation = load(), lesson(30, seed=5)
    with torch.no_grad():
        model.network.head.weight.mul_(100)
    snapshots = {}
    done = fit(
        model,
        backwards(lesson(60)),
        CrossEntropy(),
        settings(epochs=3, batch_size=10, evaluations=9, stopping_metric="roc_auc"),
        seed=0,
        validation=validation,
        on_step=lambda step, steps: snapshots.update({step: weights(model)}),
    )
    return model, validation, done, snapshots


def test_the_best_evaluation_is_kept_to_the_bit(overfitted):
    model, validation, done, snapshots = overfitted
    scores = [p.score for p in done.trace]
    assert max(scores) - scores[-1] > 0.3
    assert done.kept == done.trace[scores.index(max(scores))].fraction < 1
    assert same(weights(model), snapshots[round(done.kept * done.steps)])
    assert not same(weights(model), snapshots[done.steps])
    found = predict(model, validation.items).probabilities
    assert roc_auc(found, validation.targets.argmax(1)) == max(scores)


def test_the_trace_scores_the_weights_of_its_moment(overfitted):
    model, validation, done, snapshots = overfitted
    for point in done.trace:
        model.network.load_state_dict(snapshots[round(point.fraction * done.steps)])
        found = predict(model, validation.items).probabilities
        assert roc_auc(found, validation.targets.argmax(1)) == point.score


def test_of_equal_evaluations_the_latest_is_kept(load, lesson):
    model = load()
    done = fit(
        model,
        lesson(60),
        CrossEntropy(),
        settings(5e-3, epochs=6, batch_size=10, evaluations=12),
        seed=0,
        validation=lesson(30, seed=5),
    )
    scores = [p.score for p in done.trace]
    best = [p.fraction for p in done.trace if p.score == max(scores)]
    assert len(best) > 1
    assert done.kept == best[-1]


def test_a_score_that_is_undefined_does_not_keep_the_first_weights(load, lesson):
    model, only = load(), lesson(30, seed=5)
    one_class = TrainingSet(only.items, np.eye(2)[np.zeros(30, dtype=int)])
    training = settings(epochs=1, batch_size=10, evaluations=6, stopping_metric="roc_auc")
    done = fit(model, lesson(60), CrossEntropy(), training, 0, validation=one_class)
    assert done.kept == 1


def test_without_stopping_the_last_weights_stay(load, lesson):
    snapshots, model = {}, load()
    done = fit(
        model,
        lesson(30),
        CrossEntropy(),
        settings(epochs=2, batch_size=10, stopping="none", evaluations=3),
        seed=0,
        validation=backwards(lesson(30)),
        on_step=lambda step, steps: snapshots.update({step: weights(model)}),
    )
    assert done.kept == 1
    assert [p.score for p in done.trace] == [None] * 3
    assert same(weights(model), snapshots[6])


def test_looking_does_not_change_what_is_learnt(load, soft_lesson):
    train, found = soft_lesson(20), []
    for evaluations in (1, 8):
        model, last = load(), {}
        training = settings(epochs=2, batch_size=5, evaluations=evaluations)
        fit(
            model,
            train,
            CrossEntropy(),
            training,
            seed=0,
            validation=soft_lesson(9, seed=3),
            on_step=lambda step, steps, model=model, last=last: last.update(weights(model)),
        )
        found.append(last)
    assert same(*found)


def test_soft_validation_labels_count_as_their_most_probable_class(load, lesson, soft_lesson):
    hard, soft = lesson(30, seed=5), soft_lesson(30, seed=5)
    soft = TrainingSet(soft.items, 0.4 * soft.targets + 0.6 * hard.targets)
    assert (soft.targets.argmax(1) == hard.targets.argmax(1)).all()
    traces = []
    for validation in (hard, soft):
        training = settings(epochs=1, batch_size=10, evaluations=3)
        done = fit(load(), lesson(60), CrossEntropy(), training, 0, validation=validation)
        traces.append(done.trace)
    assert traces[0] == traces[1]


@pytest.mark.parametrize(
    ("steps", "evaluations", "looked_at"),
    [(6, 3, [2, 4, 6]), (6, 1, [6]), (4, 10, [1, 2, 3, 4]), (5, 2, [2, 5])],
)
def test_evaluations_are_spread_evenly_and_end_at_the_end(
    load, lesson, steps, evaluations, looked_at
):
    said = []
    done = fit(
        load(),
        lesson(2 * steps),
        CrossEntropy(),
        settings(epochs=1, batch_size=2, stopping="none", evaluations=evaluations),
        seed=0,
        on_step=lambda step, steps: said.append((step, steps)),
    )
    assert done.steps == steps
    assert [p.fraction for p in done.trace] == [s / steps for s in looked_at]
    assert said == [(s + 1, steps) for s in range(steps)]


def test_evaluating_every_so_many_steps_ends_with_the_last(load, lesson):
    training = settings(steps=6, batch_size=5, stopping="none", evaluate_every=3)
    done = fit(load(), lesson(20), CrossEntropy(), training, 0)
    assert [p.fraction for p in done.trace] == [0.5, 1]


def test_the_trace_has_the_mean_loss_since_the_last_look(load, lesson):
    def trace(evaluations):
        training = settings(epochs=1, batch_size=5, stopping="none", evaluations=evaluations)
        return [p.loss for p in fit(load(), lesson(20), CrossEntropy(), training, 0).trace]

    each = trace(4)
    assert each[0] == pytest.approx(math.log(2), abs=0.05)
    assert trace(2) == pytest.approx([np.mean(each[:2]), np.mean(each[2:])])


def test_the_last_batch_of_an_epoch_counts_by_its_own_size(load, lesson):
    # Five equal examples: batches of 4 and 1 have the same mean loss and the same gradient.
    whole = lesson(5)
    equal = TrainingSet([whole.items[0]] * 5, np.tile(whole.targets[:1], (5, 1)))
    training = settings(1e-12, epochs=1, batch_size=4, stopping="none", evaluations=2)
    one = fit(load(), equal, CrossEntropy(), training, seed=0).trace
    assert one[0].loss == pytest.approx(one[1].loss, rel=1e-5)


def test_a_record_is_json(overfitted):
    _, _, done, _ = overfitted
    plain = json.loads(json.dumps(asdict(done)))
    assert plain["steps"] == done.steps
    assert [p["score"] for p in plain["trace"]] == [p.score for p in done.trace]


def test_stopping_on_validation_needs_validation(load, lesson):
    with pytest.raises(ValueError, match="needs validation labels"):
        fit(load(), lesson(4), CrossEntropy(), settings(), seed=0)


@pytest.mark.parametrize("adaptation", ["full", "head"])
def test_answers_on_the_way_are_those_of_the_model_there_and_change_nothing(
    load, lesson, monkeypatch, adaptation
):
    """Also where only those rows of the embedding are trained that some text uses."""
    monkeypatch.setattr(vocabulary, "WORTH", 0)
    words = ("Nairobi", "The capital of Kenya", "Question: Where is Quito?")
    train, others = lesson(20), [Item(word, word, word) for word in words]
    training = settings(epochs=2, batch_size=5, evaluations=4, stopping="none", dropout=True)
    plain, followed = load(adaptation=adaptation), load(adaptation=adaptation)
    fit(plain, train, CrossEntropy(), training, seed=1)
    evaluations = []
    done = fit(
        followed,
        train,
        CrossEntropy(),
        training,
        seed=1,
        evaluated={"others": others},
        on_evaluation=lambda fraction, answers: evaluations.append((fraction, answers["others"])),
    )
    assert same(weights(plain), weights(followed))
    assert [fraction for fraction, _ in evaluations] == [p.fraction for p in done.trace]
    assert len(evaluations) == 4
    last = predict(followed, others)
    np.testing.assert_allclose(evaluations[-1][1].at(last.ids), last.probabilities, atol=1e-6)
    assert farthest_answer(evaluations[0][1], evaluations[-1][1]) > 1e-3


def farthest_answer(one, other):
    return abs(one.at(other.ids) - other.probabilities).max()
