"""The digits are those of scikit-learn, and the networks that read them have never seen one."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from weak2strong.config.model import ModelSpec
from weak2strong.models.folders import DIGITS as SHIPPED
from weak2strong.models.image_model import load_image_model
from weak2strong.subjects.digits.drawings import DARKEST, alphabet, written
from weak2strong.subjects.digits.networks import CARD_FILE, PLANS, build, train_network
from weak2strong.subjects.digits.task import DIGITS
from weak2strong.tasks.image_files import content_of, key_of, opened

TINY = replace(PLANS[0], characters=5, pictures=128, epochs=1)


def test_each_picture_is_there_with_its_digit():
    examples, data = DIGITS.load(), load_digits()
    assert len({e.item.id for e in examples}) == len({e.item.text for e in examples}) == 1797
    shown = {np.asarray(opened(e.item.file)).tobytes(): int(e.label) for e in examples}
    expected = {
        (255 - np.round(255 * image / DARKEST)).astype(np.uint8).tobytes(): int(digit)
        for image, digit in zip(data.images, data.target, strict=True)
    }
    # Half a step of 255 / 16 may be rounded to either side.
    assert len(shown) == len(expected) == 1797
    close = {np.frombuffer(k, np.uint8).astype(int).tobytes(): v for k, v in expected.items()}
    for pixels, digit in list(shown.items())[:60]:
        numbers = np.frombuffer(pixels, np.uint8).astype(int)
        near = [v for k, v in close.items() if np.abs(np.frombuffer(k, int) - numbers).max() <= 1]
        assert near == [digit]


def test_an_item_holds_its_image_and_is_known_by_it():
    example = DIGITS.load()[0]
    assert key_of(content_of(example.item.file)) == example.item.text
    assert DIGITS.inputs == "images"
    assert DIGITS.pair == ("digits-s", "digits-l")


def test_characters_are_told_apart_by_their_strokes_alone():
    draws = np.random.default_rng(0)
    characters = alphabet(4, 3, draws)
    assert np.abs(characters).max() <= 1
    pictures = written(np.repeat(characters, 50, axis=0), draws)
    assert pictures.shape == (200, 8, 8)
    assert 0 < pictures.max() <= DARKEST
    of_each = pictures.reshape(4, 50, -1).astype(float)
    within = of_each.var(axis=1).sum(axis=1).mean()
    between = of_each.mean(axis=1).var(axis=0).sum()
    assert between > within / 4


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr("weak2strong.subjects.digits.networks.TESTED", 50)


def test_a_network_is_the_same_on_every_run(tmp_path):
    records = [train_network(TINY, tmp_path / name) for name in ("one", "other")]
    one, other = ((tmp_path / n / "model.safetensors").read_bytes() for n in ("one", "other"))
    assert one == other
    assert records[0] | {"seconds": 0} == records[1] | {"seconds": 0}
    assert (tmp_path / "one" / "preprocessor_config.json").is_file()


def test_no_digit_is_opened_while_networks_are_built(tmp_path, monkeypatch):
    def refuse(*args, **named):
        raise AssertionError("a digit was asked for")

    monkeypatch.setattr("sklearn.datasets.load_digits", refuse)
    monkeypatch.setattr("weak2strong.subjects.digits.networks.PLANS", (TINY,))
    card = build(tmp_path)
    assert json.loads((tmp_path / CARD_FILE).read_text()) == card
    assert card["networks"][0]["name"] == TINY.name


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_the_shipped_networks_are_those_of_the_plans(plan):
    records = json.loads((SHIPPED / CARD_FILE).read_text())["networks"]
    record = next(r for r in records if r["name"] == plan.name)
    assert {k: record[k] for k in vars(plan)} == vars(plan)
    network = load_image_model(
        ModelSpec(plan.name, adaptation="head"), "classification", 10, 0
    ).network
    assert sum(p.numel() for p in network.trunk.parameters()) - record["parameters"] == (
        # Transformers adds a pooler, which nobody reads.
        plan.width * (plan.width + 1)
    )
    size = (SHIPPED / plan.name / "model.safetensors").stat().st_size
    assert size < 200_000
