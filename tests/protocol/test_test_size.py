"""A test set that is too small for ROC AUC is refused where its interval could not be made."""

from itertools import product

import numpy as np
import pytest

from weak2strong.analysis.recovered import recovered
from weak2strong.cli import main
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import roc_auc
from weak2strong.protocol.test_size import check_test
from weak2strong.tasks.task import Example, Item, Task

CLASSES = ("red", "green", "blue")


def coloured(sizes, group=lambda label, number: f"{label} {number}"):
    """So many examples of each class, and a task with these classes."""
    examples = [
        Example(Item(f"{label}/{i}", group(label, i), "text"), label)
        for label, size in enumerate(sizes)
        for i in range(size)
    ]
    classes = CLASSES[: len(sizes)]
    return examples, Task("colours", "classification", classes, "", "", "", lambda: examples)


def interval_fails(examples, classes) -> bool:
    """Whether a table of ROC AUC would."""
    labels = np.array([e.label for e in examples])
    groups = np.array([e.item.group for e in examples])
    answers = np.random.default_rng(0).dirichlet(np.ones(classes), (1, len(examples)))
    try:
        recovered(answers, answers, answers, labels, groups, roc_auc)
    except ValueError:
        return True
    return False


def refused(examples, task, metric="roc_auc") -> bool:
    try:
        check_test(task, examples, metric)
    except UserError:
        return True
    return False


@pytest.mark.parametrize("classes", [2, 3])
def test_what_is_refused_is_what_would_fail_once_all_is_trained(classes):
    found = set()
    for sizes in product((1, 2, 3, 40), repeat=classes):
        # One example a class of two is a toss: half of the draws have both.
        if sizes == (1, 1):
            continue
        examples, task = coloured(sizes)
        fails = interval_fails(examples, classes)
        assert refused(examples, task) == fails, sizes
        assert not refused(examples, task, "accuracy")
        found.add(fails)
    assert found == ({False} if classes == 2 else {False, True})


def test_groups_count_and_not_examples():
    examples, task = coloured((40, 40, 40), lambda label, i: f"{label}")
    assert refused(examples, task)
    examples, task = coloured((3, 3, 3), lambda label, i: f"{i}")
    assert not refused(examples, task)


@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["run", "plan"])
def test_a_study_is_told_before_anything_is_trained(tmp_path, capsys, more):
    rows = [f"row number {i} says {CLASSES[i % 3]},{CLASSES[i % 3]}" for i in range(60)]
    file, out = tmp_path / "colours.csv", tmp_path / "run"
    file.write_text("\n".join(["text,label", *rows]))
    flags = ["--n-test", "3", "--metric", "roc_auc", "--out", str(out), *more]
    assert main(["run", "--task", str(file), *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "error: The metric roc_auc needs every class, and task colours has class 'blue' in 1 of "
        "the 3 groups of its test, too few for an interval: take accuracy for the metric, or more "
        "test examples (--n-test, of your own data)."
    )
    assert not out.exists()


def test_a_task_without_classes_has_no_such_metric(tmp_path, capsys):
    rows = [f'{{"prompt": "Capital {i}?", "target": "city {i}"}}' for i in range(60)]
    (tmp_path / "capitals.jsonl").write_text("\n".join(rows), encoding="utf-8")
    run = ("run", "--task", str(tmp_path / "capitals.jsonl"), "--metric", "f1", "--dry-run")
    assert main([*run, "--weak", "atlas-xs", "--strong", "atlas-s", "--methods", "naive"]) == 2
    assert "Unknown metric of generation tasks 'f1'" in capsys.readouterr().err
