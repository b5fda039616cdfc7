"""Training that was killed goes on to the same bits, dropout included."""

import math
import signal
from dataclasses import replace

import pytest
import torch

from weak2strong.config.training import Training
from weak2strong.ground.metrics import roc_auc
from weak2strong.ground.stops import Stopped
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.cross_entropy import CrossEntropy
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


class KilledError(Exception):
    pass


def killed_at(last):
    def on_step(step, steps):
        if step == last:
            raise KilledError

    return on_step


def backwards(lesson):
    return TrainingSet(lesson.items, lesson.targets[:, ::-1].copy())


def overfitting(stopping="weak-validation"):
    return settings(
        epochs=3, batch_size=10, evaluations=9, stopping=stopping, stopping_metric="roc_auc"
    )


@pytest.mark.parametrize("threshold", ["median", "recent-32"])
@pytest.mark.parametrize("stopping", ["weak-validation", "none"])
def test_killed_and_resumed_equals_undisturbed_to_the_bit(
    load, lesson, tmp_path, stopping, threshold
):
    """Killed after the first step, before, at and after a look, and after the last step."""
    train, validation = backwards(lesson(60)), lesson(30, seed=5)
    training = overfitting(stopping)

    def run(model, **options):
        loss = Confidence(threshold=threshold)
        return fit(model, train, loss, training, 3, validation, **options)

    whole = load(seed=0)
    undisturbed, expected = run(whole), weights(whole)
    if stopping == "weak-validation":  # so that some runs are killed before it and some after
        assert 1 / 18 < undisturbed.kept < 17 / 18
    for last in (1, 7, 17, 18):
        file = tmp_path / f"{last}.safetensors"
        with pytest.raises(KilledError):
            run(load(seed=0), on_step=killed_at(last), checkpoint=file, checkpoint_seconds=0)
        again, heard = load(seed=99), []
        done = run(
            again,
            on_step=lambda step, steps, heard=heard: heard.append(step),
            checkpoint=file,
            checkpoint_seconds=math.inf,
        )
        assert done == undisturbed
        assert same(weights(again), expected)
        assert heard == list(range(last + 1, 19))


@pytest.mark.parametrize("last", [1, 7, 18])
def test_a_training_that_is_asked_to_stop_keeps_that_very_step(load, lesson, tmp_path, last):
    """Without a checkpoint by the clock; it goes on as an undisturbed one."""
    train, validation, file = backwards(lesson(60)), lesson(30, seed=5), tmp_path / "c.safetensors"

    def run(model, **options):
        return fit(model, train, CrossEntropy(), overfitting(), 3, validation, **options)

    def stop(step, steps):
        if step == last:
            raise Stopped(signal.SIGTERM)

    whole, again, heard = load(seed=0), load(seed=99), []
    undisturbed = run(whole)
    late = {"checkpoint": file, "checkpoint_seconds": math.inf}
    with pytest.raises(Stopped):
        run(load(seed=0), on_step=stop, **late)
    assert run(again, on_step=lambda step, steps: heard.append(step), **late) == undisturbed
    assert same(weights(again), weights(whole))
    assert heard == list(range(last + 1, 19))


def test_checkpoints_come_by_the_clock(load, lesson, tmp_path):
    file = tmp_path / "c.safetensors"
    run = [load(), lesson(20), CrossEntropy(), settings(batch_size=5, stopping="none"), 0]
    fit(*run, checkpoint=file, checkpoint_seconds=math.inf)
    assert not file.exists()
    fit(*run, checkpoint=file, checkpoint_seconds=0)
    assert file.exists()


def test_writing_checkpoints_does_not_change_what_is_learnt(load, lesson, tmp_path):
    training, found = settings(epochs=2, batch_size=6, stopping="none"), []
    for file in (None, tmp_path / "c.safetensors"):
        model = load()
        fit(model, lesson(20), CrossEntropy(), training, 0, checkpoint=file, checkpoint_seconds=0)
        found.append(weights(model))
    assert same(*found)


def test_dropout_is_the_models_own_and_in_training_only(load, lesson, tmp_path):
    """GPT-2 has dropout of 0.1: it changes what is learnt, not what is answered."""
    validation, file = lesson(9, seed=5), tmp_path / "c.safetensors"
    training = settings(epochs=2, batch_size=5, dropout=True, stopping_metric="roc_auc")

    def run(model, training=training, **options):
        return fit(model, lesson(20), CrossEntropy(), training, 3, validation, **options)

    plain, first, second = load("gpt2"), load("gpt2"), load("gpt2")
    run(plain, replace(training, dropout=False))
    state = torch.get_rng_state()
    done = run(first)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    assert run(second) == done
    assert same(weights(first), weights(second))
    assert not same(weights(first), weights(plain))
    assert not any(part.training for part in first.network.modules())
    answers = predict(first, validation.items).probabilities
    assert roc_auc(answers, validation.targets.argmax(1)) == max(p.score for p in done.trace)
    again = load("gpt2")
    with pytest.raises(KilledError):
        run(load("gpt2"), on_step=killed_at(5), checkpoint=file, checkpoint_seconds=0)
    assert run(again, checkpoint=file) == done
    assert same(weights(again), weights(first))


def test_a_checkpoint_with_the_whole_embedding_is_gone_on_from_by_who_would_spare_rows(
    load, lesson, tmp_path, monkeypatch
):
    """Several ranks write such checkpoints; one process spares the rows that no text uses."""
    file, found = tmp_path / "c.safetensors", []
    training = settings(stopping="none", epochs=2, batch_size=10, weight_decay=0.0)

    def run(model, **options):
        return fit(model, lesson(40), CrossEntropy(), training, 3, **options)

    whole = load()
    found.append((run(whole), weights(whole)))
    with pytest.raises(KilledError):
        run(load(), on_step=killed_at(5), checkpoint=file, checkpoint_seconds=0)
    monkeypatch.setattr(vocabulary, "WORTH", 1)
    again, heard = load(), []
    done = run(again, on_step=lambda step, steps: heard.append(step), checkpoint=file)
    assert heard[0] == 6
    assert done == found[0][0]
    assert same(weights(again), found[0][1])
