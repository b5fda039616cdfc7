"""Overlap and expansion printed: what is not defined is a dash, and why is said."""

import io

import numpy as np
import pytest
from rich.console import Console

from weak2strong.analysis.corrections import overlap_tables
from weak2strong.analysis.overlap import StudentExamples
from weak2strong.config.study import StudyConfig
from weak2strong.experiments.overlap import overlap_document
from weak2strong.report.terminal import print_document


@pytest.fixture
def shown() -> str:
    """What is printed of hard weak labels that are right in one class, with an oracle's student."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    weak = np.where((labels == 1) & (np.arange(60) % 3 == 0), 0, labels)
    examples = StudentExamples(
        task="hard",
        classes=("no", "yes"),
        layer=3,
        groups=np.array([f"{i:02}" for i in range(60)]),
        labels=labels,
        features=rng.normal(size=(60, 4)) + 30 * labels[:, None],
        weak=np.eye(2)[weak][None],
        students={"oracle-stopping+naive": np.eye(2)[labels][None]},
    )
    overlap, expansion = overlap_tables(StudyConfig(seeds=1), [examples], 3)
    assert overlap.is_empty()
    out = io.StringIO()
    document = overlap_document(overlap, expansion, [], 1)
    print_document(document, Console(file=out, width=140))
    return out.getvalue()


def test_hard_labels_have_no_density_and_the_reason_is_said(shown):
    assert "Overlap density (" not in shown
    assert "hard: the weak labels are all as confident" in shown


def test_a_class_without_wrong_labels_is_a_row_of_dashes(shown):
    (no,) = [
        line.split() for line in shown.splitlines() if line.startswith("hard ") and " no " in line
    ]
    (yes,) = [
        line.split() for line in shown.splitlines() if line.startswith("hard ") and " yes " in line
    ]
    assert no[-5:] == ["1.000", "–", "–", "0.000", "–"]
    # A third is wrong, and the student has all of it right.
    assert yes[4] == "0.333"
    assert yes[-1] == "1.000"
    assert "*: students saw ground truth." in shown
