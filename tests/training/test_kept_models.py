"""A fit from weights that are kept gives to the bit what one from the files gives."""

import numpy as np
import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.losses import loss
from weak2strong.models import kept
from weak2strong.models.batches import micro_batches
from weak2strong.models.kept import KEPT, keeping
from weak2strong.models.network import Network
from weak2strong.models.prompted import load_prompted
from weak2strong.tasks.prompt import Prompt
from weak2strong.training.activations import layer_activations, pretrained_activations
from weak2strong.training.fit import fit
from weak2strong.training.predict import predict
from weak2strong.training.prompting import prompted_probabilities

SETTINGS = {
    "full": {},
    "full bfloat16": {"precision": "bfloat16", "dropout": True},
    "full twice": {"checkpointing": "on", "dropout": True},
    "lora": {"dropout": True},
    "lora twice bfloat16": {"checkpointing": "on", "precision": "bfloat16"},
    "head": {},
}
"""Those of a model, and whether it is trained with dropout, by what is trained and how."""


@pytest.fixture(autouse=True)
def nothing_kept():
    yield
    KEPT.empty()


def taught(load, lesson, name, dropout, **settings):
    """All numbers of a fit: weights, losses, and the answers after it."""
    model, train = load(name, 3, **settings), lesson(24)
    training = Training(
        epochs=1, batch_size=8, learning_rate=1e-2, head_rate=1e-2, dropout=dropout, evaluations=2
    )
    done = fit(model, train, loss("confidence"), training, seed=5)
    model.freeze()
    state = {n: v.clone() for n, v in model.network.state_dict().items() if "pooler" not in n}
    return done.curve, state, predict(model, lesson(10, 1).items).values


@pytest.mark.parametrize("case", SETTINGS)
@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_a_second_fit_from_kept_weights_is_one_from_the_files(load, lesson, name, case):
    settings = {"dropout": False, "adaptation": case.split()[0], **SETTINGS[case]}
    expected = taught(load, lesson, name, **settings)
    with keeping():
        taught(load, lesson, name, **settings | {"dropout": not settings["dropout"]})
        found = taught(load, lesson, name, **settings)
    assert found[0] == expected[0]
    assert found[1].keys() == expected[1].keys()
    assert all(torch.equal(found[1][n], expected[1][n]) for n in expected[1])
    assert np.array_equal(found[2], expected[2])


@pytest.fixture
def passes(monkeypatch):
    """How many batches have passed a trunk, as a list of one number."""
    count = [0]

    def pooled(self, *batch):
        count[0] += 1
        return passed(self, *batch)

    passed = Network.pooled
    monkeypatch.setattr(Network, "pooled", pooled)
    return count


def head_fits(load, lesson, **settings):
    """The answers of several students with a head alone on texts that all of them read."""
    train, others, answers = lesson(80), lesson(40, 1), []
    for seed, of in enumerate(("cross-entropy", "confidence", "entropy")):
        model = load("gpt2", seed, adaptation="head", **settings)
        training = Training(epochs=2, learning_rate=1e-2, head_rate=1e-2)
        fit(model, train, loss(of), training, seed)
        model.freeze()
        answers += [predict(model, items).values for items in (train.items, others.items)]
    return answers


def test_what_a_frozen_trunk_has_read_passes_it_once(load, lesson, passes):
    expected = head_fits(load, lesson)
    apart, passes[0] = passes[0], 0
    with keeping():
        found = head_fits(load, lesson)
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    # Alone, every student reads what it learns twice: before its training, and to answer.
    own, others = (len(micro_batches(rows_of(load, lesson, *n), 512)) for n in ((80,), (40, 1)))
    assert apart == 3 * (2 * own + others)
    assert passes[0] == own + others


def rows_of(load, lesson, *which):
    return list(map(len, load("gpt2").reader.rows(lesson(*which).items)))


def test_states_are_not_shared_over_poolings_and_dropout(load, lesson, passes):
    expected = [head_fits(load, lesson, pooling=pooling) for pooling in ("last", "mean")]
    items, passes[0] = lesson(6).items, 0
    with keeping():
        found = [head_fits(load, lesson, pooling=pooling) for pooling in ("last", "mean")]
        model = load("gpt2", adaptation="head")
        before = passes[0]
        model.network.train()
        for _ in range(2):
            predict(model, items)
    for one, other in zip(expected, found, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert passes[0] == before + 2


def test_states_for_which_there_is_no_room_are_made_again(load, lesson, passes, monkeypatch):
    expected = head_fits(load, lesson)
    apart, passes[0] = passes[0], 0
    monkeypatch.setattr(kept, "STATES", 0)
    with keeping():
        found = head_fits(load, lesson)
    assert passes[0] == apart
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_what_a_frozen_model_tells_does_not_depend_on_what_is_kept(toy_models, load, lesson, name):
    items, spec = lesson(6).items, ModelSpec(str(toy_models[name]), adaptation="head")
    prompt = Prompt(((" red",), (" blue",)), "{text} It is")

    def told():
        of_split = pretrained_activations(
            spec, "classification", {"test": items}, (0, 1, 2), on_step=lambda *step: None
        )
        answers = prompted_probabilities(load_prompted(spec), prompt, [i.text for i in items])
        return [*of_split["test"].values(), answers]

    expected = told()
    with keeping():
        taught(load, lesson, name, True, adaptation="lora")
        taught(load, lesson, name, True, adaptation="full")
        told()
        assert all(np.array_equal(a, b) for a, b in zip(told(), expected, strict=True))
        layers = layer_activations(load(name), items, (0, 1, 2))
    assert all(np.array_equal(layers[i], expected[i]) for i in layers)
