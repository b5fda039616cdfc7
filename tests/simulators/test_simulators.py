"""Simulated supervisors have just as many errors as asked for, and have them where they should."""

from functools import partial

import numpy as np
import pytest

from weak2strong.ground.activations import Activations
from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions, texts
from weak2strong.simulators import SIMULATORS
from weak2strong.simulators.first_features import answers_of_first
from weak2strong.simulators.hints import with_hints
from weak2strong.simulators.simulator import (
    Evidence,
    Order,
    by_confidence,
    misanswered,
    mislabelled,
)
from weak2strong.tasks.kinds import true_targets
from weak2strong.tasks.task import Example, Item

SIZES = {"strong_train": 400, "validation": 200, "test": 300}
ERRORS = {"strong_train": 100, "validation": 41, "test": 90}
WIDTH = 12


def seen(classes=2, errors=ERRORS, seed=0) -> Evidence:
    """Made-up answers of two models, and activations whose first directions tell little."""
    rng = np.random.default_rng(seed)
    examples, answers, states = {}, ({}, {}), {}
    for split, n in SIZES.items():
        labels = rng.integers(classes, size=n)
        examples[split] = tuple(
            Example(Item(f"{split}-{i}", f"g{i // 2}", "x" * int(rng.integers(5, 40))), int(label))
            for i, label in enumerate(labels)
        )
        ids = tuple(e.item.id for e in examples[split])
        one_hot = np.eye(classes)[labels]
        for model, skill in zip(answers, (0.8, 2.0), strict=True):
            logits = skill * one_hot + rng.normal(size=(n, classes))
            p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            model[split] = Predictions(ids, p)
        # Every direction tells a little of the label; the first have the widest spread.
        x = rng.normal(size=(n, WIDTH)) + 0.5 * (2 * (labels == 1) - 1)[:, None]
        states[split] = Activations(ids, (x * 0.6 ** np.arange(WIDTH)).astype(np.float32))
    return Evidence(examples, "classification", classes, None, errors, *answers, states)


def labelled(kind: str, given: Evidence, seed=0) -> dict[str, np.ndarray]:
    """Class indices that the kind gives, by split."""
    return {
        split: mislabelled(
            order,
            given.labels(split),
            given.classes,
            given.errors[split],
            np.random.default_rng(seed),
        ).argmax(axis=1)
        for split, order in SIMULATORS.get(kind).order(given).items()
    }


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("kind", list(SIMULATORS))
def test_every_kind_makes_just_the_errors_asked_for(kind, classes):
    given = seen(classes)
    for split, labels in labelled(kind, given).items():
        assert (labels != given.labels(split)).sum() == ERRORS[split]


@pytest.mark.parametrize("kind", list(SIMULATORS))
def test_a_kind_has_its_own_name_and_says_what_it_is(kind):
    simulator = SIMULATORS.get(kind)
    assert simulator.name == kind
    assert simulator.summary
    assert simulator.source


def wrong_and_right(kind, given, split, of) -> tuple[np.ndarray, np.ndarray]:
    """Some numbers (n,) of the wrongly and of the rightly labelled examples."""
    wrong = labelled(kind, given)[split] != given.labels(split)
    values = np.array(of)
    return values[wrong], values[~wrong]


@pytest.mark.parametrize("split", list(SIZES))
def test_length_decides_who_errs(split):
    given = seen()
    lengths = [len(e.item.text) for e in given.examples[split]]
    wrong, right = wrong_and_right("longest", given, split, lengths)
    assert wrong.min() >= right.max()
    wrong, right = wrong_and_right("shortest", given, split, lengths)
    assert wrong.max() <= right.min()


@pytest.mark.parametrize("split", list(SIZES))
def test_the_confidence_of_a_model_with_ground_truth_decides_who_errs(split):
    given = seen(classes=3)
    p = given.strong_answers[split].probabilities
    wrong, right = wrong_and_right("least-confident", given, split, p.max(axis=1))
    assert wrong.max() <= right.min()
    true = p[np.arange(len(p)), given.labels(split)]
    wrong, right = wrong_and_right("most-confidently-right", given, split, true)
    assert wrong.min() >= right.max()


def test_a_wrong_class_is_the_likeliest_of_the_wrong_ones():
    p = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])
    said = mislabelled(Order(np.zeros(2), p), np.array([1, 0]), 3, 2, np.random.default_rng(0))
    np.testing.assert_array_equal(said.argmax(axis=1), [2, 2])


def test_random_flips_know_nothing_of_texts_and_differ_by_seed():
    given = seen(errors=dict.fromkeys(SIZES, 100))
    one, other = (labelled("random-flips", given, seed)["strong_train"] for seed in (0, 1))
    assert (one != other).any()
    lengths = np.array([len(e.item.text) for e in given.examples["strong_train"]])
    wrong = one != given.labels("strong_train")
    # Far from any structure: a difference of means of 4 standard errors would be one.
    error = lengths.std() * np.sqrt(1 / 100 + 1 / 300)
    assert abs(lengths[wrong].mean() - lengths[~wrong].mean()) < 4 * error


def test_wrong_classes_at_random_are_all_of_the_others():
    labels = np.zeros(300, dtype=int)
    said = mislabelled(Order(np.zeros(300)), labels, 4, 300, np.random.default_rng(0))
    assert set(said.argmax(axis=1)) == {1, 2, 3}


def test_at_its_own_accuracy_the_supervisor_errs_as_it_does():
    given = seen(classes=3)
    own = {s: given.supervisor[s].probabilities.argmax(axis=1) for s in SIZES}
    errors = {s: int((own[s] != given.labels(s)).sum()) for s in SIZES}
    same = seen(classes=3, errors=errors)
    for split, labels in labelled("own-errors", same).items():
        np.testing.assert_array_equal(labels, own[split])
    fewer = labelled("own-errors", seen(classes=3, errors={s: n - 5 for s, n in errors.items()}))
    for split, labels in fewer.items():
        wrong = labels != given.labels(split)
        np.testing.assert_array_equal(labels[wrong], own[split][wrong])


def test_where_the_true_class_ties_the_answer_is_the_first():
    p = np.array([[0.5, 0.5], [0.5, 0.5]])
    order = by_confidence(p, np.array([0, 1]))
    said = mislabelled(order, np.array([0, 1]), 2, 1, np.random.default_rng(0))
    np.testing.assert_array_equal(said.argmax(axis=1), [0, 0])


def test_as_few_features_as_the_accuracy_needs():
    """Every direction tells as much, so better supervisors see more."""
    counts = []
    for wrong in (120, 60, 25):
        given = seen(errors=dict.fromkeys(SIZES, wrong))
        k, answers = answers_of_first(given)
        counts.append(k)
        accuracy = (answers["strong_train"].argmax(1) == given.labels("strong_train")).mean()
        assert accuracy == pytest.approx(1 - wrong / 400, abs=0.05)
    assert counts == sorted(set(counts))
    assert counts[0] < WIDTH // 2


def test_first_features_answer_no_example_by_its_own_group():
    """Labels without any pattern: a fit that had seen them would be better than chance."""
    given = seen(errors=dict.fromkeys(SIZES, 0))
    rng = np.random.default_rng(5)
    examples = dict(given.examples)
    examples["strong_train"] = tuple(
        Example(e.item, int(label))
        for e, label in zip(
            examples["strong_train"], np.repeat(rng.integers(2, size=200), 2), strict=True
        )
    )
    states = dict(given.activations)
    # Both examples of a group have the same activations, and there are many to learn them by.
    values = np.repeat(rng.normal(size=(200, 150)), 2, axis=0).astype(np.float32)
    states["strong_train"] = Activations(states["strong_train"].ids, values)
    for split in ("validation", "test"):
        states[split] = Activations(
            states[split].ids, np.zeros((SIZES[split], 150), dtype=np.float32)
        )
    blind = Evidence(examples, "classification", 2, None, given.errors, {}, {}, states)
    _, answers = answers_of_first(blind)
    accuracy = (answers["strong_train"].argmax(1) == blind.labels("strong_train")).mean()
    assert accuracy < 0.65


COLOURS = ("red", "blue", "Blue.", "green")


def written(n=60, accepted=()) -> Evidence:
    """Made-up texts, of which a supervisor writes every third one wrongly."""
    examples = tuple(
        Example(Item(f"{i:02}", f"g{i}", "x" * (i % 7 + 1)), COLOURS[i % 4], accepted=accepted)
        for i in range(n)
    )
    said = texts("mauve" if i % 3 == 0 else COLOURS[i % 4].upper() for i in range(n))
    supervisor = {"test": Predictions(tuple(e.item.id for e in examples), said, "generation")}
    return Evidence({"test": examples}, "generation", 0, None, {"test": 25}, supervisor, {}, {})


def answered(kind: str, given: Evidence, errors: int) -> np.ndarray:
    order = SIMULATORS.get(kind).order(given)["test"]
    targets = true_targets("generation", given.examples["test"], 0)
    right = partial(given.right, "test")
    return misanswered(order, targets, right, errors, np.random.default_rng(0))


@pytest.mark.parametrize("errors", [0, 10, 25, 60])
@pytest.mark.parametrize(
    "kind", [name for name in SIMULATORS if "classes" not in SIMULATORS.get(name).needs]
)
def test_as_many_texts_are_wrong_as_asked_for(kind, errors):
    """Blue with a full stop is the same answer; every wrong text is right for other examples, but
    for those that the supervisor itself has written."""
    given = written()
    said = answered(kind, given, errors)
    labels = [e.label.strip(".").lower() for e in given.examples["test"]]
    wrong = [s.strip(".").lower() != label for s, label in zip(said, labels, strict=True)]
    assert sum(wrong) == errors
    assert set(said) <= {*COLOURS, *(("mauve",) if kind == "own-errors" else ())}
    # Those of the supervisor come first: 20 of 60.
    assert (said == "mauve").sum() == (min(errors, 20) if kind == "own-errors" else 0)


def test_texts_that_all_count_as_right_are_refused():
    with pytest.raises(UserError, match="no wrong answer to give"):
        answered("random-flips", written(accepted=("red", "blue", "green")), 1)


def test_texts_say_the_label_and_keep_ids_groups_and_truth():
    (made,) = with_hints(
        "classification", [Example(Item("a", "g", "Fez is in"), 0)], [1], ("no", "yes")
    )
    assert made.item.text == "Fez is in I think this is yes. What do you think?"
    assert (made.item.id, made.item.group, made.label) == ("a", "g", 0)
    pair = Item("b", "g", "Q:", (" one", " two"), ((("user", "Q"),), (("user", "Q"),)))
    (made,) = with_hints("preference", [Example(pair, 0)], [1], ("first", "second"))
    worse, better = made.item.completions
    assert worse == " one I think this is worse. What do you think?"
    assert better == " two I think this is better. What do you think?"
    assert [turns[-1][1] for turns in made.item.dialogues] == [
        "Q" + worse.removeprefix(" one"),
        "Q" + better.removeprefix(" two"),
    ]
