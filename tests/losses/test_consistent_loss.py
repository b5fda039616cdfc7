"""The consistency term: its equation, its gradient for a pair, and what keeps pairs together."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.losses import loss
from weak2strong.losses.consistent import Consistent
from weak2strong.methods import every_method
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages import students
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import make_splits
from weak2strong.tasks.task import Item
from weak2strong.training.loop import _batches
from weak2strong.training.loss import seen_of_batch, shown_of_part
from weak2strong.training.partners import partners_of

PAIRS = ["a", "", "-a", "b", "b", "c", "d", "d", "-d", "e"]
ITEMS = [Item(str(i), str(i), f"text {i}", pair=pair) for i, pair in enumerate(PAIRS)]


def test_partners_are_the_next_with_the_same_name():
    found = partners_of(ITEMS)
    assert found.other.tolist() == [2, -1, 0, 4, 3, -1, 7, 8, 6, -1]
    assert found.opposite.tolist() == [True, False, True] + [False] * 4 + [True, True, False]
    assert [unit.tolist() for unit in found.units] == [[0, 2], [1], [3, 4], [5], [6, 7, 8], [9]]
    other, opposite = found.in_batch(np.array([4, 2, 9, 0, 7]))
    # The partner of 4 is not in the batch, nor is that of 7.
    assert other.tolist() == [-1, 3, -1, 1, -1]
    assert opposite.tolist() == [False, True, False, True, True]


def test_every_order_keeps_pairs_together_and_takes_each_example_once_an_epoch():
    units = partners_of(ITEMS).units
    for order in islice(_batches(10, 10, 0, units), 5):
        assert sorted(order) == list(range(10))
        place = np.argsort(order)
        assert abs(place[0] - place[2]) == abs(place[3] - place[4]) == 1
    first = [np.concatenate(list(islice(_batches(10, 4, s, units), 3))).tolist() for s in (0, 1)]
    assert first[0] != first[1]
    # Without units the order is that of before.
    rng = np.random.default_rng([3, 0x6F72646572])
    assert next(_batches(10, 10, 3)).tolist() == rng.permutation(10).tolist()


def of_batch(of, logits, targets, fraction=0.5, parts=((0, 1, 2, 3, 4),)):
    """The losses of examples 4, 2, 9, 0 and 3, whatever the parts; 2 and 0 are opposites."""
    batch = np.array([4, 2, 9, 0, 3])
    partners = tuple(torch.from_numpy(x) for x in partners_of(ITEMS).in_batch(batch))
    seen, _ = seen_of_batch(of, logits.detach(), targets, fraction, [], partners)
    values = torch.zeros(len(batch))
    for part in parts:
        at = torch.tensor(part)
        shown = shown_of_part(seen, at)
        values[at] = of.per_example(logits[at], targets[at], fraction, shown)
    return values


@pytest.fixture
def given():
    torch.manual_seed(0)
    return torch.randn(5, 2, requires_grad=True), torch.rand(5, 1).repeat(1, 2).float()


@pytest.mark.parametrize("name", ["cross-entropy", "confidence", "window"])
def test_the_term_stands_beside_the_loss(name, given):
    logits, targets = given
    targets = torch.cat([1 - targets[:, :1], targets[:, :1]], dim=1)
    settings = {"threshold": 0.7} if name == "window" else {}
    inner = loss(name, **settings)
    of = Consistent(inner, 0.7, name)
    p = logits.softmax(dim=1)[:, 1].tolist()
    seen = inner.statistics(logits.detach(), targets, 0.5) if inner.needs_batch else None
    plain = inner.per_example(logits, targets, 0.5, shown_of_part(seen, torch.arange(5)))
    terms = [(p[0] - p[4]) ** 2, (p[1] + p[3] - 1) ** 2, 0.0, (p[3] + p[1] - 1) ** 2]
    terms.append((p[4] - p[0]) ** 2)
    expected = [a + 0.7 * b for a, b in zip(plain.tolist(), terms, strict=True)]
    assert of_batch(of, logits, targets).tolist() == pytest.approx(expected, abs=1e-6)
    # However the batch is cut.
    cut = of_batch(of, logits, targets, parts=((0, 3), (1,), (2, 4)))
    assert cut.tolist() == pytest.approx(expected, abs=1e-6)


def test_the_gradients_of_two_add_to_that_of_one_term_for_the_pair(given):
    logits, targets = given
    none = Consistent(loss("cross-entropy"), 0.0, "")
    one = Consistent(loss("cross-entropy"), 1.0, "")
    (with_term,) = torch.autograd.grad(of_batch(one, logits, targets).sum(), logits)
    (without,) = torch.autograd.grad(of_batch(none, logits, targets).sum(), logits)
    p = logits.softmax(dim=1)[:, 1]
    pairs = (p[1] + p[3] - 1) ** 2 + (p[0] - p[4]) ** 2
    (expected,) = torch.autograd.grad(pairs, logits)
    torch.testing.assert_close(with_term - without, expected)


def test_opposites_of_three_classes_have_no_term():
    torch.manual_seed(1)
    logits, targets = torch.randn(5, 3), torch.full((5, 3), 1 / 3)
    inner = loss("cross-entropy")
    values = of_batch(Consistent(inner, 1.0, ""), logits, targets)
    plain = inner.per_example(logits, targets, 0.5, None)
    f = logits.softmax(dim=1)
    same = (f[0] - f[4]).square().sum() / 2
    expected = plain + torch.stack([same, *torch.zeros(3), same])
    torch.testing.assert_close(values, expected)


@pytest.fixture(scope="module")
def make_task_run(quick_study, tmp_path_factory):
    """Task runs of one store, on a few pairs of the embedded task."""
    store = Store(tmp_path_factory.mktemp("consistent"))

    def make(name="atlas-claim-continent-negated"):
        task = TASKS.get(name)
        config = resolved(replace(quick_study, tasks=(name,), methods=("naive",)))
        return TaskRun(config, store, name, task, make_splits(task))

    return make


def test_the_step_adds_the_term_to_whatever_loss_follows(make_task_run, monkeypatch):
    seen = []

    def spy(finetuning):
        seen.append(finetuning)
        raise InterruptedError

    monkeypatch.setattr(students, "finetune", spy)
    truth = {split: students.true_labels_of(make_task_run(), split) for split in stages.PREDICTED}
    monkeypatch.setattr(students, "weak_labels", lambda *_: truth)
    task_run = make_task_run()
    for method in ("consistent", "consistent:weight=0.5+confidence", "confidence"):
        with pytest.raises(InterruptedError):
            stages.student(task_run, method, 0)
    first, second, plain = (finetuning.loss for finetuning in seen)
    assert first == Consistent(loss("cross-entropy"), 1.0, "CrossEntropy")
    assert second == Consistent(loss("confidence"), 0.5, "Confidence")
    assert plain == loss("confidence")


def test_a_task_without_pairs_is_refused_and_all_leaves_the_step_out(make_task_run):
    config = replace(make_task_run().config, tasks=("atlas-southern",), methods=("consistent",))
    with pytest.raises(UserError, match="has no texts that say the same or the opposite"):
        resolved(config)
    with pytest.raises(UserError, match="must be above 0, not 0"):
        resolved(replace(config, methods=("consistent:weight=0",)))
    assert not [name for name in every_method() if "consistent" in name]
