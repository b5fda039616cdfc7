"""Methods that choose or make labels: what they hand on to be learnt."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.methods import METHODS, expand
from weak2strong.methods.confident_only import sure
from weak2strong.predictions import Predictions
from weak2strong.tasks.task import Item

SPLITS = {"strong_train": "abcde", "validation": "fg", "test": "h"}


@dataclass
class Study:
    """A study whose students are surer than their labels by a tenth, and which takes note."""

    weak: dict[str, float]
    classes: int = 2
    seed: int = 0
    learnt: list[dict[str, float]] = field(default_factory=list)

    @property
    def weak_labels(self):
        return self.as_predictions(self.weak)

    @staticmethod
    def as_predictions(ones):
        one = np.array(list(ones.values()))
        return Predictions(tuple(ones), np.stack([1 - one, one], axis=1))

    def items(self, split):
        return tuple(Item(id, id, id) for id in SPLITS[split])

    def finetune(self, labels, loss):
        assert loss == CrossEntropy()
        given = dict(zip(labels.ids, labels.probabilities[:, 1].tolist(), strict=True))
        self.learnt.append(given)
        answers = {
            split: {id: given.get(id, 0.5) + 0.1 for id in SPLITS[split]} for split in SPLITS
        }
        return {split: self.as_predictions(ones) for split, ones in answers.items()}


WEAK = {"g": 0.2, "a": 0.1, "b": 0.6, "c": 0.75, "d": 0.74, "e": 0.25, "f": 0.5}
"""In no order of the splits."""


def test_only_sure_labels_are_learnt_and_all_are_validated_on():
    study = Study(WEAK)
    METHODS.get("confident-only").run(study)
    (learnt,) = study.learnt
    assert learnt == pytest.approx({"a": 0.1, "c": 0.75, "e": 0.25, "f": 0.5, "g": 0.2})


def test_of_a_supervisor_that_is_never_sure_the_surest_tenth_is_learnt():
    one = np.linspace(0.5, 0.6, 40)
    labels = Predictions(tuple(map(str, range(40))), np.stack([1 - one, one], axis=1))
    assert sure(labels).ids == ("36", "37", "38", "39")
    even = Predictions(labels.ids, np.full((40, 2), 0.5))
    assert sure(even).ids == ("0", "1", "2", "3")


def test_every_student_learns_what_the_one_before_it_says():
    study = Study(WEAK)
    found = METHODS.get("strong-to-strong").run(study)
    assert len(study.learnt) == 3
    for n, learnt in enumerate(study.learnt):
        assert learnt == pytest.approx({id: w + 0.1 * n for id, w in WEAK.items()})
    assert found["test"].probabilities[0, 1] == pytest.approx(0.6)


def test_all_stands_for_every_method():
    assert expand(("all",)) == tuple(METHODS)
    assert expand(("naive", "kl")) == ("naive", "kl")
