"""Students by value of a setting: each is the student of a study that has this value."""

from dataclasses import astuple, replace

import numpy as np
import pytest

from weak2strong.analysis import tested as tests
from weak2strong.analysis.between import repeated_difference, score_difference
from weak2strong.analysis.estimates import Estimate, columns, mean_estimate
from weak2strong.engine.local import Plan
from weak2strong.experiments.overfitting import Overfitting
from weak2strong.experiments.regularise import Regularise, sentences
from weak2strong.ground.errors import UserError
from weak2strong.report.figures import EXPERIMENT_FIGURES


@pytest.fixture(scope="module")
def config(quick_study):
    return replace(quick_study, methods=("naive",))


def test_students_are_those_of_studies_with_the_value(config, tmp_path):
    """And floor and ceiling are those of the study, which weight decay does not reach."""
    both = Regularise.of(config, values=("0", "5", "5.0"), evaluations=2)
    store = tmp_path / "store"
    done = both.read(both.write(tmp_path / "both", store, plan=Plan(1, 1)))
    assert [row["value"] for row in done.rows] == ["0"] * 3 + ["5"] * 3
    ends = {(row["floor"], row["ceiling"]) for row in done.rows}
    assert len(ends) == 1
    for value in (0.0, 5.0):
        training = replace(config.strong_training, weight_decay=value)
        alone = Overfitting.of(replace(config, strong_training=training), evaluations=2)
        followed = alone.read(alone.write(tmp_path / str(value), store, plan=Plan(1, 1)))
        curves, rows = followed.curves, [r for r in done.rows if float(r["value"]) == value]
        for row in rows:
            at = curves.filter(row["point"])
            assert row["student"] == pytest.approx(at["test_score"].mean())
            assert row["agreement_wrong"] == at["agreement_wrong"].mean()
            assert row["agreement_all"] == pytest.approx(at["agreement_all"].mean())
    other = done.table().filter(value="5", point="last").row(0, named=True)
    first = done.table().filter(value="0", point="last").row(0, named=True)
    for name, of in (("score_difference", "student"), ("repeated_difference", "agreement_wrong")):
        assert first[name] is None
        assert other[name] == pytest.approx(other[of] - first[of])
        assert other[f"{name}_low"] <= other[name] <= other[f"{name}_high"]
    assert "weight-decay 0" in done.document.tables[1].title
    figure = EXPERIMENT_FIGURES.get(*done.FIGURES)
    assert "weight-decay 5, last: " in figure.describe(figure.data(done)).alt


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"values": ("much",)}, "weight_decay"),
        ({"values": ("-1",)}, "weight_decay"),
        ({"setting": "epochs", "values": ("0",)}, "epochs"),
        ({"setting": "dropout", "values": ("0.1",)}, "dropout"),
    ],
)
def test_values_that_a_setting_cannot_have_are_refused(config, tmp_path, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        Regularise.of(config, **changes).write(tmp_path / "run", tmp_path / "store")


def test_epochs_beside_steps_are_refused(config, tmp_path):
    training = replace(config.strong_training, steps=3)
    with pytest.raises(UserError, match="counts steps"):
        Regularise.of(replace(config, strong_training=training), setting="epochs").write(
            tmp_path / "run", tmp_path / "store"
        )


def test_sentences_say_which_differences_are_clear():
    def row(value, point, score=None, repeated=None):
        rows = {"task": "a", "method": "naive", "setting": "epochs", "value": value}
        rows["point"] = point
        for name, of in (("score_difference", score), ("repeated_difference", repeated)):
            rows |= columns(name, Estimate(*of) if of else None)
        return rows

    rows = [
        row("1", "last"),
        row("6", "best", (0.3, 0.2, 0.4), (0.3, 0.2, 0.4)),
        row("6", "last", (0.02, -0.01, 0.05), (0.2, 0.1, 0.3)),
        row("9", "last", (-0.01, -0.03, 0.01), None),
    ]
    assert sentences(rows) == [
        "a, naive, at the end of training, compared with epochs 1: no value clearly changes the "
        "score; errors repeated are clearly more with 6 (+0.200 [+0.100, +0.300])."
    ]


def test_differences_are_paired():
    """Of accuracy against the mean of each example's difference; and of wrong labels alone."""
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(2, size=60), np.repeat(np.arange(20), 3).astype(str)
    one_hot = np.eye(2)[labels]

    def answers(errors):
        wrong = rng.random((3, 60)) < errors
        return np.where(wrong[:, :, None], 1 - one_hot, one_hot)

    floor, students = answers(0.3), {"a": answers(0.1), "b": answers(0.2)}
    tested = tests.Tested(
        labels, groups, floor, answers(0), students, None, None, "classification", "accuracy"
    )
    right = {n: of.argmax(-1) == labels for n, of in students.items()}
    found = score_difference(tested, "a", "b")
    expected = mean_estimate(
        right["a"].astype(float) - right["b"], tested.weights, tested.group_count
    )
    assert found is not None
    assert expected is not None
    assert astuple(found) == pytest.approx(astuple(expected))
    by_hand = []
    for seed in range(3):
        wrong = [i for i in range(60) if floor[seed, i].argmax() != labels[i]]
        # With two classes, whoever repeats an error is wrong.
        shares = [np.mean([not right[n][seed, i] for i in wrong]) for n in "ab"]
        by_hand.append(shares[0] - shares[1])
    repeated, turned = (repeated_difference(tested, *names) for names in ("ab", "ba"))
    assert repeated is not None
    assert turned is not None
    assert repeated.value == pytest.approx(np.mean(by_hand)) == pytest.approx(-turned.value)
    assert repeated.low < repeated.value < repeated.high
    assert repeated.low == pytest.approx(-turned.high)
