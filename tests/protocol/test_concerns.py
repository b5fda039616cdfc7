"""What a finetuning took up of its labels, and the sentences that say where it is hardly any."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import rel_entr
from scipy.stats import entropy

from weak2strong.protocol.concerns import concerns, has_hardly_learned
from weak2strong.protocol.learned import (
    Learned,
    Spread,
    ends,
    entropies,
    read_learned,
    write_learned,
)


def binary(p):
    """Rows of two probabilities from those of class 1."""
    return np.stack([1 - np.asarray(p), np.asarray(p)], axis=1)


def learned(targets, answers, losses, **changes) -> Learned:
    """What a finetuning would say of these labels, answers and losses."""
    guessing, least = entropies(targets)
    first, last = ends(losses, 1.0)
    about = {
        "task": "a-task",
        "role": "supervisor",
        "method": None,
        "model": "small",
        "seed": 0,
        "loss": "CrossEntropy",
        "rates": (1e-7, 1e-3),
        "steps": len(losses),
    }
    spreads = {"labels": Spread.of(targets), "answers": Spread.of(answers)}
    numbers = {"first": first, "last": last, "guessing": guessing, "least": least}
    return Learned(**{**about, **numbers, **spreads, **changes})


HARD = binary(np.arange(100) % 2)
RNG = np.random.default_rng(0)
SURE = binary(np.where(np.arange(100) % 2, 0.9, 0.1))
UNSURE = binary(0.5 + 0.004 * RNG.uniform(-1, 1, 100))
STILL = learned(HARD, UNSURE, [0.694] * 40)
SOUND = learned(HARD, SURE, np.linspace(0.7, 0.2, 40))


def test_entropies_are_those_of_scipy_and_bound_the_cross_entropy():
    targets = RNG.dirichlet([0.5, 1.0, 2.0], 200)
    guessing, least = entropies(targets)
    assert guessing == pytest.approx(entropy(targets.mean(axis=0)))
    assert least == pytest.approx(entropy(targets, axis=1).mean())
    # The difference is what the labels tell beyond the shares of the classes.
    told = rel_entr(targets, targets.mean(axis=0)).sum(axis=1).mean()
    assert guessing - least == pytest.approx(told)
    assert entropies(HARD) == (pytest.approx(np.log(2)), 0.0)


def test_a_guess_takes_up_nothing_of_the_labels_and_the_labels_themselves_all():
    soft = binary(RNG.uniform(0.05, 0.95, 100))
    guessing, least = entropies(soft)
    assert learned(soft, SURE, [guessing] * 20).taken_up == pytest.approx(0)
    assert learned(soft, SURE, [least] * 20).taken_up == pytest.approx(1)
    assert learned(soft, SURE, [least] * 20, loss="Confidence").taken_up is None
    assert learned(UNSURE, UNSURE, [np.log(2)] * 20).taken_up is None  # nothing to take up


def test_the_end_is_where_the_weights_were_kept():
    losses = [*[0.7] * 50, *[0.3] * 50]
    assert ends(losses, 1.0) == (pytest.approx(0.7), pytest.approx(0.3))
    assert ends(losses, 0.5) == (pytest.approx(0.7), pytest.approx(0.7))
    assert ends([0.7, 0.2], 1.0) == (0.7, 0.2)


def test_who_has_hardly_learned():
    assert has_hardly_learned(STILL)
    assert not has_hardly_learned(SOUND)
    # By its confidence alone, or the sameness of its answers, where the loss is another one.
    assert has_hardly_learned(replace(STILL, loss="Confidence"))
    one = learned(HARD, binary(np.full(100, 0.8)), [0.3] * 40, loss="Confidence")
    assert has_hardly_learned(one)
    # A student that fits labels near 1/2 has no loss to take up, and is as unsure as they are.
    assert not has_hardly_learned(learned(UNSURE, UNSURE, [0.693] * 40, role="student"))
    # Ninety-nine of a hundred labels are of one class, and so are the answers; who only knows the
    # shares of the classes has hardly learned all the same.
    rare = binary(np.arange(100) == 0)
    assert not has_hardly_learned(learned(rare, binary(0.001 + 0.8 * rare[:, 1]), [0.05, 0.02]))
    assert has_hardly_learned(learned(rare, binary(np.full(100, 0.01)), [0.05, 0.05]))
    texts = {"guessing": None, "least": None, "labels": None, "answers": None, "rates": (1e-7,)}
    assert has_hardly_learned(replace(STILL, first=3.21, last=3.2, **texts))
    assert not has_hardly_learned(replace(STILL, first=3.21, last=1.2, **texts))


def test_a_supervisor_that_has_hardly_learned_is_told_with_its_numbers_and_what_to_do():
    still, noise = concerns([STILL, replace(STILL, seed=1, last=0.7)])
    assert still.text == (
        "a-task: the supervisor (small, seeds 0 and 1) has hardly learned from its labels: the "
        "training loss came to 0.694 to 0.700, where always guessing by the shares of the classes "
        "gives 0.693, and the mean confidence of the answers is 0.502. The learning rates (trunk "
        "1e-07, head 0.001; 40 steps) may be too low, or this model cannot tell from these "
        "examples what the labels ask. Try other rates (--weak-lr and --weak-head-rate) and more "
        "--epochs; where that changes nothing, take a supervisor that knows more of it, or another "
        "task."
    )
    assert "(seeds 0 and 1) the two likeliest classes differ by 0.005 or less" in noise.text
    assert concerns([SOUND]) == []
    wild = replace(STILL, last=2.5, answers=SOUND.answers)
    assert "may be too high" in concerns([wild])[0].text


def test_ceilings_and_students_are_told_of_apart():
    ceiling = replace(STILL, role="ceiling")
    student = replace(STILL, role="student", method="naive", labels=SOUND.answers)
    found = [concern.text for concern in concerns([SOUND, ceiling, student])]
    assert len(found) == 2
    assert "the ceiling (small, seed 0) has hardly learned from its labels" in found[0]
    assert "--strong-lr" in found[0]
    assert "students of naive (small, seed 0) have hardly learned from weak labels" in found[1]


def test_a_model_of_trusted_labels_is_called_so():
    (concern,) = concerns([learned(HARD, binary([0.5] * 100), [0.7] * 40, role="trusted")])
    assert "a-task: the model of trusted labels (small, seed 0) has hardly" in concern.text


def test_weak_labels_without_a_supervisor_are_those_that_students_learned():
    """The labels of a student that hardens them first are not the weak labels."""
    near = replace(STILL, role="student", method="naive", labels=STILL.answers, last=0.6)
    hardened = replace(near, method="hardened", labels=SOUND.labels, answers=SOUND.answers)
    (noise,) = concerns([near, hardened])
    assert "half of the weak labels (seed 0)" in noise.text
    assert concerns([hardened]) == []


def test_the_file_gives_back_what_was_written(tmp_path):
    in_words = replace(STILL, guessing=None, least=None, labels=None, answers=None, rates=(1e-7,))
    write_learned(tmp_path, [STILL, in_words])
    assert read_learned(tmp_path) == [STILL, in_words]
    assert read_learned(tmp_path, "naive") == [
        replace(x, method="naive") for x in (STILL, in_words)
    ]
