"""Methods that differ only in their loss: what they ask a study to finetune."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import pytest

from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions
from weak2strong.losses import LOSSES, Loss, loss
from weak2strong.losses.window import Window
from weak2strong.methods import METHODS
from weak2strong.methods.reference import find_method
from weak2strong.tasks.task import Item

LOSS_OF = {
    "naive": loss("cross-entropy"),
    "adaptive-confidence-guo-code": loss(
        "adaptive-confidence", published=True, temperature=0.5, warmup=0.0
    ),
    # Of confidences .9 .6 .7 in strong_train; the sure labels of validation do not count.
    "window": Window(threshold=0.7),
}
"""Where it is not the loss of the method's own name, as it comes."""


@dataclass
class Study:
    """A study that writes down what it is asked to finetune."""

    classes: int = 2
    seed: int = 0
    asked: list[tuple[Predictions, Loss]] = field(default_factory=list)

    @property
    def weak_labels(self) -> Predictions:
        one = np.array([0.9, 0.4, 0.7, 1.0, 1.0, 1.0, 1.0])
        return Predictions(tuple("abcdefg"), np.stack([1 - one, one], axis=1))

    def items(self, split: str) -> tuple[Item, ...]:
        ids = {"strong_train": "abc", "validation": "defg", "test": "h"}[split]
        return tuple(Item(id, id, id) for id in ids)

    def finetune(self, labels: Predictions, loss: Loss) -> Mapping[str, Predictions]:
        self.asked.append((labels, loss))
        return {"test": labels}


@pytest.mark.parametrize("name", sorted({*LOSS_OF, *(x for x in METHODS if x in LOSSES)}))
def test_a_method_finetunes_once_on_the_weak_labels_with_its_loss(name):
    study, method = Study(), METHODS.get(name)
    assert method.name == name
    assert method.run(study)["test"].ids == study.weak_labels.ids
    ((labels, of),) = study.asked
    np.testing.assert_array_equal(labels.probabilities, study.weak_labels.probabilities)
    expected = LOSS_OF.get(name) or loss(name)
    assert type(of) is type(expected)
    assert asdict(of) == pytest.approx(asdict(expected))  # pyright: ignore  # what a key holds


def test_a_given_threshold_takes_the_place_of_that_of_the_labels():
    study = Study()
    find_method("window:threshold=0.8").run(study)
    ((_, of),) = study.asked
    assert of == Window(threshold=0.8)


def test_two_classes_are_asked_for_before_anything_is_finetuned():
    study = Study(classes=3)
    refused = "'confidence-openai-code' is for 2 classes, and this task has 3: leave the method out"
    with pytest.raises(UserError, match=refused):
        METHODS.get("confidence-openai-code").run(study)
    assert not study.asked
    for name in METHODS:
        if name != "confidence-openai-code":
            METHODS.get(name).check(3)
        METHODS.get(name).check(2)


def test_a_refusal_can_name_the_task():
    method = replace(METHODS.get("naive"), classes=2)
    with pytest.raises(UserError, match="and colours has 4"):
        method.check(4, "colours")
