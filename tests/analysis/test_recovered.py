"""PGR of predictions: values known by hand, invariances, and where there is none."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from weak2strong.analysis import BOOTSTRAP_SEEDS, recovered
from weak2strong.analysis.recovered import recovered_by_method
from weak2strong.ground.metrics import accuracy, exact_match, roc_auc
from weak2strong.ground.predictions import texts
from weak2strong.tasks.kinds import labels_from_lists


def mean_of_class_1(probabilities, labels, weights):
    """A metric that reads its score off the predictions, so that any score can be set."""
    return weights @ probabilities[:, 1] / weights.sum(axis=1)


def constant(scores, n=10):
    """Predictions ``(S, n, 2)`` for which `mean_of_class_1` gives these scores."""
    ones = np.ones((len(scores), n)) * np.asarray(scores, dtype=float)[:, None]
    return np.stack([1 - ones, ones], axis=2)


def answers(right, labels):
    """Predictions ``(S, n, 2)`` that are right where ``right (S, n)`` says so."""
    chosen = np.where(right, labels, 1 - labels)
    return np.stack([1 - chosen, chosen], axis=2) * 0.8 + 0.1


def noisy(seeds, n=200, accuracies=(0.6, 0.7, 0.9), seed=0):
    """Floor, student and ceiling predictions, labels and groups of two examples."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    hard = rng.normal(size=n)
    roles = []
    for share in accuracies:
        margin = hard + 0.5 * rng.normal(size=(seeds, n)) + 0.05 * rng.normal(size=(seeds, 1))
        roles.append(answers(margin < np.quantile(margin, share), labels))
    groups = np.array([f"g{i // 2}" for i in range(n)])
    return roles, labels, groups


def pgr(roles, *rest, **options):
    """`recovered` of floor, student and ceiling given as one sequence."""
    floor, student, ceiling = roles
    labels, groups, metric = rest
    return recovered(floor, student, ceiling, labels, groups, metric, **options)


def numbers(result):
    """Everything in a result that does not depend on the order of the seeds, as one array."""
    intervals = [result.interval, result.gap_interval, result.floor_interval]
    ends = [end for i in intervals for end in (i.low, i.high)]
    return np.array([result.value, result.floor, result.student, result.ceiling, *ends])


def test_accuracy_by_hand():
    labels = np.arange(40) % 2
    right = [np.arange(40)[None] < share for share in (20, 30, 40)]
    roles = [answers(r, labels) for r in right]
    result = pgr(roles, labels, np.arange(40), accuracy)
    assert (result.floor, result.student, result.ceiling) == (0.5, 0.75, 1.0)
    assert (result.value, result.gap, result.per_seed) == (0.5, 0.5, (0.5,))
    assert (result.seeds, result.examples, result.groups) == (1, 40, 40)
    assert result.interval is not None
    assert result.interval.low < 0.5 < result.interval.high
    assert result.interval.covers == "test examples only, one seed"


def test_it_is_the_ratio_of_means_and_not_the_mean_of_ratios():
    floor, student, ceiling = [0.2] * 4, [0.6, 0.4, 0.6, 0.4], [0.6, 1.0, 0.6, 1.0]
    roles = [constant(scores) for scores in (floor, student, ceiling)]
    result = pgr(roles, np.zeros(10), np.arange(10), mean_of_class_1)
    assert result.value == pytest.approx(0.5)
    assert result.per_seed == pytest.approx([1.0, 0.25, 1.0, 0.25])


@pytest.mark.parametrize("seeds", [1, 3, BOOTSTRAP_SEEDS])
def test_no_variance_gives_a_point(seeds):
    roles = [constant([score] * seeds) for score in (0.6, 0.65, 0.8)]
    result = pgr(roles, np.zeros(10), np.arange(10), mean_of_class_1)
    assert result.value == pytest.approx(0.25)
    assert result.interval is not None
    assert (result.interval.low, result.interval.high) == pytest.approx((0.25, 0.25))
    assert (result.gap_interval.low, result.gap_interval.high) == pytest.approx((0.2, 0.2))


def test_the_method_is_chosen_by_the_number_of_seeds():
    for seeds, method, of_gap in (
        (3, "fieller", "t"),
        (BOOTSTRAP_SEEDS - 1, "fieller", "t"),
        (BOOTSTRAP_SEEDS, "crossed bootstrap", "crossed bootstrap"),
    ):
        result = pgr(*noisy(seeds), accuracy, replicates=200)
        assert result.interval is not None
        assert result.interval.method == method
        assert result.gap_interval.method == result.student_interval.method == of_gap


@pytest.mark.parametrize("seeds", [4, BOOTSTRAP_SEEDS])
def test_the_order_of_seeds_and_examples_does_not_matter(seeds):
    roles, labels, groups = noisy(seeds)
    rng = np.random.default_rng(1)
    s, n = rng.permutation(seeds), rng.permutation(len(labels))
    one = pgr(roles, labels, groups, accuracy, replicates=300)
    shuffled = [role[s][:, n] for role in roles]
    two = pgr(shuffled, labels[n], groups[n], accuracy, replicates=300)
    assert numbers(one) == pytest.approx(numbers(two), abs=1e-9)
    assert np.array(one.per_seed)[s] == pytest.approx(np.array(two.per_seed))
    # Seeds are triplets: to pair a student with another seed's ceiling is another experiment.
    roles[2] = roles[2][np.roll(np.arange(seeds), 1)]
    three = pgr(roles, labels, groups, accuracy, replicates=300)
    assert three.value == pytest.approx(one.value)
    assert three.interval != one.interval


@pytest.mark.parametrize("seeds", [4, BOOTSTRAP_SEEDS])
def test_counting_errors_and_exchanging_floor_and_ceiling_gives_one_minus_pgr(seeds):
    def negative(*arguments):
        return -accuracy(*arguments)

    (floor, student, ceiling), labels, groups = noisy(seeds)
    one = recovered(floor, student, ceiling, labels, groups, accuracy, replicates=300)
    two = recovered(ceiling, student, floor, labels, groups, negative, replicates=300)
    assert one.value is not None
    assert one.interval is not None
    assert two.interval is not None
    assert two.value == pytest.approx(1 - one.value)
    mirrored = (1 - one.interval.high, 1 - one.interval.low)
    # Seeds are drawn in the order of their scores, which is another one here.
    tolerance = 1e-9 if seeds < BOOTSTRAP_SEEDS else 0.1 * (mirrored[1] - mirrored[0])
    assert (two.interval.low, two.interval.high) == pytest.approx(mirrored, abs=tolerance)


@pytest.mark.parametrize(
    ("seeds", "accuracies", "sentence"),
    [
        (1, (0.7, 0.8, 0.7), "reaches 0"),
        (3, (0.7, 0.8, 0.705), "reaches 0"),
        (BOOTSTRAP_SEEDS, (0.7, 0.8, 0.701), "reaches 0"),
        (3, (0.9, 0.7, 0.5), "lies below 0"),
        (BOOTSTRAP_SEEDS, (0.9, 0.7, 0.5), "lies below 0"),
    ],
)
def test_without_a_clear_gap_there_is_a_sentence_and_no_number(seeds, accuracies, sentence):
    result = pgr(*noisy(seeds, accuracies=accuracies), accuracy, replicates=300)
    assert result.value is None
    assert result.interval is None
    assert np.isnan(result.per_seed).all()
    assert result.undefined is not None
    assert sentence in result.undefined
    assert result.gap == pytest.approx(accuracies[2] - accuracies[0], abs=0.01)
    assert result.gap_interval.low <= 0


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_a_ceiling_that_answers_as_the_floor_does_has_a_gap_of_zero(seeds):
    """Test examples do not tell them apart, by whose rounding there may be a negative variance."""
    for seed in range(5):
        (floor, student, _), labels, groups = noisy(seeds, seed=seed)
        found = pgr((floor, student, floor), labels, groups, accuracy)
        spread = np.std((floor.argmax(axis=2) == labels).mean(axis=1), ddof=1)
        half = t.ppf(0.975, 2 * (seeds - 1)) * spread * np.sqrt(2 / seeds)
        assert (found.gap_interval.low, found.gap_interval.high) == pytest.approx((-half, half))
        assert "reaches 0" in found.undefined
        alike = np.repeat(floor[:1], seeds, axis=0)
        found = pgr((alike, student, alike), labels, groups, accuracy)
        assert found.gap_interval.low == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("seeds", [1, 2, 3, BOOTSTRAP_SEEDS])
def test_the_interval_of_the_gap_is_the_same_whatever_the_student_does(seeds):
    """With few examples and seeds that hardly agree, estimates of variances are often negative."""
    for seed in range(6):
        rng = np.random.default_rng([9, seed])
        labels, right = np.ones(24, dtype=int), rng.random((5, seeds, 24))
        shares = np.array([0.5, 0.3, 0.6, 0.9, 0.75])[:, None, None]
        floor, *students, ceiling = (answers(r, labels) for r in right < shares)
        every = recovered_by_method(
            floor, dict(zip("abc", students, strict=True)), ceiling, labels, np.arange(24), accuracy
        )
        alone = pgr((floor, students[1], ceiling), labels, np.arange(24), accuracy)
        assert len({found.gap_interval for found in every.values()} | {alone.gap_interval}) == 1
        assert len({found.undefined for found in every.values()}) == 1
        for name in ("floor", "ceiling"):
            assert len({found.at_hand[name] for found in every.values()}) == 1


def test_scores_have_intervals_within_the_range_of_the_metric():
    labels = np.ones(40, dtype=int)
    right = [np.arange(40) < n for n in (1, 2, 38, 39)]
    poor, good = (answers(np.stack(two), labels) for two in (right[:2], right[2:]))
    found = pgr((poor, poor, good), labels, np.arange(40), accuracy)
    assert (found.floor_interval.low, found.student_interval.low) == (0, 0)
    assert found.ceiling_interval.high == 1
    assert found.gap_interval.high <= 1

    def twice(*arguments):
        return 2 * accuracy(*arguments)

    unbounded = pgr((poor, poor, good), labels, np.arange(40), twice)
    assert unbounded.floor_interval.low < 0
    assert unbounded.ceiling_interval.high > 2


def test_a_check_is_compared_with_each_role_example_by_example():
    """McNemar's difference of two shares: its variance is known without a bootstrap."""
    n, labels = 400, np.ones(400, dtype=int)
    rng = np.random.default_rng(0)
    rights = [rng.random((3, n)) < share for share in (0.55, 0.6, 0.7)]
    check = rng.random(n) < 0.65
    floor, student, ceiling = (answers(r, labels) for r in rights)
    (found,) = recovered_by_method(
        floor,
        {"naive": student},
        ceiling,
        labels,
        np.arange(n),
        accuracy,
        checks={"ngrams": answers(check[None], labels)[0]},
    ).values()
    for role, right in zip(("floor", "student", "ceiling"), rights, strict=True):
        difference = check - right.mean(axis=0)
        half = t.ppf(0.975, n - 1) * difference.std(ddof=1) / np.sqrt(n)
        ends = difference.mean() - half, difference.mean() + half
        interval = found.checks["ngrams"][role]
        assert (interval.low, interval.high) == pytest.approx(ends, abs=4e-3)
        assert found.beaten("ngrams", role) == (interval.low > 0)
    assert found.beaten("ngrams", "floor")
    assert not found.beaten("ngrams", "ceiling")
    assert not found.beaten("probe", "floor")
    assert found == replace(
        pgr((floor, student, ceiling), labels, np.arange(n), accuracy), checks=found.checks
    )


def test_a_clear_gap_whose_size_two_seeds_do_not_tell_is_said_to_be_that():
    """A t interval with one degree of freedom holds 0; the difference of two means does not."""
    floor, ceiling = constant([0.50, 0.52]), constant([0.62, 0.60])
    found = pgr((floor, floor, ceiling), np.zeros(10), np.arange(10), mean_of_class_1)
    half = t.ppf(0.975, 2) * np.sqrt((0.0002 + 0.0002) / 2)
    assert found.gap_interval.low == pytest.approx(0.10 - half)
    assert found.has_gap
    assert found.value is None
    assert found.undefined == (
        "The ceiling is above the floor, but by how much cannot be told from 2 seeds: "
        "the interval of PGR is unbounded."
    )


def test_a_seed_without_a_gap_has_no_ratio_of_its_own():
    ceiling = [0.8] * 8 + [0.4]
    roles = [constant(scores) for scores in ([0.5] * 9, [0.6] * 9, ceiling)]
    result = pgr(roles, np.zeros(10), np.arange(10), mean_of_class_1)
    assert result.per_seed[:8] == pytest.approx([1 / 3] * 8)
    assert np.isnan(result.per_seed[8])


def test_copies_of_an_example_in_its_group_add_nothing():
    roles, labels, _ = noisy(3, n=100)
    names = np.arange(100)
    once = pgr(roles, labels, names, accuracy)
    roles = [np.repeat(role, 3, axis=1) for role in roles]
    labels = np.repeat(labels, 3)
    copies = pgr(roles, labels, np.repeat(names, 3), accuracy)
    assert (copies.examples, copies.groups) == (300, 100)
    assert replace(copies, examples=100) == once
    # To call the copies groups of their own would make them new evidence.
    wrong = pgr(roles, labels, np.arange(300), accuracy)
    assert wrong.floor_interval.low > once.floor_interval.low + 0.01


def test_replicates_without_every_class_are_left_out():
    roles, labels, _ = noisy(3, n=60)
    labels[:] = 0
    labels[:3] = 1
    for role, ahead in zip(roles, (0.0, 0.3, 0.6), strict=True):
        role[:, :, 1] = np.random.default_rng(0).uniform(0, 0.4, size=(3, 60)) + ahead * labels
        role[:, :, 0] = 1 - role[:, :, 1]
    result = pgr(roles, labels, np.arange(60), roc_auc)
    assert np.isfinite([result.gap_interval.low, result.gap_interval.high]).all()
    labels[1:3] = 0
    with pytest.raises(ValueError, match="not defined on the test set"):
        pgr(roles, np.zeros(60, dtype=int), np.arange(60), roc_auc)
    # In a far larger universe most draws miss the one positive or all of the negatives.
    with pytest.raises(ValueError, match="too few groups"):
        pgr(roles, labels, np.repeat([0, 1], [1, 59]), roc_auc, universe=np.arange(600))


def test_wrong_input_is_a_sentence():
    (floor, student, ceiling), labels, groups = noisy(3)
    broken = student.copy()
    broken[0, 0, 0] = np.nan
    for arguments, message in [
        ((floor[:2], student, ceiling, labels, groups), r"one shape.*\(2, 200, 2\), \(3, 200, 2\)"),
        ((floor, student[:, :9], ceiling, labels, groups), "one shape"),
        ((floor[0], student[0], ceiling[0], labels, groups), "one shape"),
        ((floor, broken, ceiling, labels, groups), "predictions of the student are not all finite"),
        ((floor, student, ceiling, labels[:9], groups), r"must be \(200,\)"),
        ((floor, student, ceiling, labels, groups[:9]), r"must be \(200,\)"),
        ((floor, student, ceiling, labels, ["g"] * 200), "all of one group"),
    ]:
        with pytest.raises(ValueError, match=message):
            pgr(arguments[:3], *arguments[3:], accuracy)
    for wrong in ({"level": 95}, {"replicates": 10}):
        with pytest.raises(ValueError, match="Need a level between 0 and 1"):
            pgr((floor, student, ceiling), labels, groups, accuracy, **wrong)


def test_texts_give_what_the_same_right_and_wrong_classes_give():
    roles, labels, groups = noisy(3)
    words = np.array(["Peru", "Chile"], dtype=object)
    written = [words[role.argmax(axis=2)] for role in roles]
    right = labels_from_lists("generation", [(words[label], "nothing") for label in labels])
    of_texts = pgr(written, right, groups, exact_match)
    assert of_texts == pgr(roles, labels, groups, accuracy)


def test_texts_of_another_shape_are_refused():
    one = texts(["a", "b"])
    right = labels_from_lists("generation", [("a",), ("b",)])
    with pytest.raises(ValueError, match="one shape"):
        recovered(one, one, one, right, ["g", "h"], exact_match)


@pytest.mark.parametrize(("undefined", "defined"), [(50, True), (51, False)])
def test_half_of_the_replicates_are_enough(undefined, defined):
    """The others are left out."""

    def sometimes(probabilities, labels, weights):
        scores = mean_of_class_1(probabilities, labels, weights)
        scores[: undefined * (len(weights) > 1)] = np.nan
        return scores

    roles = [constant([score] * 3) for score in (0.6, 0.65, 0.8)]
    ask = [np.zeros(10), np.arange(10), sometimes]
    if defined:
        assert pgr(roles, *ask, replicates=100).value == pytest.approx(0.25)
    else:
        with pytest.raises(ValueError, match="only 49 of 100"):
            pgr(roles, *ask, replicates=100)
