"""The variant of public code: its jump, its soft count of positive rows, and its ties."""

import pytest
import torch

from weak2strong.ground.errors import UserError
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.confidence_openai_code import ConfidenceOpenaiCode

OWN = ConfidenceOpenaiCode(maximum=1.0, warmup=0.0)
"""With the weight 1 after the start: the loss is -log f of the hardened class."""


def hardened(logits, targets):
    losses = OWN.per_example(logits, targets, 0.5, OWN.statistics(logits, targets, 0.5).rows)
    log_f = torch.log_softmax(logits, dim=-1)
    assert (log_f[:, 0] != log_f[:, 1]).all()
    return torch.isclose(losses, -log_f[:, 1], rtol=0, atol=1e-6).long().tolist()


@pytest.mark.parametrize(
    ("fraction", "weight"),
    [(0.0, 0.0), (0.05, 0.025), (0.1, 0.05), (0.1001, 0.5), (0.5, 0.5), (0.99, 0.5)],
)
def test_the_weight_creeps_and_then_jumps(fraction, weight):
    assert ConfidenceOpenaiCode().weight(fraction) == pytest.approx(weight)


def test_soft_labels_say_how_many_rows_are_class_1():
    odds = torch.tensor([4.0, 3.0, 2.0, 1.0, -1.0])
    logits = torch.stack([torch.zeros(5), odds], dim=1)
    targets = torch.tensor([[0.6, 0.4]] * 5)  # no row is more likely positive than not
    assert hardened(logits, targets) == [1, 1, 0, 0, 0]
    assert Confidence().statistics(logits, targets, 0.5).rows.tolist() == [1, 1, 0, 0, 0]
    targets = torch.tensor([[0.9, 0.1]] * 5)
    assert hardened(logits, targets) == [1, 0, 0, 0, 0]
    assert Confidence().statistics(logits, targets, 0.5).rows.tolist() == [1, 1, 0, 0, 0]


def test_a_row_on_the_threshold_is_class_0():
    logits = torch.tensor([[0.0, 3.0], [0.0, 2.0], [0.0, 1.0]])
    targets = torch.tensor([[0.5, 0.5]] * 3)  # t is the median, which is the second row
    assert hardened(logits, targets) == [1, 0, 0]


@pytest.mark.parametrize("odds", [-2.0, 2.0])
def test_a_batch_of_one_is_class_0(odds):
    logits, targets = torch.tensor([[0.0, odds]]), torch.tensor([[0.1, 0.9]])
    assert hardened(logits, targets) == [0]


def test_more_classes_are_refused_with_what_to_take():
    with pytest.raises(UserError, match="for two classes, not 3: the loss confidence takes any"):
        OWN.statistics(torch.zeros(4, 3), torch.full((4, 3), 1 / 3), 0.5)


@pytest.mark.parametrize("name", ["maximum", "warmup"])
def test_settings_out_of_range_are_refused(name):
    with pytest.raises(UserError, match=f"Confidence-openai-code: {name} must be (at|a )"):
        ConfidenceOpenaiCode(**{name: 1.1})
