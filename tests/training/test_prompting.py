"""Shots, draws and calibration, around the log-probabilities of answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.prompted import load_prompted
from weak2strong.tasks.prompt import Prompt, few_shot_prompt
from weak2strong.training.answers import answer_log_probabilities
from weak2strong.training.prompting import calibrated, draw_shots, prompted_probabilities

PROMPT = Prompt(((" red",), (" blue",)), "{text} is", ".\n")
TEXTS = ["A house", "The bird in the morning", "A river"]
DRAWS = [[("The label", 0), ("Lima", 1)], [("Lyon", 1), ("A city", 0)]]


@pytest.fixture(scope="module")
def model(toy_models):
    return load_prompted(ModelSpec(str(toy_models["llama"])))


def asked(model, texts, shots):
    """Log-probabilities, a text at a time."""
    prompts = [few_shot_prompt(PROMPT, shots, text) for text in texts]
    return np.concatenate([answer_log_probabilities(model, [p], PROMPT.scored) for p in prompts])


def shares(p):
    return p / p.sum(1, keepdims=True)


def test_probabilities_are_the_mean_over_draws(model):
    found = prompted_probabilities(model, PROMPT, TEXTS, DRAWS)
    each = [shares(np.exp(asked(model, TEXTS, shots))) for shots in DRAWS]
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.sum(1), 1, rtol=0, atol=1e-12)
    assert np.abs(each[0] - each[1]).max() > 1e-3


def test_without_shots_it_is_zero_shot(model):
    found = prompted_probabilities(model, PROMPT, TEXTS)
    expected = shares(np.exp(asked(model, TEXTS, [])))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_every_draw_is_calibrated_by_its_own_shots(model):
    found = prompted_probabilities(model, PROMPT, TEXTS, DRAWS, calibrate=True)
    each = []
    for shots in DRAWS:
        free = np.exp(asked(model, ["N/A", "", "[MASK]"], shots)).mean(0)
        each.append(shares(np.exp(asked(model, TEXTS, shots)) / free))
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=0, atol=1e-5)


def test_calibration_by_hand():
    """p = (.4, .1) and (.1, .1); p_cf = mean of (.6, .1) and (.2, .1) = (.4, .1)."""
    found = calibrated(np.log([[0.4, 0.1], [0.1, 0.1]]), np.log([[0.6, 0.1], [0.2, 0.1]]))
    np.testing.assert_allclose(found, [[1 / 2, 1 / 2], [1 / 5, 4 / 5]], rtol=0, atol=1e-12)


def test_after_calibration_a_text_that_says_nothing_is_undecided():
    free = np.log([[0.7, 0.2, 0.05]])
    np.testing.assert_allclose(calibrated(free, free), np.full((1, 3), 1 / 3), atol=1e-12)


def test_long_prompts_lose_their_first_shots(model, monkeypatch):
    monkeypatch.setattr(model.tokenizer, "model_max_length", 40)
    shots = [("Lima", 1), ("Weak labels", 0), ("The label", 1)]
    texts = ["A house", "The bird sings in the evening, and the red one"]
    counts = [
        [len(model.tokenizer(few_shot_prompt(PROMPT, shots[n:], t))["input_ids"]) for n in range(4)]
        for t in texts
    ]
    longest = max(
        len(model.tokenizer(a, add_special_tokens=False)["input_ids"]) for (a,) in PROMPT.answers
    )
    kept = [next(n for n in range(4) if c[n] <= 40 - longest - 1) for c in counts]
    assert kept[0] < kept[1]
    assert kept[1] > 0
    with pytest.warns(UserWarning, match=r" of 2 prompts are longer than the 40 tokens"):
        found = prompted_probabilities(model, PROMPT, texts, [shots])
    for i, text in enumerate(texts):
        expected = shares(np.exp(asked(model, [text], shots[kept[i] :])))
        np.testing.assert_allclose(found[i], expected[0], rtol=0, atol=1e-5)


def rows(sizes):
    """Ids, one-hot labels and groups of so many examples of every class."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    ids = [f"e{i:03}" for i in np.random.default_rng(0).permutation(len(labels))]
    return ids, np.eye(len(sizes))[labels], [f"g{i}" for i in ids]


@given(st.lists(st.integers(0, 6), min_size=2, max_size=4), st.integers(0, 8), st.integers(0, 99))
def test_shots_are_as_balanced_as_can_be(sizes, k, seed):
    ids, labels, groups = rows(sizes)
    if k > sum(sizes):
        with pytest.raises(UserError, match=f"only {sum(sizes)} examples"):
            draw_shots(ids, labels, k, seed, groups)
        return
    drawn = draw_shots(ids, labels, k, seed, groups)
    counts = labels[drawn].sum(0)
    assert len(set(drawn)) == len(drawn) == k
    # No class has two more than another that still has some.
    assert all(
        counts[a] <= counts[b] + 1
        for a in range(len(sizes))
        for b in range(len(sizes))
        if counts[b] < sizes[b]
    )


def test_shots_depend_on_ids_and_seed_not_on_rows():
    ids, labels, groups = rows((20, 20))
    order = np.random.default_rng(1).permutation(40)
    one = [ids[i] for i in draw_shots(ids, labels, 5, 3, groups)]
    again = draw_shots([ids[i] for i in order], labels[order], 5, 3, [groups[i] for i in order])
    assert one == [ids[order[i]] for i in again]
    assert one != [ids[i] for i in draw_shots(ids, labels, 5, 4, groups)]


def test_no_class_always_has_the_odd_one_or_the_last_word():
    ids, labels, groups = rows((20, 20))
    draws = [draw_shots(ids, labels, 5, seed, groups) for seed in range(40)]
    more = [labels[d, 1].sum() for d in draws]
    last = [labels[d[-1], 1] for d in draws]
    assert set(more) == {2, 3}
    assert set(last) == {0, 1}
    assert 8 < sum(m == 3 for m in more) < 32


def test_shots_are_of_different_groups_and_of_the_most_probable_class():
    ids = [f"e{i}" for i in range(12)]
    soft = np.tile([[0.6, 0.4], [0.3, 0.7]], (6, 1))
    groups = [f"g{i // 4}" for i in range(12)]
    for seed in range(20):
        drawn = draw_shots(ids, soft, 3, seed, groups)
        assert {groups[i] for i in drawn} == {"g0", "g1", "g2"}
        assert sorted(soft[drawn].argmax(1).tolist()) in ([0, 0, 1], [0, 1, 1])
    with pytest.raises(UserError, match="only 3 examples of different groups to show, not 4"):
        draw_shots(ids, soft, 4, 0, groups)
