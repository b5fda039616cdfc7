"""Students by value of a setting: each is the student of a study that has this value."""

from dataclasses import replace

import pytest

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
    assert "weight-decay" in done.document.tables[0].notes[0]
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


def test_sentences_name_the_values_at_the_end_of_training():
    rows = [
        {
            **{"task": "a", "method": "naive", "setting": "epochs", "value": value},
            **{"point": point, "student": score, "agreement_wrong": wrong},
        }
        for value, point, score, wrong in (
            ("1", "best", 0.99, 0.0),
            ("1", "last", 0.8, 0.1),
            ("6", "last", 0.9, 0.3),
            ("9", "last", 0.9, 0.2),
        )
    ]
    assert sentences(rows) == [
        "a, naive, at the end of training: the best score (0.900) is with epochs 6 and 9, "
        "the fewest errors are repeated (0.100) with 1."
    ]
